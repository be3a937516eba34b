"""What a diff found: boards, aggregates, and the judgement on all of it. Values only."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migration.compare.boards.agreement import agreement_at, agreements, kendall_tau, rank_biased_overlap
from migration.compare.reasons import Judgement, worst

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migration.compare.boards.windows import BoardWindow, PairedLine
    from migration.compare.diff.two_sides import Reading, Sums
    from migration.compare.reasons import Reason


@dataclass(frozen=True, slots=True)
class Agreement:
    """How much two boards agree.

    Attributes:
        overlap: by depth, the share of what both show down to there that is the same.
        rank_biased: rank-biased overlap.
        tau: Kendall's tau-b of those that both show; None when that orders no pair.
        common: how many both show.
        by_depth: the overlap at every depth, from the first rank on.
    """

    overlap: Mapping[int, float]
    rank_biased: float
    tau: float | None
    common: int
    by_depth: Sequence[float]


@dataclass(frozen=True, slots=True)
class JudgedLine:
    """An employee on a board, and why they stand elsewhere on the other."""

    line: PairedLine
    reasons: Sequence[Reason]
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class BoardDiff:
    """One board of both sides, and of the truth.

    Attributes:
        board: `global` or `program#P`.
        legacy_made_at: when legacy rebuilt it; None when it never did.
        pipeline_made_at: when the snapshot's run began; None when there is none.
        sizes: entries that were compared, of legacy and of the pipeline.
        agreements: by pair, such as `legacy, pipeline`.
        lines: everybody who is on either board.
    """

    board: str
    legacy_made_at: str | None
    pipeline_made_at: str | None
    sizes: tuple[int, int]
    agreements: Mapping[str, Agreement]
    lines: Sequence[JudgedLine]

    @property
    def judgement(self) -> Judgement:
        """The worst of its lines."""
        return worst(line.judgement for line in self.lines)


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """An aggregate that differs, and why."""

    sums: Sums
    reasons: Sequence[Reason]

    @property
    def judgement(self) -> Judgement:
        """The worst of its reasons; a difference without any is unexplained."""
        found = worst(one.judgement for one in self.reasons)
        return Judgement.UNEXPLAINED if found is Judgement.SAME else found


@dataclass(frozen=True, slots=True)
class LevelCount:
    """How many aggregates of one kind there are on any side, and how many differ anywhere."""

    name: str
    rows: int
    differing: int


@dataclass(frozen=True, slots=True)
class DiffReport:
    """Both sides and the truth, at one time.

    Attributes:
        stack: which.
        reading: when it was read, and what was on its way.
        read: how many items of each kind were read.
        persistence: of rank-biased overlap.
        boards: those that were asked for.
        levels: aggregates by kind.
        rows: the aggregates that differ, all of them.
    """

    stack: str
    reading: Reading
    read: Mapping[str, int]
    persistence: float
    boards: Sequence[BoardDiff]
    levels: Sequence[LevelCount]
    rows: Sequence[JudgedRow]

    @property
    def judgement(self) -> Judgement:
        """The worst of everything."""
        return worst([*(board.judgement for board in self.boards), *(row.judgement for row in self.rows)])

    @property
    def counts(self) -> Mapping[Judgement, int]:
        """How many differences, on boards and of aggregates, have each judgement."""
        lines = (line.judgement for board in self.boards for line in board.lines)
        counted = Counter([*lines, *(row.judgement for row in self.rows)])
        return {judgement: counted[judgement] for judgement in Judgement if judgement is not Judgement.SAME}


def agree(one: BoardWindow, other: BoardWindow, depths: Sequence[int], persistence: float) -> Agreement:
    """Measure how much two windows agree."""
    left, right = one.ranks, other.ranks
    return Agreement(
        {depth: agreement_at(depth, left, right) for depth in depths},
        rank_biased_overlap(left, right, persistence),
        kendall_tau(left, right),
        len(left.keys() & right.keys()),
        agreements(left, right),
    )
