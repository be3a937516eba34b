"""The proofs of a stack: `cutover verify` and `cutover diff` as guardrails. They need DuckDB and a folder."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from migration.aws.bulk.side_store import emptied_store
from migration.aws.transport.scan import ReadPace
from migration.compare.diff.diff import BoardsRead, Question, explain, read_boards
from migration.compare.diff.two_sides import GLOBAL
from migration.compare.verify.confirm import Patience
from migration.compare.verify.verify import Verification
from migration.guardrails.guardrail import GuardrailSet
from migration.guardrails.proofs import PERSISTENCE, ProofLook
from migration.guardrails.registry import PROOFS
from migration.wiring.sources import SEGMENTS, both_sides, diff_sides

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migration.aws.transport.clients import Clients
    from migration.model.clock import Clock
    from migration.model.guardrails import Guardrails
    from migration.plan.outputs import StackOutputs
    from migration.plan.plan import Plan

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

    @contextmanager
    def verification() -> Iterator[Verification]:
        with emptied_store(folder) as store:
            sides = both_sides(clients, outputs, plan.legacy, ReadPace(None, clock), SEGMENTS)
            yield Verification(sides, store, clock, patience=Patience(longest=PATIENCE))

    def boards() -> BoardsRead:
        return read_boards(GLOBAL, diff_sides(clients, outputs, plan.legacy, clock), clock)

    explained = partial(explain, Question(outputs.stack, GLOBAL, DEPTHS, PERSISTENCE))
    chosen = plan.guardrails.chosen(PROOFS)
    return GuardrailSet(chosen, lambda state: ProofLook(verification, boards, explained, state, clock))
