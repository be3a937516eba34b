"""The proofs: everything folded again and every key compared, before each step and every so often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migration.guardrails.limits import PROOFS, Guard
from migration.guardrails.proofs import fold_equality, rank_agreement, unexplained
from migration.model.errors import CutoverError
from migration.model.guardrails import GuardrailVerdict, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from migration.compare.diff.report import DiffReport
    from migration.compare.verify.verification import VerifyReport
    from migration.guardrails.limits import Limits
    from migration.model.clock import Clock
    from migration.model.state import State


@dataclass(frozen=True, slots=True)
class ProofGuardrails:
    """One migration's proofs.

    Attributes:
        verify: makes a verification.
        compare: makes a diff of the global board.
        limits: the plan's.
        clock: the time.
    """

    verify: Callable[[], VerifyReport]
    compare: Callable[[], DiffReport]
    limits: Limits
    clock: Clock

    def look(self, state: State) -> Sequence[GuardrailVerdict]:
        """Prove what the state asks for; one verification serves both of its verdicts."""
        asked = [guard for guard in PROOFS if self.limits.looks_at(guard, state.stage)]
        verdicts = self._verified([one for one in asked if one is not Guard.RANK_AGREEMENT], state)
        return [*verdicts, *(self._ranked(one) for one in asked if one is Guard.RANK_AGREEMENT)]

    def _verified(self, asked: Sequence[Guard], state: State) -> list[GuardrailVerdict]:
        if not asked:
            return []
        try:
            report = self.verify()
        except CutoverError as error:
            return [self._error(one, error) for one in asked]
        verdicts = {
            Guard.FOLD_EQUALITY: fold_equality(report, state.stage, self.limits),
            Guard.UNEXPLAINED: unexplained(report, self.limits),
        }
        return [verdicts[one] for one in asked]

    def _ranked(self, guard: Guard) -> GuardrailVerdict:
        at = self.clock.now()
        try:
            return rank_agreement(self.compare(), self.limits, at)
        except CutoverError as error:
            return self._error(guard, error)

    def _error(self, guard: Guard, error: CutoverError) -> GuardrailVerdict:
        return self.limits.verdict(guard, Outcome.ERROR, str(error), self.clock.now())
