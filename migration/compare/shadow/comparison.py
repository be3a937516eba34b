"""One comparison of both sides' boards with each other and with the truth, as it is recorded.

Decides what is kept of a comparison, and how small: the counts are of everything, the differences that are
listed are the worst. It never judges anew; the reasons are compare/boards/reasons.py's.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from migration.compare.boards.windows import EntryChange
from migration.compare.reasons import Judgement, worst
from migration.model.cause import Cause, commonest
from migration.model.stages import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migration.compare.boards.boards import BoardEntry
    from migration.compare.diff.report import BoardDiff, JudgedLine

ACTS_IN: Final = (Stage.SHADOW, Stage.LIVE, Stage.RAMPDOWN)
KEPT: Final = timedelta(days=30)
TOP: Final = 10  # the depth whose overlap is told
LISTED: Final = 40  # differences of one comparison that are listed, the worst first
EVENTS_NAMED: Final = 2
LONGEST_WHY: Final = 400  # characters
PAIRS: Final = ("legacy, pipeline", "legacy, truth", "pipeline, truth")


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """How much two boards agree: overlap of the top, rank-biased overlap, Kendall's tau-b."""

    top: float
    rank_biased: float
    tau: float | None


@dataclass(frozen=True, slots=True)
class BoardPlace:
    """Where somebody stands."""

    rank: int
    points: int


@dataclass(frozen=True, slots=True)
class BoardDifference:
    """One employee who is not the same on a board of both sides.

    Attributes:
        board: `global` or `program#P`.
        change: what became of them between legacy's board and the pipeline's.
        legacy, truth, pipeline: their places; None where a board does not show them.
        judgement: the worst of the reasons.
        why: the reasons, in words.
    """

    board: str
    employee_id: str
    change: EntryChange
    legacy: BoardPlace | None
    truth: BoardPlace | None
    pipeline: BoardPlace | None
    judgement: Judgement
    why: str


@dataclass(frozen=True, slots=True)
class ComparedBoard:
    """One board of one comparison.

    Attributes:
        board: `global` or `program#P`.
        entries: how many of legacy's and of the pipeline's were compared.
        agreements: by pair, such as `legacy, pipeline`.
        differing: how many differences have each judgement; without `same`.
        causes: how many differences have each cause among their reasons.
    """

    board: str
    entries: tuple[int, int]
    agreements: Mapping[str, PairAgreement]
    differing: Mapping[Judgement, int]
    causes: Mapping[Cause, int]


@dataclass(frozen=True, slots=True)
class SideState:
    """How old a side's global board was, and how long the side took to serve it.

    Attributes:
        age_s: since it was made; None when there is none.
        latency_ms: of the side's own serving code; None when it failed.
    """

    age_s: float | None
    latency_ms: float | None


@dataclass(frozen=True, slots=True)
class Effort:
    """What a comparison took: employees read in full, read units of DynamoDB, and time."""

    employees: int
    read_units: float
    took_ms: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides at one time.

    Attributes:
        at: when it began, UTC text with milliseconds.
        stage: of the migration.
        epoch: of the migration's state.
        legacy, pipeline: each side's freshness and latency.
        lag_s: since the newest folded fact was ingested; None before the first.
        queued: messages on their way, about.
        boards: the global one first.
        differences: the worst of all boards.
        effort: what it took.
    """

    at: str
    stage: Stage
    epoch: int
    legacy: SideState
    pipeline: SideState
    lag_s: float | None
    queued: int
    boards: Sequence[ComparedBoard]
    differences: Sequence[BoardDifference] = field(default_factory=tuple)
    effort: Effort = Effort(0, 0.0, 0.0)

    @property
    def counts(self) -> Mapping[Judgement, int]:
        """How many differences of all boards have each judgement."""
        total = Counter[Judgement]()
        for board in self.boards:
            total.update(board.differing)
        return {one: total[one] for one in Judgement if one is not Judgement.SAME}

    @property
    def judgement(self) -> Judgement:
        """The worst of all differences."""
        return worst(one for one, count in self.counts.items() if count)


@dataclass(frozen=True, slots=True)
class NotCompared:
    """Nothing was compared, and nothing recorded."""

    why: str


def not_in(stage: Stage) -> NotCompared | None:
    """Say why there is nothing to compare in a stage; None when there is."""
    if stage in ACTS_IN:
        return None
    stages = ", ".join(ACTS_IN[:-1])
    return NotCompared(f"the stage is {stage}; boards are compared in {stages} and {ACTS_IN[-1]}")


def age_s(made_at: str | None, now: datetime) -> float | None:
    """Tell how long ago something was made; a clock that is ahead makes it no younger than now."""
    if made_at is None:
        return None
    return max((now - datetime.fromisoformat(made_at)).total_seconds(), 0.0)


def compared_board(diff: BoardDiff) -> ComparedBoard:
    """Keep a board's numbers."""
    counts = Counter(line.judgement for line in diff.lines)
    return ComparedBoard(
        diff.board,
        diff.sizes,
        {
            pair: PairAgreement(one.overlap[TOP], one.rank_biased, one.tau)
            for pair, one in diff.agreements.items()
        },
        {one: counts[one] for one in Judgement if one is not Judgement.SAME},
        commonest(cause for line in diff.lines for cause in {reason.cause for reason in line.reasons}),
    )


