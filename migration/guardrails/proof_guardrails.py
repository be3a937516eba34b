"""The proofs: everything folded again and every key compared, before each step and every so often.

    boards ─► all tables, once ─► verification ─► diff of the global board, of what the verification has read

The boards come first, so whatever they count is among what is read after them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migration.compare.diff.diff import explain
from migration.guardrails.limits import PROOFS, Guard
from migration.guardrails.proofs import fold_equality, rank_agreement, unexplained
from migration.model.errors import CutoverError
from migration.model.guardrails import GuardrailVerdict, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from migration.compare.diff.diff import BoardsRead, Question
    from migration.compare.store import SideStore
    from migration.compare.verify.verify import Verification
    from migration.guardrails.limits import Limits
    from migration.model.clock import Clock
    from migration.model.state import State


@dataclass(frozen=True, slots=True)
class ProofGuardrails:
    """One migration's proofs.

    Attributes:
        verification: opens one; its store is gone afterwards.
        boards: reads the boards that are compared.
        question: what is asked about them.
        limits: the plan's.
        clock: the time.
    """

    verification: Callable[[], AbstractContextManager[Verification]]
    boards: Callable[[], BoardsRead]
    question: Question
    limits: Limits
    clock: Clock

    def look(self, state: State) -> Sequence[GuardrailVerdict]:
        """Prove what the state asks for, with one reading of the tables."""
        asked = [guard for guard in PROOFS if self.limits.looks_at(guard, state.stage)]
        if not asked:
            return []
        try:
            with self.verification() as verification:
                return list(self._proved(asked, verification, state))
        except CutoverError as error:
            return [self._error(one, error) for one in asked]

    def _proved(
        self, asked: Sequence[Guard], verification: Verification, state: State
    ) -> Iterator[GuardrailVerdict]:
        at = self.clock.now()
        boards = self._boards() if Guard.RANK_AGREEMENT in asked else None
        report = verification.run()
        for guard in asked:
            if boards is not None and guard is Guard.RANK_AGREEMENT:
                yield self._ranked(boards, verification.store, at)
            elif guard is Guard.UNEXPLAINED:
                yield unexplained(report, self.limits)
            else:
                yield fold_equality(report, state.stage, self.limits)

    def _boards(self) -> BoardsRead | CutoverError:
        """Read the boards; where that fails, the other proofs do not fail with it."""
        try:
            return self.boards()
        except CutoverError as error:
            return error

    def _ranked(self, boards: BoardsRead | CutoverError, store: SideStore, at: float) -> GuardrailVerdict:
        if isinstance(boards, CutoverError):
            return self._error(Guard.RANK_AGREEMENT, boards)
        try:
            return rank_agreement(explain(self.question, boards, store.line_up()), self.limits, at)
        except CutoverError as error:
            return self._error(Guard.RANK_AGREEMENT, error)

    def _error(self, guard: Guard, error: CutoverError) -> GuardrailVerdict:
        return self.limits.verdict(guard, Outcome.ERROR, str(error), self.clock.now())
