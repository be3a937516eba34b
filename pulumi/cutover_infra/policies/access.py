"""Rules for who may do what: exact actions on exact resources, one role a function, no open front in prod."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from cutover_infra.openapi import ANY
from cutover_infra.policies.model import (
    FUNCTION,
    Declared,
    ResourceRule,
    Rule,
    StackRule,
    Violation,
    of_type,
    parsed,
    violation,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ATTACHMENT: Final = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
# What AWS names when it makes it: here only its log group, or its state machine, can be named.
_NARROWEST: Final = re.compile(
    r"arn:aws[\w-]*:(logs:[^:*]+:\d{12}:log-group:[^:*]+:log-stream|states:[^:*]+:\d{12}:execution:[^:*]+):\*"
)
_API_LOGS: Final = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
_PAGE: Final = frozenset({"/", "/app.js", "/style.css"})


def narrow(resource: Declared) -> Iterator[str]:
    """A role's policy allows no action and no resource by wildcard."""
    if resource.type != "aws:iam/rolePolicy:RolePolicy":
        return
    for statement in parsed(resource.get("policy")).get("Statement", []):
        if statement["Effect"] != "Allow":
            continue
        for action in _listed(statement.get("Action", "*")):
            if "*" in action:
                yield f"allows the action {action}; name the actions that the code calls"
        for target in _listed(statement.get("Resource", "*")):
            if "*" in target and not _NARROWEST.fullmatch(target):
                yield f"allows the resource {target}; name its ARN"


def inline(resource: Declared) -> Iterator[str]:
    """No role takes a policy that is written elsewhere, but for API Gateway's own logs."""
    if resource.type == _ATTACHMENT and resource.get("policyArn") != _API_LOGS:
        yield f"attaches {resource.get('policyArn')}, which is broader than needed; use make_role"
    if resource.type == "aws:iam/role:Role" and resource.get("managedPolicyArns"):
        yield "attaches managed policies, which are broader than needed; use make_role"


def trusted(resource: Declared) -> Iterator[str]:
    """A role is taken on by one AWS service, and by a shared one only for this account."""
    if resource.type != "aws:iam/role:Role":
        return
    for statement in parsed(resource.get("assumeRolePolicy"))["Statement"]:
        service = statement.get("Principal", {}).get("Service") if statement.get("Principal") != "*" else None
        if not isinstance(service, str):
            yield "can be taken on by others than one AWS service; use trust(service)"
        elif service.split(".")[0] in {"pipes", "scheduler", "states"} and "aws:SourceAccount" not in str(
            statement
        ):
            yield f"lets {service} act for any account; pass the account to trust(...)"


def own_role(resources: Sequence[Declared]) -> Iterator[Violation]:
    """Each function has a role of its own."""
    functions = of_type(resources, FUNCTION)
    uses = Counter(function.get("role") for function in functions)
    for function in functions:
        if uses[function.get("role")] > 1:
            yield violation(function, "shares its role with another function; make it with Function")


def closed_in_prod(resource: Declared) -> Iterator[str]:
    """In prod nobody reaches data without credentials."""
    if not resource.in_prod:
        return
    if resource.type == "aws:lambda/functionUrl:FunctionUrl" and resource.get("authorizationType") == "NONE":
        yield "is open to anyone; set cutover:front to api_gateway"
    if resource.type == "aws:lambda/permission:Permission" and resource.get("principal") == "*":
        yield "lets anyone invoke a function; set cutover:front to api_gateway"
    if resource.type == "aws:apigateway/restApi:RestApi":
        for route in _open_routes(parsed(resource.get("body"))):
            yield f"answers {route} without credentials; set cutover:auth to iam or api_key"


def _open_routes(body: dict[str, Any]) -> Iterator[str]:
    for path, methods in body.get("paths", {}).items():
        for method, operation in methods.items():
            harmless = method == "options" or (method == "get" and path in _PAGE)
            if not operation.get("security") and not harmless:
                yield f"{'ANY' if method == ANY else method.upper()} {path}"


def limited_in_prod(resources: Sequence[Declared]) -> Iterator[Violation]:
    """In prod every API throttles and logs its requests."""
    throttled = {
        settings.get("restApi")
        for settings in of_type(resources, "aws:apigateway/methodSettings:MethodSettings")
        if settings.get("methodPath") == "*/*" and (settings.get("settings", "throttlingRateLimit") or 0) > 0
    }
    for stage in of_type(resources, "aws:apigateway/stage:Stage"):
        if stage.in_prod and stage.get("restApi") not in throttled:
            yield violation(stage, "does not throttle; add MethodSettings for */* with cutover:throttle_rate")
        if stage.in_prod and not stage.get("accessLogSettings", "destinationArn"):
            yield violation(stage, "keeps no access log; set access_log_settings")


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


RULES: Final[tuple[Rule, ...]] = (
    ResourceRule("least-privilege", "Roles name their actions and resources.", narrow),
    ResourceRule("own-policies", "Roles have no managed policies.", inline),
    ResourceRule("one-principal", "Roles trust one AWS service.", trusted),
    StackRule("own-role", "Each function has a role of its own.", own_role),
    ResourceRule("closed-in-prod", "In prod nobody reaches data without credentials.", closed_in_prod),
    StackRule("limited-in-prod", "In prod APIs throttle and log.", limited_in_prod),
)
