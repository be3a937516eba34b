"""Snapshot: the scheduled function that publishes every board, and the table of published boards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pulumi

from cutover_infra.access import allow
from cutover_infra.aggregate import INDEX
from cutover_infra.component import Component
from cutover_infra.functions import Function, FunctionArgs, Handler
from cutover_infra.schedules import Schedule
from cutover_infra.tables import Shape, make_table

if TYPE_CHECKING:
    from cutover_infra.access import Statement
    from cutover_infra.aggregate import Aggregate
    from cutover_infra.capture import Capture
    from cutover_infra.component import Deployment
    from cutover_infra.facts import Facts

PULSE: Final = "#pulse"


class Snapshot(Component):
    """The function `snapshot`, its schedule, and the table `snapshots`."""

    def __init__(
        self, deployment: Deployment, owner: Component, facts: Facts, capture: Capture, aggregate: Aggregate
    ) -> None:
        """Make the table, the function and its schedule."""
        super().__init__("pipeline:Snapshot", "snapshot", deployment, owner, cost_center="snapshot")
        settings = deployment.settings
        self.table = make_table(
            self, deployment, "snapshots", Shape(hash_key="board", range_key="version", ttl="expires_at")
        )
        handler = self._handler(deployment, facts, capture, aggregate)
        code, memory_mb = deployment.pipeline_code, settings.aggregate_memory_mb
        args = FunctionArgs.scheduled(settings, handler, code, memory_mb)
        self.function = Function("snapshot", deployment, self, args)
        self.schedule = Schedule("snapshot", deployment, self, self.function, settings.snapshot_minutes)
        self.register_outputs({"function": self.function.function.name, "table": self.table.name})

    def _handler(
        self, deployment: Deployment, facts: Facts, capture: Capture, aggregate: Aggregate
    ) -> Handler:
        settings = deployment.settings
        return Handler(
            path="pipeline.handlers.snapshot.handler",
            powertools=True,
            environment={
                "FACTS_TABLE": facts.table.name,
                "EMPLOYEE_PROGRESS_TABLE": aggregate.employees.name,
                "PROGRAM_PROGRESS_TABLE": aggregate.programs.name,
                "SNAPSHOTS_TABLE": self.table.name,
                "QUEUE_URL": capture.queue.url,
                "BOARD_SHARDS": str(settings.board_shards),
                "BOARD_SIZE": str(settings.board_size),
                "SNAPSHOT_TTL_DAYS": str(settings.snapshot_ttl_days),
            },
            access=self._access(facts, capture, aggregate),
        )

    def _access(self, facts: Facts, capture: Capture, aggregate: Aggregate) -> list[Statement]:
        index = pulumi.Output.concat(aggregate.employees.arn, "/index/", INDEX)
        only_pulses = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [PULSE]}}
        return [
            allow(["dynamodb:Query"], [index]),
            allow(["dynamodb:Scan"], [aggregate.programs.arn]),
            allow(["dynamodb:GetItem", "dynamodb:PutItem"], [self.table.arn]),
            allow(["dynamodb:PutItem"], [facts.table.arn], only_pulses),
            allow(["sqs:GetQueueAttributes"], [capture.queue.arn]),
        ]
