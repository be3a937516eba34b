"""Legacy: the synchronous system that is being left, with its tables, its rebuild and its schedule.

Its handlers for clients run behind the entry, whose URL outlives it. Its flaws are in its code
(legacy/README.md), not here: it is deployed with the same care as the pipeline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cutover_infra.access import allow
from cutover_infra.component import Component
from cutover_infra.functions import Function, FunctionArgs, Handler, Handlers
from cutover_infra.schedules import Schedule
from cutover_infra.tables import Shape, make_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cutover_infra.component import Deployment
    from cutover_infra.exports import Part


class Legacy(Component):
    """The whole of legacy; removing this component removes it and nothing else."""

    def __init__(self, deployment: Deployment) -> None:
        """Make the tables, the function and the schedule."""
        super().__init__("legacy:Legacy", "legacy", deployment, cost_center="legacy")
        self._deployment = deployment
        self.events = make_table(
            self, deployment, "legacy-events", Shape(hash_key="employee_id", range_key="event_id")
        )
        self.programs = make_table(self, deployment, "legacy-program-progress", Shape(hash_key="program_id"))
        self.employees = make_table(
            self,
            deployment,
            "legacy-employee-progress",
            Shape(hash_key="employee_id", range_key="program_id"),
        )
        self.leaderboard = make_table(self, deployment, "legacy-leaderboard", Shape(hash_key="board"))
        self.rebuild = self._make_rebuild()
        self.schedule = Schedule(
            "legacy-rebuild", deployment, self, self.rebuild, deployment.settings.legacy_rebuild_minutes
        )
        self.register_outputs({})

    @property
    def handlers(self) -> Handlers:
        """What answers clients."""
        ingest = Handler(
            path="legacy.ingest.handler",
            powertools=True,
            environment={
                "EVENTS_TABLE": self.events.name,
                "PROGRAM_PROGRESS_TABLE": self.programs.name,
                "EMPLOYEE_PROGRESS_TABLE": self.employees.name,
            },
            access=[
                allow(["dynamodb:PutItem"], [self.events.arn]),
                allow(["dynamodb:UpdateItem"], [self.programs.arn, self.employees.arn]),
            ],
        )
        serve = Handler(
            path="legacy.serve.handler",
            powertools=True,
            environment={"LEADERBOARD_TABLE": self.leaderboard.name},
            access=[allow(["dynamodb:GetItem"], [self.leaderboard.arn])],
        )
        return Handlers(ingest=ingest, serve=serve)

    @property
    def functions(self) -> Sequence[Function]:
        """Legacy's own functions."""
        return (self.rebuild,)

    def outputs(self, entry: Part) -> Part:
        """Say what the stack exports of legacy, which clients reach through the entry."""
        return {
            "ingest_url": entry["ingest_url"],
            "serve_url": entry["serve_url"],
            "ingest_function": entry["ingest_function"],
            "rebuild_function": self.rebuild.function.name,
            "serve_function": entry["serve_function"],
            "events_table": self.events.name,
            "program_progress_table": self.programs.name,
            "employee_progress_table": self.employees.name,
            "leaderboard_table": self.leaderboard.name,
        }

    def _make_rebuild(self) -> Function:
        settings = self._deployment.settings
        handler = Handler(
            path="legacy.rebuild.handler",
            powertools=True,
            environment={
                "PROGRAM_PROGRESS_TABLE": self.programs.name,
                "EMPLOYEE_PROGRESS_TABLE": self.employees.name,
                "LEADERBOARD_TABLE": self.leaderboard.name,
                "BOARD_SIZE": str(settings.board_size),
            },
            access=[
                allow(["dynamodb:Scan"], [self.programs.arn, self.employees.arn]),
                allow(["dynamodb:PutItem"], [self.leaderboard.arn]),
            ],
        )
        args = FunctionArgs.scheduled(settings, handler, self._deployment.legacy_code, settings.memory_mb)
        return Function("legacy-rebuild", self._deployment, self, args)
