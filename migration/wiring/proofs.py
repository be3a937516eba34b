"""The proofs of a stack: `cutover verify` and `cutover diff` as guardrails. They need DuckDB and a folder."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from migration.aws.bulk.verify_store import DuckDBStore
from migration.aws.transport.scan import ReadPace
from migration.compare.diff.diff import Question, diff
from migration.compare.diff.two_sides import GLOBAL
from migration.compare.verify.confirm import Patience
from migration.compare.verify.verify import Verification
from migration.guardrails.guardrail import GuardrailSet
from migration.guardrails.proofs import PERSISTENCE, ProofLook
from migration.guardrails.registry import PROOFS
from migration.wiring.sources import diff_sides, verify_source

if TYPE_CHECKING:
    from pathlib import Path

    from migration.aws.transport.clients import Clients
    from migration.compare.diff.report import DiffReport
    from migration.compare.verify.verification import VerifyReport
    from migration.model.clock import Clock
    from migration.model.guardrails import Guardrails
    from migration.plan.outputs import StackOutputs
    from migration.plan.plan import Plan

SEGMENTS: Final = 4
MEMORY: Final = "1GB"
PATIENCE: Final = timedelta(seconds=60)
DEPTHS: Final = (10,)


def proof_guardrails(
    clients: Clients, outputs: StackOutputs, plan: Plan, clock: Clock, folder: Path
) -> Guardrails:
    """Put the proofs together.

    Args:
        clients: of AWS.
        outputs: what the stack exports.
        plan: how legacy's tables map, and the limits.
        clock: the time.
        folder: for what a verification reads; a proof leaves nothing there.
    """

    def verify() -> VerifyReport:
        store = DuckDBStore(folder, MEMORY)
        try:
            source = verify_source(clients, outputs, plan.legacy, ReadPace(None, clock), SEGMENTS)
            return Verification(source, store, clock, "a proof", Patience(longest=PATIENCE)).run()
        finally:
            store.close(keep=False)

    def compare() -> DiffReport:
        question = Question(outputs.stack, GLOBAL, DEPTHS, PERSISTENCE)
        return diff(question, diff_sides(clients, outputs, plan.legacy, clock), clock)

    chosen = plan.guardrails.chosen(PROOFS)
    return GuardrailSet(chosen, lambda state: ProofLook(verify, compare, state, clock))
