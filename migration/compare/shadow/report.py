"""Hours of comparisons as one report: how far both sides agreed, how old and fast they were, what differed.

Decides when a shadow run passes: nothing was ever unexplained, and the newest comparison has nothing to
repair. What was to repair and no longer is has been repaired, and named while it lasted.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from migration.compare.reasons import Judgement, worst
from migration.compare.shadow.comparison import PAIRS
from migration.model.cause import commonest
from migration.model.percentiles import nearest_rank

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from migration.compare.shadow.comparison import BoardDifference, Comparison
    from migration.model.cause import Cause

GAP: Final = timedelta(seconds=150)  # comparisons start every minute, and one may be a minute late
MOMENTS: Final = 480  # points of a plot


@dataclass(frozen=True, slots=True)
class Spread:
    """How a measure was spread; every value was really measured."""

    low: float
    median: float
    p95: float
    high: float
    last: float


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without comparisons, between two of them."""

    after: str
    before: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Seen:
    """A difference in as many comparisons as it was listed in.

    Attributes:
        first, last: when it was seen.
        times: in how many comparisons.
        latest: as it was seen last.
    """

    first: str
    last: str
    times: int
    latest: BoardDifference


@dataclass(frozen=True, slots=True)
class Moment:
    """A few comparisons in a row as one point of a plot: the least agreement, and the most of all else.

    Attributes:
        at: when the first of them began.
        comparisons: how many.
        stage: of the last.
        agreements: by board and pair: overlap of the top, rank-biased overlap, tau-b.
        ages_s, latencies_ms: of legacy and of the pipeline.
        lag_s: of the folds.
        counts: differences by judgement.
    """

    at: str
    comparisons: int
    stage: str
    agreements: Mapping[str, Mapping[str, tuple[float | None, float | None, float | None]]]
    ages_s: tuple[float | None, float | None]
    latencies_ms: tuple[float | None, float | None]
    lag_s: float | None
    counts: Mapping[Judgement, int]


