"""Which events make up a difference of two folds: found by their fingerprints, or honestly not found.

    actual - expected = + the events counted once too often (or in the wrong row)  - the events not counted

One event is looked up, two cost one pass over the row's events, three a pass over their pairs, which is
tried on small rows only. That a wrong triple fits is as likely as pairs tried x events / 2^60: with
45,000 pairs and a million events, 4 in 10^8.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import combinations_with_replacement, permutations
from typing import TYPE_CHECKING, Final

from migration.model.fold import Fold, Identity, fold_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from migration.model.fold import Activity

TRIPLES_POOL: Final = 300  # events of a row up to which triples are tried: 45,000 pairs
Times = dict[Identity, int]  # by event: how often it was counted too often, negative when not counted


@dataclass(frozen=True, slots=True)
class Explanation:
    """Events whose counts explain a difference, and the points that they do not explain."""

    times: Times
    points: int


@dataclass(slots=True)
class Events:
    """Every event that could be in a row, findable by fingerprint; facts, and what else was acknowledged."""

    by_identity: Mapping[Identity, Fold]
    _by_fingerprint: dict[int, Identity] = field(init=False)

    def __post_init__(self) -> None:
        self._by_fingerprint = {
            fold.fingerprint: identity for identity, fold in self.by_identity.items() if fold.fingerprint
        }

    def named(self, fingerprint: int) -> Identity | None:
        """Find the event with this fingerprint."""
        return self._by_fingerprint.get(fingerprint)

    def weigh(self, times: Mapping[Identity, int]) -> Fold:
        """Fold events, each so many times."""
        return sum((self.by_identity[name] * count for name, count in times.items()), Fold())


def events_of(activities: Iterable[Activity]) -> Events:
    """Index activities by their fingerprint; of two with one identity the first is taken."""
    folds: dict[Identity, Fold] = {}
    for activity in activities:
        if activity.identity not in folds:
            folds[activity.identity] = fold_of(activity)
    return Events(folds)


def explain(
    difference: Fold,
    own: Sequence[Identity],
    near: Sequence[Identity],
    everything: Events,
    *,
    deep: bool = True,
) -> Explanation | None:
    """Name the events behind a row's difference; None when no three events do.

    Args:
        difference: actual minus expected.
        own: events that belong into the row, so may be missing from it or be in it again.
        near: events to try as wrongly added, such as all of the employee's.
        everything: all events; the last one of a combination may be any of them.
        deep: whether three events are tried.
    """
    row = frozenset(own)
    for times in _combinations(difference, own, near, everything, 3 if deep else 2):
        # Only what belongs into a row can be missing from it, and it can be missing once.
        possible = all(count > 0 or (count == -1 and name in row) for name, count in times.items())
        found = everything.weigh(times)
        if possible and (found.events, found.fingerprint) == (difference.events, difference.fingerprint):
            return Explanation(times, difference.points - found.points)
    return None


def joined(several: Iterable[Mapping[Identity, int]]) -> Times:
    """Add up counts by event; what cancels out is left out."""
    sums: Counter[Identity] = Counter()
    for times in several:
        for name, count in times.items():
            sums[name] += count
    return {name: count for name, count in sums.items() if count}


def _combinations(
    difference: Fold, own: Sequence[Identity], near: Sequence[Identity], everything: Events, most: int
) -> Iterator[Times]:
    yield {}
    yield from _repeated(difference, everything)
    yield from _wholesale(difference, own, everything)
    pool = list(dict.fromkeys([*own, *near]))
    for size in range(2, (most if len(pool) <= TRIPLES_POOL else 2) + 1):
        yield from _sums(difference, pool, size, everything)


def _repeated(difference: Fold, everything: Events) -> Iterator[Times]:
    """Try one event, missing or counted any number of times too often."""
    times = difference.events or 1
    name = everything.named(difference.fingerprint // times)
    if name is not None:
        yield {name: times}


def _wholesale(difference: Fold, own: Sequence[Identity], everything: Events) -> Iterator[Times]:
    """Try all of the row's events, or all but one: a row that is gone or was folded twice."""
    whole = everything.weigh(dict.fromkeys(own, 1))
    for sign in (-1, 1):
        rest = whole.fingerprint - sign * difference.fingerprint
        spared = everything.named(rest)
        if rest == 0 or spared in own:
            yield {name: sign for name in own if name != spared}


def _sums(difference: Fold, pool: Sequence[Identity], size: int, everything: Events) -> Iterator[Times]:
    """Try `size` events; how many of them are too many and how many are missing follows from the count."""
    added, odd = divmod(size + difference.events, 2)
    if odd or not 0 <= added <= size:
        return
    *signs, last_sign = [-1] * (size - added) + [1] * added
    prints = {name: everything.by_identity[name].fingerprint for name in pool}
    for order in sorted(set(permutations(signs))):
        for chosen in combinations_with_replacement(pool, len(order)):
            known = sum(sign * prints[name] for sign, name in zip(order, chosen, strict=True))
            last = everything.named(last_sign * (difference.fingerprint - known))
            if last is not None:
                yield joined([{last: last_sign}, *({n: s} for n, s in zip(chosen, order, strict=True))])
