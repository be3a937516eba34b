"""Comparator: the scheduled function that takes down both sides' boards against each other and the truth.

It is there while there are two sides, and acts only where the stage says so. It never sits in a request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cutover_infra.access import allow
from cutover_infra.component import Component
from cutover_infra.functions import Function, FunctionArgs, Handler
from cutover_infra.schedules import Schedule

if TYPE_CHECKING:
    from cutover_infra.access import Statement
    from cutover_infra.component import Deployment
    from cutover_infra.control import Control
    from cutover_infra.legacy import Legacy
    from cutover_infra.pipeline import Pipeline

MINUTES: Final = 1


class Comparator(Component):
    """The function `comparator` and its schedule."""

    def __init__(self, deployment: Deployment, legacy: Legacy, pipeline: Pipeline, control: Control) -> None:
        """Make the function and its schedule."""
        super().__init__("migration:Comparator", "comparator", deployment, cost_center="comparator")
        settings, handler = deployment.settings, _handler(deployment, legacy, pipeline, control)
        code, memory_mb = deployment.comparator_code, settings.aggregate_memory_mb
        args = FunctionArgs.scheduled(settings, handler, code, memory_mb)
        self.function = Function("comparator", deployment, self, args)
        self.schedule = Schedule("comparator", deployment, self, self.function, MINUTES)
        self.register_outputs({"function": self.function.function.name})


def _handler(deployment: Deployment, legacy: Legacy, pipeline: Pipeline, control: Control) -> Handler:
    settings = deployment.settings
    serving = (legacy.handlers.serve, pipeline.handlers.serve)
    return Handler(
        path="migration.functions.comparator.handler",
        powertools=True,
        environment={
            **serving[0].environment,
            **serving[1].environment,
            "LEGACY_HANDLER": serving[0].path,
            "PIPELINE_HANDLER": serving[1].path,
            "LEGACY_EVENTS_TABLE": legacy.events.name,
            "LEGACY_EMPLOYEE_PROGRESS_TABLE": legacy.employees.name,
            "LEGACY_SHAPE": settings.legacy_shape,
            "FACTS_TABLE": pipeline.facts.table.name,
            "EMPLOYEE_PROGRESS_TABLE": pipeline.aggregate.employees.name,
            "PROGRAM_PROGRESS_TABLE": pipeline.aggregate.programs.name,
            "QUEUE_URL": pipeline.capture.queue.url,
            "BOARD_SIZE": str(settings.board_size),
            "CONTROL_TABLE": control.table.name,
            "MIGRATION": settings.migration,
        },
        access=_access(deployment, legacy, pipeline, control),
    )


def _access(deployment: Deployment, legacy: Legacy, pipeline: Pipeline, control: Control) -> list[Statement]:
    read_by_employee = (
        legacy.employees,
        legacy.events,
        pipeline.aggregate.employees,
        pipeline.facts.table,
    )
    boards = (legacy.leaderboard, pipeline.snapshot.table, pipeline.aggregate.programs)
    only_ours = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [deployment.settings.migration]}}
    return [
        allow(["dynamodb:Query"], [table.arn for table in read_by_employee]),
        allow(["dynamodb:GetItem"], [table.arn for table in boards]),
        allow(["sqs:GetQueueAttributes"], [pipeline.capture.queue.arn]),
        allow(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"], [control.table.arn], only_ours),
    ]
