"""What every component shares: the deployment's facts, physical names, and tags on all that takes them."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi

if TYPE_CHECKING:
    from collections.abc import Callable

    from cutover_infra.packaging import Package
    from cutover_infra.settings import Settings

PROJECT = "cutover"


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What is being deployed, and where; with `api_account`, API Gateway may write logs once that is made."""

    settings: Settings
    region: pulumi.Output[str]
    account_id: pulumi.Output[str]
    legacy_code: Package
    pipeline_code: Package
    entry_code: Package
    mirror_code: Package
    watchdog_code: Package
    comparator_code: Package
    worker_code: Package
    api_account: pulumi.Resource | None = None

    def name(self, thing: str) -> str:
        """Name a thing physically: `cutover-<stack>-<thing>`, the same for ever, since a rename replaces."""
        return f"{PROJECT}-{self.settings.stack}-{thing}"


class Component(pulumi.ComponentResource):
    """A component whose resources, also those of the components in it, are tagged with its name."""

    def __init__(
        self,
        kind: str,
        name: str,
        deployment: Deployment,
        parent: pulumi.Resource | None = None,
        *,
        cost_center: str | None = None,
    ) -> None:
        """Register the component.

        Args:
            kind: the type token after `cutover:`, such as `pipeline:Capture`.
            name: its logical name, unique among its kind.
            deployment: what is being deployed.
            parent: the component it is part of.
            cost_center: whom its resources are tagged for; the parent's where None.
        """
        tag = [tagging(deployment.settings.stack, cost_center)] if cost_center else []
        super().__init__(
            f"{PROJECT}:{kind}", name, None, pulumi.ResourceOptions(parent=parent, transformations=tag)
        )

    def child(
        self,
        *,
        depends_on: list[pulumi.Resource] | None = None,
        stateful: bool = False,
    ) -> pulumi.ResourceOptions:
        """Make the options of a resource in this component.

        Args:
            depends_on: what must be there first, beyond what its inputs name.
            stateful: whether it holds what cannot be made again; Pulumi then neither deletes nor replaces it.
        """
        return pulumi.ResourceOptions(
            parent=self, depends_on=depends_on, protect=stateful or None, retain_on_delete=stateful or None
        )


def tagging(stack: str, component: str) -> pulumi.ResourceTransformation:
    """Make the transformation that tags a component's resources, so that cost can be attributed."""
    tags = {"project": PROJECT, "stack": stack, "component": component, "cost-center": component}

    def tag(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if not _takes_tags(type(args.resource)):
            return None
        own: Any = args.props.get("tags") or {}
        return pulumi.ResourceTransformationResult({**args.props, "tags": {**tags, **own}}, args.opts)

    return tag


def _takes_tags(kind: type[pulumi.Resource]) -> bool:
    make: Callable[..., None] | None = getattr(kind, "_internal_init", None)
    return make is not None and "tags" in inspect.signature(make).parameters
