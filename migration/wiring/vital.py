"""The vital guardrails of a stack, by boto3 and pydantic alone: the watchdog is a small function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migration.aws.stack.stack_vitals import StackVitals
from migration.guardrails.guardrail import GuardrailSet
from migration.guardrails.registry import VITAL
from migration.guardrails.vital import VitalLook

if TYPE_CHECKING:
    from migration.aws.transport.clients import Clients
    from migration.guardrails.plan import GuardrailsPlan
    from migration.guardrails.registry import VitalEvidence
    from migration.model.clock import Clock
    from migration.model.guardrails import Guardrails
    from migration.plan.outputs import MigrationOutputs, PipelineOutputs


def vital_guardrails(  # noqa: PLR0913 - a stack and a plan, from wherever they come
    clients: Clients,
    pipeline: PipelineOutputs,
    between: MigrationOutputs,
    *,
    migration: str,
    limits: GuardrailsPlan,
    clock: Clock,
) -> Guardrails:
    """Put the vital guardrails together; keep the set, because its looks remember what they saw.

    Args:
        clients: of AWS.
        pipeline: what the stack exports of it.
        between: what it exports of the migration.
        migration: its name in the control table.
        limits: the plan's, `plan.guardrails`.
        clock: the time.
    """
    evidence: VitalEvidence = StackVitals(clients.dynamodb, clients.sqs, pipeline, between, migration)
    return GuardrailSet(limits.chosen(VITAL), lambda state: VitalLook(evidence, state, clock))
