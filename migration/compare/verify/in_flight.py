"""Which facts an aggregate does not hold yet: found by fingerprint among those that may be on their way.

    by time   f1  f2  f3  f4  f5  f6        the row lacks m of them: most likely the last m,
    folded     x   x   -   x   -   -        else the last m + j without j that overtook the others

A wrong subset fits with a chance of subsets tried / 2^60. Where there are too many, it cannot tell.
"""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import TYPE_CHECKING, Final

from migration.model.fold import NOTHING, Fold, fold_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migration.model.facts import StoredFact

MOST_SUBSETS: Final = 20_000


def missing_of(
    difference: Fold, candidates: Sequence[StoredFact], most_subsets: int = MOST_SUBSETS
) -> tuple[StoredFact, ...] | None:
    """Name the facts whose absence makes up a difference; None when no tried subset of them does.

    Args:
        difference: what the row holds, minus all facts, the candidates among them.
        candidates: facts of the row that it may lack.
        most_subsets: of one size that are tried.
    """
    if difference == NOTHING:
        return ()
    missing = -difference.events
    if not 0 < missing <= len(candidates):
        return None
    ordered = sorted(candidates, key=lambda fact: (fact.ingested_at, fact.activity.identity))
    folds = [fold_of(fact.activity) for fact in ordered]
    for overtaking in range(len(ordered) - missing + 1):
        if comb(missing + overtaking, max(overtaking - 1, 0)) > most_subsets:
            return None
        first = len(ordered) - missing - overtaking
        wanted = sum(folds[first:], difference)
        folded = _subset([fold.fingerprint for fold in folds[first:]], overtaking, wanted.fingerprint)
        if folded is not None:
            found = sum((folds[first + place] for place in folded), NOTHING)
            last = ordered[first:]
            left = tuple(fact for place, fact in enumerate(last) if place not in folded)
            return left if found == wanted else None
    return None


def _subset(prints: Sequence[int], size: int, wanted: int) -> tuple[int, ...] | None:
    """Find which ones of these numbers add up; the last one of a combination is looked up."""
    if size == 0:
        return () if wanted == 0 else None
    places = {number: place for place, number in enumerate(prints)}
    for chosen in combinations(range(len(prints)), size - 1):
        last = places.get(wanted - sum(prints[place] for place in chosen))
        if last is not None and (not chosen or last > chosen[-1]):
            return (*chosen, last)
    return None
