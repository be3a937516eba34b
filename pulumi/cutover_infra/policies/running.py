"""Rules for what runs and what it costs: own log groups, bounded concurrency, and tags on everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cutover_infra.policies.model import (
    BUCKET,
    FUNCTION,
    MAPPING,
    PIPE,
    QUEUE,
    STATE_MACHINE,
    TABLE,
    WORKGROUP,
    Declared,
    ResourceRule,
    Rule,
    StackRule,
    Violation,
    of_type,
    violation,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LOG_GROUP: Final = "aws:cloudwatch/logGroup:LogGroup"
TAGS: Final = ("project", "stack", "component", "cost-center")
TAGGABLE: Final = frozenset(
    {
        TABLE,
        QUEUE,
        FUNCTION,
        MAPPING,
        PIPE,
        LOG_GROUP,
        BUCKET,
        STATE_MACHINE,
        WORKGROUP,
        "aws:glue/catalogDatabase:CatalogDatabase",
        "aws:apigateway/apiKey:ApiKey",
        "aws:apigateway/restApi:RestApi",
        "aws:apigateway/stage:Stage",
        "aws:apigateway/usagePlan:UsagePlan",
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        "aws:iam/role:Role",
        "aws:sns/topic:Topic",
    }
)


def tagged(resource: Declared) -> Iterator[str]:
    """Whatever takes tags says whose it is and who pays."""
    if resource.type not in TAGGABLE:
        return
    tags = resource.get("tags") or {}
    missing = [tag for tag in TAGS if not tags.get(tag)]
    if missing:
        yield f"lacks the tags {', '.join(missing)}; make it inside a Component with a cost_center"
    elif tags["cost-center"] != tags["component"]:
        yield "is paid for by another component; leave cost-center to tagging()"


def logs_kept(resource: Declared) -> Iterator[str]:
    """A log group forgets."""
    if resource.type == LOG_GROUP and not resource.get("retentionInDays"):
        yield "keeps logs for ever; set retention_in_days to cutover:log_retention_days"


def own_log_group(resources: Sequence[Declared]) -> Iterator[Violation]:
    """Each function has a log group of its own, made before it runs."""
    groups = {group.get("name") for group in of_type(resources, LOG_GROUP)}
    for function in of_type(resources, FUNCTION):
        if f"/aws/lambda/{function.get('name')}" not in groups:
            yield violation(function, "has no log group, so Lambda makes one for ever; make it with Function")


def bounded(resources: Sequence[Declared]) -> Iterator[Violation]:
    """In prod each function has a reserved concurrency or, instead, a mapping with a maximum."""
    fed = {
        mapping.get("functionName")
        for mapping in of_type(resources, MAPPING)
        if mapping.get("scalingConfig", "maximumConcurrency")
    }
    for function in of_type(resources, FUNCTION):
        reserved = (function.get("reservedConcurrentExecutions") or -1) > 0
        is_fed = not fed.isdisjoint({function.get("arn"), function.get("name")})
        if function.in_prod and not reserved and not is_fed:
            yield violation(function, "can take the whole account's concurrency; reserve it some")
        if reserved and is_fed:
            problem = "would be throttled and burn receives; leave it to the mapping's maximum concurrency"
            yield violation(function, problem)


RULES: Final[tuple[Rule, ...]] = (
    ResourceRule("tagged", "Whatever takes tags has the four of ours.", tagged),
    ResourceRule("logs-forget", "Log groups have a retention.", logs_kept),
    StackRule("own-log-group", "Each function has a log group of its own.", own_log_group),
    StackRule("bounded-concurrency", "Functions cannot starve each other.", bounded),
)
