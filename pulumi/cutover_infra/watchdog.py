"""Watchdog: the scheduled function that rolls a breached migration back while nobody's terminal is alive.

It reads evidence and writes the control table's state and journal; it reaches no other data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pulumi

from cutover_infra.access import allow
from cutover_infra.component import Component
from cutover_infra.functions import Function, FunctionArgs, Handler
from cutover_infra.schedules import Schedule

if TYPE_CHECKING:
    from cutover_infra.access import Statement
    from cutover_infra.alarm_topic import AlarmTopic
    from cutover_infra.component import Deployment
    from cutover_infra.control import Control
    from cutover_infra.mirror import Mirror
    from cutover_infra.pipeline import Pipeline

EVERY_MINUTES: Final = 1


@dataclass(frozen=True)
class Evidence:
    """What the guardrails are read from."""

    control: Control
    pipeline: Pipeline
    mirror: Mirror


class Watchdog(Component):
    """The function `watchdog` and its schedule."""

    def __init__(
        self,
        deployment: Deployment,
        outputs: pulumi.Output[str],
        evidence: Evidence,
        topic: AlarmTopic | None,
    ) -> None:
        """Make the function, which finds its way by the stack's outputs, and its schedule."""
        super().__init__("migration:Watchdog", "watchdog", deployment, cost_center="watchdog")
        settings = deployment.settings
        self._deployment = deployment
        handler = Handler(
            path="migration.functions.watchdog.handler",
            powertools=True,
            environment={
                "STACK_OUTPUTS": outputs,
                "MIGRATION": settings.migration,
                "GUARDRAILS": settings.guardrails,
                "HOOKS": settings.hooks,
                "WATCH_LOOKS": str(settings.watchdog_looks),
                "WATCH_INTERVAL_S": str(settings.watchdog_interval_s),
                "WATCH_GRACE_S": str(settings.watchdog_grace_s),
            },
            access=[*self._sees(evidence), *self._acts(evidence.control), *self._tells(topic)],
        )
        self.function = Function(
            "watchdog",
            deployment,
            self,
            FunctionArgs(
                handler=handler,
                code=deployment.watchdog_code,
                timeout_s=settings.watchdog_timeout_s,
                memory_mb=settings.memory_mb,
                reserved_concurrency=settings.job_reserved_concurrency,
            ),
        )
        self.schedule = Schedule("watchdog", deployment, self, self.function, EVERY_MINUTES)
        self.register_outputs({"function": self.function.function.name})

    def _sees(self, evidence: Evidence) -> list[Statement]:
        pipeline, mirror = evidence.pipeline, evidence.mirror.pipe
        capture = pipeline.capture
        queues = [
            capture.queue,
            capture.dead_letters,
            capture.pipe_dead_letters,
            mirror.queue,
            mirror.dead_letters,
            mirror.pipe_dead_letters,
        ]
        newest = [pipeline.snapshot.table, pipeline.aggregate.programs]
        named = [pipeline.facts.table, pipeline.aggregate.dedup]
        return [
            allow(["sqs:GetQueueAttributes"], [queue.arn for queue in queues]),
            allow(["dynamodb:GetItem"], [table.arn for table in newest]),
            allow(["dynamodb:BatchGetItem"], [table.arn for table in named]),
        ]

    def _acts(self, control: Control) -> list[Statement]:
        """One migration's records, of which it only adds and replaces, and what its doors counted."""
        ours = self._deployment.settings.migration
        return [
            allow(["dynamodb:GetItem", "dynamodb:PutItem"], [control.table.arn], _leading(ours)),
            allow(["dynamodb:Query"], [control.table.arn], _leading(ours, f"{ours}#door")),
        ]

    def _tells(self, topic: AlarmTopic | None) -> list[Statement]:
        where = self._deployment
        bus = pulumi.Output.concat(
            "arn:aws:events:", where.region, ":", where.account_id, ":event-bus/default"
        )
        told = [allow(["sns:Publish"], [topic.topic.arn])] if topic else []
        return [allow(["events:PutEvents"], [bus]), *told]


def _leading(*keys: str) -> dict[str, dict[str, list[str]]]:
    return {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": list(keys)}}
