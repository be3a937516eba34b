"""The proofs: `fold_equality` and `unexplained` from a verification, `rank_agreement` from a diff.

They read every key on both sides, so they are as old as they took; a verdict says when its evidence was read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migration.compare.reasons import Judgement
from migration.guardrails.limits import Guard
from migration.model.cause import Cause
from migration.model.guardrails import Outcome
from migration.model.stages import Stage

if TYPE_CHECKING:
    from migration.compare.diff.report import DiffReport
    from migration.compare.verify.verification import VerifyReport
    from migration.guardrails.limits import Limits
    from migration.model.guardrails import GuardrailVerdict

# What a backfill that is not through leaves; in stage `dualwrite` that is no failure, but no pass either.
_HISTORY: Final = frozenset({Cause.MIRROR_MISSED, Cause.NOT_MIRRORED_BACK, Cause.HISTORY_NOT_INSTALLED})
PERSISTENCE: Final = 0.9  # of rank-biased overlap: it looks at the top ten most
PAIR: Final = "pipeline, truth"
BESIDE: Final = "legacy, pipeline"


def fold_equality(report: VerifyReport, stage: Stage, limits: Limits) -> GuardrailVerdict:
    """Judge whether every aggregate is the fold of the facts, and both sides hold the same activities."""
    counts = {
        kind: count
        for kind, count in report.counts.items()
        if kind.fails and kind is not Cause.UNEXPLAINED and count
    }
    compared = sum(one.compared for one in report.keys)
    named = ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in sorted(counts.items()))
    why = f"{compared:,} keys compared as of {_age(report)}: {named or 'all equal'}"
    if report.undecided:
        why += f"; {len(report.undecided):,} moved too fast to be judged"
    history = stage is Stage.DUALWRITE and set(counts) <= _HISTORY
    if counts and not history:
        return limits.verdict(Guard.FOLD_EQUALITY, Outcome.FAIL, why, report.as_of)
    if counts:
        why += "; a backfill is not through"
    open_ends = counts or report.undecided
    outcome = Outcome.INCONCLUSIVE if open_ends else Outcome.PASS
    return limits.verdict(Guard.FOLD_EQUALITY, outcome, why, report.as_of)


def unexplained(report: VerifyReport, limits: Limits) -> GuardrailVerdict:
    """Judge whether named events account for every difference."""
    count = report.counts[Cause.UNEXPLAINED]
    why = f"{count:,} differences that no named events account for"
    if report.skipped:
        why += f", and {report.skipped:,} employees that differ and were not looked at"
    outcome = Outcome.FAIL if count or report.skipped else Outcome.PASS
    return limits.verdict(Guard.UNEXPLAINED, outcome, f"{why}; the limit is 0", report.as_of)


def rank_agreement(report: DiffReport, limits: Limits, at: float) -> GuardrailVerdict:
    """Judge whether the pipeline's global board ranks as the truth does, and who differs is explained.

    A snapshot is as old as it is: what came since moves places, and each such place is explained. A board
    that has little to do with the truth any more says nothing, though all of it is explained.
    """
    board = report.boards[0]
    if board.pipeline_made_at is None:
        return limits.verdict(Guard.RANK_AGREEMENT, Outcome.INCONCLUSIVE, "there is no snapshot yet", at)
    overlap, legacy = board.agreements[PAIR].rank_biased, board.agreements[BESIDE].rank_biased
    bad = sum(line.judgement in (Judgement.TO_REPAIR, Judgement.UNEXPLAINED) for line in board.lines)
    why = (
        f"rank-biased overlap of the pipeline's board with the truth {overlap:.4f}, the least is "
        f"{limits.rank_biased:g} (with legacy's board {legacy:.4f}); {bad:,} of {len(board.lines):,} places "
        "differ without an explanation"
    )
    if bad:
        return limits.verdict(Guard.RANK_AGREEMENT, Outcome.FAIL, why, at)
    outcome = Outcome.INCONCLUSIVE if overlap < limits.rank_biased else Outcome.PASS
    return limits.verdict(Guard.RANK_AGREEMENT, outcome, why, at)


def _age(report: VerifyReport) -> str:
    return f"{report.finished_at - report.as_of:.0f} s before the end of the reading"
