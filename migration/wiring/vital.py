"""The vital guardrails of a stack, by boto3 and pydantic alone: the watchdog is a small function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migration.aws.stack.stack_vitals import StackVitals
from migration.aws.tables.control_plane_table import ControlPlaneTable
from migration.guardrails.vital_guardrails import VitalGuardrails

if TYPE_CHECKING:
    from migration.aws.transport.clients import Clients
    from migration.guardrails.limits import Limits
    from migration.model.clock import Clock
    from migration.plan.outputs import MigrationOutputs, PipelineOutputs


def vital_guardrails(  # noqa: PLR0913 - a stack and a plan, from wherever they come
    clients: Clients,
    pipeline: PipelineOutputs,
    between: MigrationOutputs,
    *,
    migration: str,
    limits: Limits,
    clock: Clock,
) -> VitalGuardrails:
    """Put the vital guardrails together; keep the set, because its looks remember what they saw.

    Args:
        clients: of AWS.
        pipeline: what the stack exports of it.
        between: what it exports of the migration.
        migration: its name in the control table.
        limits: the plan's, `plan.guardrails.limits`.
        clock: the time.
    """
    evidence = StackVitals(clients.dynamodb, clients.sqs, pipeline, between, migration)
    plane = ControlPlaneTable(clients.dynamodb, between.control_table, migration)
    return VitalGuardrails(evidence, plane, limits, clock)
