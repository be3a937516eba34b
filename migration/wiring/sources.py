"""Both sides of a stack, as everything that compares them reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migration.aws.tables.both_sides import READERS, StackSides
from migration.aws.tables.legacy_side import LegacyNames, LegacySide
from migration.aws.tables.side_tables import PipelineTables
from migration.aws.transport.clients import translated
from migration.aws.transport.raw_dynamodb import beside
from migration.aws.transport.scan import MOST_CONNECTIONS, ReadPace
from migration.model.errors import UsageError

if TYPE_CHECKING:
    from migration.aws.transport.clients import Clients
    from migration.model.clock import Clock
    from migration.model.legacy.layout import LegacyPlan
    from migration.plan.outputs import LegacyOutputs, StackOutputs

SEGMENTS: Final = 4


def both_sides(
    clients: Clients, outputs: StackOutputs, plan: LegacyPlan | None, pace: ReadPace, segments: int
) -> StackSides:
    """Get at both sides' tables; without a plan, at the pipeline's only.

    Raises:
        UsageError: when there is no pipeline.
    """
    if outputs.pipeline is None:
        raise UsageError(
            f"phase {outputs.phase} has no pipeline to verify",
            hint="deploy it",
            next_command=outputs.deploying("expand"),
        )
    pipeline = PipelineTables(clients.dynamodb, clients.sqs, outputs.pipeline)
    with translated("looking for credentials"):
        raw = beside(clients.dynamodb, MOST_CONNECTIONS + READERS, pace.clock)
    names = None if plan is None else legacy_names(plan, outputs.legacy)
    legacy = LegacySide(clients.dynamodb, raw, plan, names, pace) if plan and names else None
    return StackSides(raw, pipeline, legacy, pace, segments)


def diff_sides(clients: Clients, outputs: StackOutputs, plan: LegacyPlan, clock: Clock) -> StackSides:
    """Get at both sides' tables where there are both.

    Raises:
        UsageError: when there is one side only.
    """
    if outputs.legacy is None or outputs.pipeline is None:
        raise outputs.one_sided("compare")
    return both_sides(clients, outputs, plan, ReadPace(None, clock), SEGMENTS)


def legacy_names(plan: LegacyPlan, outputs: LegacyOutputs | None) -> LegacyNames | None:
    """Name legacy's tables; None when neither the plan nor the stack has them all."""
    if outputs is not None:
        named = outputs.as_planned(plan)
        rows = (named.employee_progress_table, named.program_progress_table)
        return LegacyNames(named.events_table, *rows, named.leaderboard_table)
    events, employees, programs = (
        one.table for one in (plan.events, plan.employee_progress, plan.program_progress)
    )
    if events and employees and programs:
        return LegacyNames(events, employees, programs, plan.leaderboard.table)
    return None
