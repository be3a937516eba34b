"""The proofs: `fold_equality` and `unexplained` from a verification, `rank_agreement` from a diff.

Everything is folded again and every key compared on both sides, before each step and every so often. So they
are as old as they took; a verdict says when its evidence was read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Final, TypeVar

from migration.compare.reasons import Judgement
from migration.guardrails.guardrail import MIRRORING, SERVING, Assessment, Guardrail, limit
from migration.model.cause import Cause
from migration.model.errors import CutoverError, InconclusiveError
from migration.model.guardrails import Outcome
from migration.model.stages import Stage
from migration.model.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from migration.compare.diff.diff import BoardsRead
    from migration.compare.diff.report import DiffReport
    from migration.compare.store import LinedUp, SideStore
    from migration.compare.verify.verification import VerifyReport
    from migration.compare.verify.verify import Verification
    from migration.model.clock import Clock
    from migration.model.state import State

# What a backfill that is not through leaves; in stage `dualwrite` that is no failure, but no pass either.
_HISTORY: Final = frozenset({Cause.MIRROR_MISSED, Cause.NOT_MIRRORED_BACK, Cause.HISTORY_NOT_INSTALLED})
PERSISTENCE: Final = 0.9  # of rank-biased overlap: it looks at the top ten most
PAIR: Final = "pipeline, truth"
BESIDE: Final = "legacy, pipeline"
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Proved:
    """What one reading came to; an error stands where it could not be made, and is not tried again.

    Attributes:
        at: when the reading began, epoch seconds.
        report: of the verification.
        diff: of the boards.
    """

    at: float
    report: VerifyReport | CutoverError
    diff: DiffReport | CutoverError


@dataclass(frozen=True)
class ProofLook:
    """One look at both sides; every table is read once in it.

        boards ─► all tables ─► verification ─► diff of the boards, of what the verification has read

    The boards come first, so whatever they count is among what is read after them.

    Attributes:
        verification: opens one; its store is gone afterwards.
        boards: reads the boards that are compared.
        explain: compares them with what was read after them.
        state: the migration's, as the look began.
        clock: the time.
    """

    verification: Callable[[], AbstractContextManager[Verification]]
    boards: Callable[[], BoardsRead]
    explain: Callable[[BoardsRead, LinedUp], DiffReport]
    state: State
    clock: Clock

    @property
    def now(self) -> float:
        """The time, epoch seconds."""
        return self.clock.now()

    @property
    def report(self) -> VerifyReport:
        """What was verified.

        Raises:
            CutoverError: when it could not be made; it is not tried again.
        """
        return _given(self._proved.report)

    @property
    def diff(self) -> DiffReport:
        """What the boards are beside the truth; without boards in the stage, nothing is read for it.

        Raises:
            CutoverError: when it could not be made.
        """
        return _given(self._proved.diff)

    @property
    def read_at(self) -> float:
        """When the reading began, epoch seconds."""
        return self._proved.at

    @cached_property
    def _proved(self) -> Proved:
        at, boards = self.now, self._read_boards()
        try:
            with self.verification() as verification:
                return Proved(at, verification.run(), self._compared(boards, verification.store))
        except CutoverError as error:
            return Proved(at, error, error)

    def _read_boards(self) -> BoardsRead | CutoverError:
        """Read the boards; where that fails, the other proofs do not fail with it."""
        if self.state.stage not in RankAgreement.stages:
            return InconclusiveError("no board is compared in this stage", hint="")
        try:
            return self.boards()
        except CutoverError as error:
            return error

    def _compared(self, boards: BoardsRead | CutoverError, store: SideStore) -> DiffReport | CutoverError:
        if isinstance(boards, CutoverError):
            return boards
        try:
            return self.explain(boards, store.line_up())
        except CutoverError as error:
            return error


def _given(result: _Result | CutoverError) -> _Result:
    if isinstance(result, CutoverError):
        raise result
    return result


@dataclass(slots=True)
class FoldEquality(Guardrail[ProofLook]):
    """Every aggregate is the fold of the facts, and both sides hold the same activities."""

    name: ClassVar = "fold_equality"
    stages: ClassVar = MIRRORING

    def _assess(self, look: ProofLook) -> Assessment:
        report = look.report
        counts = {
            kind: count
            for kind, count in report.counts.items()
            if kind.fails and kind is not Cause.UNEXPLAINED and count
        }
        compared = sum(one.compared for one in report.keys)
        named = counted(sorted(counts.items()))
        why = f"{compared:,} keys compared as of {_age(report)}: {named or 'all equal'}"
        if report.undecided:
            why += f"; {len(report.undecided):,} moved too fast to be judged"
        history = look.state.stage is Stage.DUALWRITE and set(counts) <= _HISTORY
        if counts and not history:
            return Assessment(Outcome.FAIL, why, report.as_of)
        if counts:
            why += "; a backfill is not through"
        # Before `live` both sides may be empty still; then doors and pulses have stored something.
        unseen = not compared and look.state.stage in SERVING
        if unseen:
            why = "no key was compared: neither side has any"
        outcome = Outcome.INCONCLUSIVE if counts or report.undecided or unseen else Outcome.PASS
        return Assessment(outcome, why, report.as_of)


@dataclass(slots=True)
class Unexplained(Guardrail[ProofLook]):
    """Named events account for every difference."""

    name: ClassVar = "unexplained"
    stages: ClassVar = MIRRORING

    def _assess(self, look: ProofLook) -> Assessment:
        report = look.report
        count = report.counts[Cause.UNEXPLAINED]
        why = f"{count:,} differences that no named events account for"
        if report.skipped:
            why += f", and {report.skipped:,} employees that differ and were not looked at"
        outcome = Outcome.FAIL if count or report.skipped else Outcome.PASS
        return Assessment(outcome, f"{why}; the limit is 0", report.as_of)


@dataclass(slots=True)
class RankAgreement(Guardrail[ProofLook]):
    """The pipeline's global board ranks as the truth does, and who differs is explained.

    A snapshot is as old as it is: what came since moves places, and each such place is explained. A board
    that has little to do with the truth any more says nothing, though all of it is explained.
    """

    name: ClassVar = "rank_agreement"
    stages: ClassVar = MIRRORING - {Stage.DUALWRITE}
    rank_biased: float = limit(0.5, "Rank-biased overlap with the truth, at least", ge=0, le=1)

    def _assess(self, look: ProofLook) -> Assessment:
        board, at = look.diff.boards[0], look.read_at
        if board.pipeline_made_at is None:
            return Assessment(Outcome.INCONCLUSIVE, "there is no snapshot yet", at)
        overlap, legacy = board.agreements[PAIR].rank_biased, board.agreements[BESIDE].rank_biased
        bad = sum(line.judgement in (Judgement.TO_REPAIR, Judgement.UNEXPLAINED) for line in board.lines)
        why = (
            f"rank-biased overlap of the pipeline's board with the truth {overlap:.4f}, "
            f"the least is {self.rank_biased:g} (with legacy's board {legacy:.4f}); "
            f"{bad:,} of {len(board.lines):,} places differ without an explanation"
        )
        if bad:
            return Assessment(Outcome.FAIL, why, at)
        return Assessment(Outcome.INCONCLUSIVE if overlap < self.rank_biased else Outcome.PASS, why, at)


def _age(report: VerifyReport) -> str:
    return f"{report.finished_at - report.as_of:.0f} s before the end of the reading"


GUARDRAILS: Final = (FoldEquality, Unexplained, RankAgreement)
