"""Both sides of a stack, as a verification and a diff read them; the commands read them the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migration.aws.tables.both_sides import StackSides
from migration.aws.tables.side_tables import PipelineTables
from migration.aws.tables.verify_legacy import LegacyNames, LegacyReader
from migration.aws.tables.verify_tables import READERS, VerifyTables
from migration.aws.transport.clients import translated
from migration.aws.transport.raw_dynamodb import beside
from migration.aws.transport.scan import MOST_CONNECTIONS
from migration.model.errors import UsageError

if TYPE_CHECKING:
    from migration.aws.transport.clients import Clients
    from migration.aws.transport.scan import ReadPace
    from migration.model.clock import Clock
    from migration.model.layout import LegacyPlan
    from migration.plan.outputs import LegacyOutputs, StackOutputs

CONNECTIONS: Final = 8


def verify_source(
    clients: Clients, outputs: StackOutputs, plan: LegacyPlan | None, pace: ReadPace, segments: int
) -> VerifyTables:
    """Get at what a verification reads; without a plan, at the pipeline's tables only.

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
    names = None if plan is None else _legacy_names(plan, outputs.legacy)
    if plan is None or names is None:
        return VerifyTables(raw, pipeline, None, pace, segments)
    return VerifyTables(raw, pipeline, LegacyReader(clients.dynamodb, raw, plan, names, pace), pace, segments)


def diff_sides(clients: Clients, outputs: StackOutputs, plan: LegacyPlan, clock: Clock) -> StackSides:
    """Get at what a diff reads.

    Raises:
        UsageError: when there is one side only.
    """
    if outputs.legacy is None or outputs.pipeline is None:
        raise outputs.one_sided("compare")
    tables = PipelineTables(clients.dynamodb, clients.sqs, outputs.pipeline)
    source = beside(clients.dynamodb, CONNECTIONS, clock)
    return StackSides(source, tables, outputs.legacy, outputs.pipeline, plan, clock)


def _legacy_names(plan: LegacyPlan, outputs: LegacyOutputs | None) -> LegacyNames | None:
    """Name legacy's tables; None when neither the plan nor the stack has them all."""
    names = (
        plan.events.table or (outputs and outputs.events_table),
        plan.employee_progress.table or (outputs and outputs.employee_progress_table),
        plan.program_progress.table or (outputs and outputs.program_progress_table),
    )
    events, employees, programs = names
    return LegacyNames(events, employees, programs) if events and employees and programs else None