@dataclass(frozen=True)
class ShadowReport:
    """What the comparisons of a while come to; there is at least one.

    Attributes:
        stack, migration: whose.
        comparisons: in order of time.
    """

    stack: str
    migration: str
    comparisons: Sequence[Comparison]

    @property
    def first(self) -> str:
        """When the first comparison began."""
        return self.comparisons[0].at

    @property
    def last(self) -> str:
        """When the last one began."""
        return self.comparisons[-1].at

    @property
    def span(self) -> timedelta:
        """From the first to the last."""
        return _moment(self.last) - _moment(self.first)

    @cached_property
    def gaps(self) -> list[Gap]:
        """Times in which comparisons are missing; also those in which no stage was one to compare in."""
        return [
            Gap(one.at, other.at, (_moment(other.at) - _moment(one.at)).total_seconds())
            for one, other in pairwise(self.comparisons)
            if _moment(other.at) - _moment(one.at) > GAP
        ]

    @cached_property
    def having(self) -> Mapping[Judgement, int]:
        """How many comparisons have at least one difference of each judgement."""
        return {
            one: sum(bool(comparison.counts[one]) for comparison in self.comparisons)
            for one in Judgement
            if one is not Judgement.SAME
        }

    @property
    def judgement(self) -> Judgement:
        """The worst of everything that counts; what was repaired since counts as explained."""
        now = self.comparisons[-1].judgement
        was = worst(one.judgement for one in self.comparisons)
        if was is Judgement.TO_REPAIR and now is not Judgement.TO_REPAIR:
            return Judgement.EXPLAINED
        return was

    @property
    def passes(self) -> bool:
        """Whether nothing stands in the way."""
        return not self.judgement.fails

    @cached_property
    def causes(self) -> Mapping[Cause, int]:
        """In how many comparisons each cause is among the reasons, the commonest first."""
        return commonest(
            cause
            for comparison in self.comparisons
            for cause in {cause for board in comparison.boards for cause in board.causes}
        )

    @cached_property
    def differences(self) -> list[Seen]:
        """Differences by board, employee and judgement: the worst first, then the most lasting."""
        seen: defaultdict[tuple[str, str, Judgement], list[tuple[str, BoardDifference]]] = defaultdict(list)
        for comparison in self.comparisons:
            for one in comparison.differences:
                seen[one.board, one.employee_id, one.judgement].append((comparison.at, one))
        order = list(Judgement)
        found = [Seen(times[0][0], times[-1][0], len(times), times[-1][1]) for times in seen.values()]
        found.sort(key=lambda one: (-order.index(one.latest.judgement), -one.times, one.latest.employee_id))
        return found

    @property
    def unlisted(self) -> int:
        """How many differences were counted and not listed, because there were too many at once."""
        return sum(sum(one.counts.values()) - len(one.differences) for one in self.comparisons)

    @cached_property
    def spreads(self) -> Mapping[str, Spread]:
        """The measures of the global boards, by name; without those that were never measured."""
        measures: dict[str, Callable[[Comparison], float | None]] = {
            **{f"rank-biased overlap of {pair}": _rank_biased(pair) for pair in PAIRS},
            "age of legacy's board, s": lambda one: one.legacy.age_s,
            "age of the pipeline's board, s": lambda one: one.pipeline.age_s,
            "folds behind, s": lambda one: one.lag_s,
            "legacy serves in, ms": lambda one: one.legacy.latency_ms,
            "the pipeline serves in, ms": lambda one: one.pipeline.latency_ms,
        }
        spreads = {name: spread(map(measure, self.comparisons)) for name, measure in measures.items()}
        return {name: one for name, one in spreads.items() if one is not None}

    @property
    def failed_serves(self) -> tuple[int, int]:
        """In how many comparisons legacy, and the pipeline, could not serve."""
        legacy = sum(one.legacy.latency_ms is None for one in self.comparisons)
        return legacy, sum(one.pipeline.latency_ms is None for one in self.comparisons)

    def moments(self, most: int = MOMENTS) -> list[Moment]:
        """Join comparisons that follow each other, so that there are at most so many points."""
        size = -(-len(self.comparisons) // most)
        starts = range(0, len(self.comparisons), size)
        return [_moment_of(self.comparisons[start : start + size]) for start in starts]


def spread(values: Iterable[float | None]) -> Spread | None:
    """Summarise a measure; None when it was never taken."""
    taken = [value for value in values if value is not None]
    if not taken:
        return None
    ordered = sorted(taken)
    middle, high = (nearest_rank(ordered, percent) for percent in (50, 95))
    return Spread(ordered[0], middle, high, ordered[-1], taken[-1])


def _rank_biased(pair: str) -> Callable[[Comparison], float | None]:
    return lambda one: one.boards[0].agreements[pair].rank_biased if one.boards else None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _moment_of(several: Sequence[Comparison]) -> Moment:
    boards = {board.board: None for one in several for board in one.boards}
    return Moment(
        several[0].at,
        len(several),
        several[-1].stage,
        {board: {pair: _least(several, board, pair) for pair in PAIRS} for board in boards},
        (_most(one.legacy.age_s for one in several), _most(one.pipeline.age_s for one in several)),
        (_most(one.legacy.latency_ms for one in several), _most(one.pipeline.latency_ms for one in several)),
        _most(one.lag_s for one in several),
        {
            one: max(comparison.counts[one] for comparison in several)
            for one in Judgement
            if one is not Judgement.SAME
        },
    )


def _least(
    several: Sequence[Comparison], board: str, pair: str
) -> tuple[float | None, float | None, float | None]:
    found = [
        one.agreements[pair] for comparison in several for one in comparison.boards if one.board == board
    ]
    taus = [one.tau for one in found if one.tau is not None]
    return (
        min((one.top for one in found), default=None),
        min((one.rank_biased for one in found), default=None),
        min(taus, default=None),
    )


def _most(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