def listed_differences(boards: Sequence[BoardDiff]) -> list[BoardDifference]:
    """List the worst differences of all boards; those whose own points differ come before the moved ones."""
    order = list(Judgement)
    lines = [
        (board.board, line)
        for board in boards
        for line in board.lines
        if line.judgement is not Judgement.SAME
    ]
    lines.sort(
        key=lambda one: (
            -order.index(one[1].judgement),
            all(r.cause is Cause.MOVED_BY_OTHERS for r in one[1].reasons),
        )
    )
    return [_difference(board, line) for board, line in lines[:LISTED]]


def _difference(board: str, judged: JudgedLine) -> BoardDifference:
    line = judged.line
    why = "; ".join(reason.said(EVENTS_NAMED) for reason in judged.reasons)
    return BoardDifference(
        board,
        line.employee_id,
        line.change,
        _place(line.legacy),
        _place(line.truth),
        _place(line.pipeline),
        judged.judgement,
        why if len(why) <= LONGEST_WHY else f"{why[: LONGEST_WHY - 1]}…",
    )


def _place(entry: BoardEntry | None) -> BoardPlace | None:
    return None if entry is None else BoardPlace(entry.rank, entry.points)


def comparison_fields(one: Comparison) -> dict[str, Any]:
    """Lay a comparison out as JSON values: in its record, in the report and for scripts."""
    return {
        **asdict(one),
        "boards": [{**asdict(board), "entries": list(board.entries)} for board in one.boards],
    }


def comparison_of(fields: Mapping[str, Any]) -> Comparison:
    """Read it back.

    Raises:
        KeyError, TypeError, ValueError: when it is something else.
    """
    return Comparison(
        fields["at"],
        Stage(fields["stage"]),
        int(fields["epoch"]),
        SideState(**fields["legacy"]),
        SideState(**fields["pipeline"]),
        fields["lag_s"],
        int(fields["queued"]),
        tuple(_board_of(board) for board in fields["boards"]),
        tuple(_difference_of(one) for one in fields["differences"]),
        Effort(**fields["effort"]),
    )


def _board_of(fields: Mapping[str, Any]) -> ComparedBoard:
    legacy, pipeline = fields["entries"]
    return ComparedBoard(
        fields["board"],
        (int(legacy), int(pipeline)),
        {pair: PairAgreement(**one) for pair, one in fields["agreements"].items()},
        {Judgement(name): int(count) for name, count in fields["differing"].items()},
        {Cause(name): int(count) for name, count in fields["causes"].items()},
    )


def _difference_of(fields: Mapping[str, Any]) -> BoardDifference:
    places = {side: fields[side] and BoardPlace(**fields[side]) for side in ("legacy", "truth", "pipeline")}
    return BoardDifference(
        board=fields["board"],
        employee_id=fields["employee_id"],
        change=EntryChange(fields["change"]),
        judgement=Judgement(fields["judgement"]),
        why=fields["why"],
        **places,
    )
