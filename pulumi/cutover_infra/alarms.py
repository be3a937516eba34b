"""Alarms: what a person must hear of. One for each way in which activities stop flowing or get stuck."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi_aws as aws

from cutover_infra.component import Component
from cutover_infra.metrics import Metric, counted_by, of_function, of_pipe, of_queue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pulumi

    from cutover_infra.alarm_topic import AlarmTopic
    from cutover_infra.bulk import Bulk
    from cutover_infra.comparator import Comparator
    from cutover_infra.component import Deployment
    from cutover_infra.entry import Entry
    from cutover_infra.functions import Function
    from cutover_infra.legacy import Legacy
    from cutover_infra.mirror import Mirror
    from cutover_infra.pipeline import Pipeline
    from cutover_infra.watchdog import Watchdog


@dataclass(frozen=True, kw_only=True)
class Condition:
    """When a person is told, and what.

    Attributes:
        thing: the alarm's name after `cutover-<stack>-`.
        says: what has happened and what to do.
        metric: what is measured each minute.
        over: the alarm rings above it; below it where `missing_is_bad`.
        minutes: how many of the last `of` minutes must be bad.
        of: the window, in minutes.
        missing_is_bad: whether silence is the fault.
    """

    thing: str
    says: str
    metric: Metric
    over: float = 0
    minutes: int = 1
    of: int = 1
    missing_is_bad: bool = False


class Alarms(Component):
    """The alarms of one part."""

    def __init__(
        self,
        side: str,
        deployment: Deployment,
        owner: Component,
        conditions: Iterable[Condition],
        topic: AlarmTopic | None,
    ) -> None:
        """Make an alarm for each condition, all of which tell the same topic, if any."""
        super().__init__("observability:Alarms", side, deployment, owner, cost_center=f"{side}-observability")
        for condition in conditions:
            self._make_alarm(deployment, condition, [topic.topic.arn] if topic else None)
        self.register_outputs({})

    def _make_alarm(
        self, deployment: Deployment, condition: Condition, told: list[pulumi.Input[str]] | None
    ) -> None:
        metric = condition.metric
        silence = condition.missing_is_bad
        aws.cloudwatch.MetricAlarm(
            condition.thing,
            name=deployment.name(condition.thing),
            alarm_description=condition.says,
            namespace=metric.namespace,
            metric_name=metric.name,
            dimensions=metric.dimensions,
            statistic=metric.statistic,
            period=60,
            comparison_operator="LessThanThreshold" if silence else "GreaterThanThreshold",
            threshold=condition.over,
            datapoints_to_alarm=condition.minutes,
            evaluation_periods=condition.of,
            treat_missing_data="breaching" if silence else "notBreaching",
            alarm_actions=told,
            ok_actions=told,
            opts=self.child(),
        )


def comparator_conditions(comparator: Comparator, deployment: Deployment) -> Iterator[Condition]:
    """List what comparisons can find, and what can keep them from being made."""
    yield from _conditions_of_functions([comparator.function])
    yield _dead_letters(
        deployment,
        "comparator-schedule-dlq",
        "comparisons could not be started, so hours of them are missing",
    )
    yield Condition(
        thing="comparator-unexplained",
        says="Boards differ, and no named events say why. Do not move on; run cutover shadow report.",
        metric=counted_by(comparator.function.thing, "ComparedUnexplained"),
        minutes=3,
        of=5,
    )


def entry_conditions(entry: Entry) -> Iterator[Condition]:
    """List what can go wrong where clients come in."""
    yield from _conditions_of_functions(entry.functions)
    yield _failures("entry", entry.front.failures)


def migration_conditions(
    mirror: Mirror, watchdog: Watchdog, entry: Entry, deployment: Deployment
) -> Iterator[Condition]:
    """List what can part the two sides, or leave them unwatched."""
    yield from _conditions_of_functions([mirror.function, watchdog.function])
    yield Condition(
        thing="watchdog-rolled-back",
        says="The watchdog rolled the migration back; the journal says why. Nothing is lost.",
        metric=counted_by(watchdog.function.thing, "RolledBack"),
    )
    yield Condition(
        thing="watchdog-missing",
        says="The watchdog did not run for three minutes; nobody rolls back but a running `cutover run`.",
        metric=of_function(watchdog.function.name, "Invocations"),
        over=1,
        minutes=3,
        of=3,
        missing_is_bad=True,
    )
    yield _dead_letters(deployment, "watchdog-schedule-dlq", "the watchdog could not be started")
    yield Condition(
        thing="door-missed",
        says="The front door's forward mirror missed activities; clients noticed nothing. Run reconcile.",
        metric=counted_by(entry.ingest.thing, "MirrorMissed"),
    )
    yield _dead_letters(
        deployment, "mirror-dlq", "facts were not applied to legacy; redrive them once the cause is gone"
    )
    yield _dead_letters(
        deployment, "mirror-pipe-dlq", "facts did not reach the reverse mirror; reconcile finds them again"
    )
    yield _lag(deployment, "mirror", "The reverse mirror lags: legacy misses what the pipeline accepted")
    yield _pipe_failures(deployment, "mirror", "the reverse mirror")


def bulk_conditions(bulk: Bulk) -> Iterator[Condition]:
    """List what can go wrong while functions copy history."""
    yield from _conditions_of_functions([bulk.worker])


def legacy_conditions(legacy: Legacy, deployment: Deployment) -> Iterator[Condition]:
    """List what can go wrong with legacy."""
    yield from _conditions_of_functions(legacy.functions)
    yield _dead_letters(deployment, "legacy-rebuild-schedule-dlq", "rebuilds could not be started")


def pipeline_conditions(pipeline: Pipeline, deployment: Deployment) -> Iterator[Condition]:
    """List what can go wrong with the pipeline."""
    settings = deployment.settings
    yield from _conditions_of_functions(pipeline.functions)
    yield _dead_letters(
        deployment, "activities-dlq", "facts were not folded; redrive them once the cause is gone"
    )
    yield _dead_letters(
        deployment, "capture-dlq", "facts did not reach the queue; reconcile finds them again"
    )
    yield _dead_letters(deployment, "snapshot-schedule-dlq", "snapshots could not be started")
    yield _failures("pipeline", pipeline.front.failures)
    yield _lag(deployment, "activities", "Folding lags")
    yield _pipe_failures(deployment, "capture", "aggregate")
    minutes = max(3, 3 * settings.snapshot_minutes)
    yield Condition(
        thing="snapshot-missing",
        says="No snapshot was taken in the time of three; boards go stale.",
        metric=of_function(deployment.name("snapshot"), "Invocations"),
        over=1,
        minutes=minutes,
        of=minutes,
        missing_is_bad=True,
    )


def _lag(deployment: Deployment, queue: str, what: str) -> Condition:
    return Condition(
        thing=f"{queue}-age",
        says=f"{what}. The oldest message in the queue is older than a board may be before it is stale.",
        metric=of_queue(deployment.name(queue), "ApproximateAgeOfOldestMessage"),
        over=deployment.settings.stale_after_s,
        minutes=3,
        of=3,
    )


def _pipe_failures(deployment: Deployment, pipe: str, consumer: str) -> Condition:
    return Condition(
        thing=f"{pipe}-failures",
        says=f"The pipe fails to deliver facts to the queue of {consumer}; it retries for 23 hours.",
        metric=of_pipe(deployment.name(pipe), "ExecutionFailed"),
        minutes=2,
        of=5,
    )


def _conditions_of_functions(functions: Sequence[Function]) -> Iterator[Condition]:
    for function in functions:
        yield Condition(
            thing=f"{function.thing}-errors",
            says=f"The function {function.name} fails; its log group has the reasons.",
            metric=of_function(function.name, "Errors"),
            minutes=2,
            of=5,
        )
        yield Condition(
            thing=f"{function.thing}-throttles",
            says=f"The function {function.name} is throttled; raise its concurrency or the account's.",
            metric=of_function(function.name, "Throttles"),
            minutes=2,
            of=5,
        )


def _dead_letters(deployment: Deployment, queue: str, what: str) -> Condition:
    return Condition(
        thing=f"{queue}-depth",
        says=f"The dead-letter queue {deployment.name(queue)} is not empty: {what}.",
        metric=of_queue(deployment.name(queue), "ApproximateNumberOfMessagesVisible"),
    )


def _failures(side: str, metric: Metric) -> Condition:
    return Condition(
        thing=f"{side}-5xx",
        says=f"Clients of {side} are answered with a 5xx status.",
        metric=metric,
        minutes=2,
        of=5,
    )
