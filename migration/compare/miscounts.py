"""Which events legacy counted again, or not at all: found by points and count, which is all its totals hold.

    total - fold of legacy's own events = + the points of what was counted again  - of what was not counted

Several events can have the same points, so an answer lists every candidate and says how many of them it
takes. That legacy is wrong is certain either way: its total is not the fold of its own events. It never looks
at facts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import combinations_with_replacement
from math import comb
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from migration.model.fold import Fold

    Values = tuple[int, ...]

MOST_EVENTS: Final = 3  # tried together; more are only held against what retries can do at all
MOST_TRIES: Final = 200_000


@dataclass(slots=True)
class Pool:
    """The events of one aggregate by their points: how many there are, and the ids of the first."""

    counts: Counter[int] = field(default_factory=Counter)
    ids: dict[int, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, events: Iterable[tuple[str, int]]) -> Pool:
        """Sort events, given as id and points."""
        pool = cls()
        for event_id, points in events:
            pool.counts[points] += 1
            pool.ids.setdefault(points, []).append(event_id)
        return pool


@dataclass(frozen=True, slots=True)
class Miscount:
    """What was counted wrongly.

    Attributes:
        again, missed: how many counts too many and too few.
        candidates: the ids of the events that it can be, the first ones where there are many.
        count: how many candidates there are.
        needed: how many of them it takes.
    """

    again: int
    missed: int
    candidates: tuple[str, ...] = ()
    count: int = 0
    needed: int = 0


def name_miscount(difference: Fold, pool: Pool) -> Miscount | None:
    """Find the fewest events that make up a difference of legacy's total; None when none can.

    Args:
        difference: total minus fold of the events; its fingerprint is not looked at.
        pool: the events that belong into the total.
    """
    for size in range(1, MOST_EVENTS + 1):
        added, odd = divmod(size + difference.events, 2)
        if odd or not 0 <= added <= size:
            continue
        solutions = list(_solutions(difference.points, added, size - added, pool))
        if solutions:
            return _miscount(added, size - added, solutions, pool)
    return _beyond_naming(difference, pool)


def _solutions(points: int, added: int, missed: int, pool: Pool) -> Iterator[tuple[Values, Values]]:
    """Try points counted again against points not counted."""
    values = sorted(pool.counts)
    if comb(len(values) + added, added) * comb(len(values) + missed, missed) > MOST_TRIES:
        return
    sums: dict[int, list[Values]] = {}
    for less in combinations_with_replacement(values, missed):
        if all(count <= pool.counts[value] for value, count in Counter(less).items()):
            sums.setdefault(sum(less), []).append(less)
    for more in combinations_with_replacement(values, added):
        for less in sums.get(sum(more) - points, ()):
            if not set(more) & set(less):  # those would cancel out, and fewer do
                yield more, less


def _miscount(added: int, missed: int, solutions: Sequence[tuple[Values, Values]], pool: Pool) -> Miscount:
    values = dict.fromkeys(value for more, less in solutions for value in (*more, *less))
    candidates = tuple(name for value in values for name in pool.ids[value])
    count = sum(pool.counts[value] for value in values)
    if len(solutions) == 1 and _leave_no_choice(*solutions[0], pool.counts):
        return Miscount(added, missed, candidates, count, count)
    return Miscount(added, missed, candidates, count, min(added + missed, count - 1))


def _leave_no_choice(more: Values, less: Values, counts: Mapping[int, int]) -> bool:
    """Whether only one event has each of the points counted again, and as many as are missing the others."""
    missing = Counter(less)
    return all(counts[value] == 1 for value in more) and all(counts[v] == missing[v] for v in missing)


def _beyond_naming(difference: Fold, pool: Pool) -> Miscount | None:
    """Tell whether so many retries, or partial updates, can have added up to this at all."""
    count = abs(difference.events)
    if count <= MOST_EVENTS or not pool.counts:
        return None
    if difference.events < 0 and count > pool.counts.total():
        return None
    points = difference.points if difference.events > 0 else -difference.points
    if not min(pool.counts) * count <= points <= max(pool.counts) * count:
        return None
    return Miscount(max(difference.events, 0), max(-difference.events, 0))
