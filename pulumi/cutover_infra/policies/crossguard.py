"""The rules as a CrossGuard policy pack, for `pulumi preview --policy-pack pulumi/policy`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pulumi_policy import (
    EnforcementLevel,
    PolicyResource,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from cutover_infra.policies import RULES
from cutover_infra.policies.model import Declared, ResourceRule, Rule, StackRule

if TYPE_CHECKING:
    from pulumi_policy import Policy, ReportViolation

PACK: Final = "cutover"
_LEVEL: Final = EnforcementLevel.MANDATORY


def policies() -> list[Policy]:
    """Turn every rule into a policy of the same name."""
    return [_policy(rule) for rule in RULES]


def _policy(rule: Rule) -> Policy:
    if isinstance(rule, ResourceRule):
        return _resource_policy(rule)
    return _stack_policy(rule)


def _resource_policy(rule: ResourceRule) -> ResourceValidationPolicy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for found in rule.violations([_declared(args)]):
            report(found.message, found.urn)

    return ResourceValidationPolicy(rule.name, rule.description, validate, _LEVEL)


def _stack_policy(rule: StackRule) -> StackValidationPolicy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        for found in rule.violations([_declared(resource) for resource in args.resources]):
            report(found.message, found.urn)

    return StackValidationPolicy(rule.name, rule.description, validate, _LEVEL)


def _declared(resource: ResourceValidationArgs | PolicyResource) -> Declared:
    return Declared(
        urn=resource.urn,
        type=resource.resource_type,
        name=resource.name,
        props=resource.props,
        protect=resource.opts.protect,
        deletes_first=bool(resource.opts.delete_before_replace),
    )
