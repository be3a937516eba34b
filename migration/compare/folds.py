"""Facts against aggregates: the events behind every row that is not the fold of its facts.

Rows are explained from the narrow ones up: an employee in a program has few events, so they are found by
fingerprint; what they explain is taken off the employee's and the program's rows before those are
searched.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING, Final

from migration.compare.explain import Times, events_of, explain, joined
from migration.model.fold import LEVELS, TOTAL, Fold, Row, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from migration.compare.explain import Events, Explanation
    from migration.model.fold import Activity, Identity

DEEP_ROWS: Final = 100  # rows for which three events are tried; after that, two


@dataclass(slots=True)
class Explained:
    """What explains the differing rows.

    Attributes:
        times: by row and event, how often it was counted too often; -1 when it is missing.
        as_acknowledged: by row, altered facts that it counts with the points that were acknowledged, and how
            many more these are than the fact's.
        points: by row, points that are wrong although every event is counted right.
        unexplained: by row, the difference that no events were found for.
    """

    times: dict[Row, Times] = field(default_factory=dict)
    as_acknowledged: dict[Row, dict[Identity, int]] = field(default_factory=dict)
    points: dict[Row, int] = field(default_factory=dict)
    unexplained: dict[Row, Fold] = field(default_factory=dict)

    def more_points(self, row: Row, name: Identity) -> Fold:
        """Say how many more points than the fact's a row has for an event, as it was acknowledged."""
        return Fold(self.as_acknowledged.get(row, {}).get(name, 0))


def explain_rows(
    wrong: Mapping[Row, Fold], facts: Iterable[Activity], acknowledged: Iterable[Activity]
) -> Explained:
    """Explain every row that differs (actual minus the fold of the facts).

    Args:
        wrong: the differing rows.
        facts: what is stored.
        acknowledged: what clients were answered for; it may have been folded although it is not stored
        so.
    """
    search = _Search(list(facts), list(acknowledged))
    for row in sorted(wrong, key=lambda row: (_breadth(row), str(row))):
        search.take(row, wrong[row])
    return search.explained


def _breadth(row: Row) -> int:
    return LEVELS.index(row.level)


def wider_rows(row: Row) -> tuple[Row, ...]:
    """Name the rows that an employee's row in a program is a part of."""
    return () if _breadth(row) else (Row(row.employee_id, TOTAL), Row(None, row.program_id))


class _Search:
    """The facts by row, and what has been explained so far."""

    def __init__(self, facts: list[Activity], acknowledged: list[Activity]) -> None:
        self.explained = Explained()
        self._everything: Events = events_of([*facts, *acknowledged])
        self._own: defaultdict[Row, list[Identity]] = defaultdict(list)
        for fact in facts:
            for row in rows_of(fact):
                self._own[row].append(fact.identity)
        self._altered = _points_altered(facts, acknowledged)
        self._parts: defaultdict[Row, list[Times]] = defaultdict(list)
        self._deep_rows_left = DEEP_ROWS

    def take(self, row: Row, difference: Fold) -> None:
        """Explain one row; the narrower ones have been taken before."""
        known = joined(self._parts[row])
        found = self._explain(row, difference, known)
        if found is None and known:
            found = self._explain(row, difference, {})
        if found is None:
            self.explained.unexplained[row] = difference
            return
        self.explained.times[row] = found.times
        self._take_points(row, found.points)
        for wider in wider_rows(row):
            self._parts[wider].append(found.times)

    def _explain(self, row: Row, difference: Fold, known: Times) -> Explanation | None:
        own = self._own[row]
        theirs = self._own[Row(row.employee_id, TOTAL)] if _breadth(row) == 0 else []
        left = difference - self._everything.weigh(known)
        found = explain(left, own, theirs, self._everything, deep=self._deep_rows_left > 0)
        if found is None:
            self._deep_rows_left -= 1
            return None
        times = joined([known, found.times])
        return replace(found, times=times) if min(times.values(), default=0) >= -1 else None

    def _take_points(self, row: Row, points: int) -> None:
        deltas = self._altered[row]
        for size in (0, 1, 2, len(deltas)):
            for names in combinations(deltas, size):
                if sum(deltas[name] for name in names) == points:
                    self.explained.as_acknowledged[row] = {name: deltas[name] for name in names}
                    return
        self.explained.points[row] = points


def _points_altered(
    facts: Iterable[Activity], acknowledged: Iterable[Activity]
) -> defaultdict[Row, dict[Identity, int]]:
    """Tell, for each row, which facts were acknowledged with other points, and how many more."""
    stored = {fact.identity: fact.points for fact in facts}
    altered: defaultdict[Row, dict[Identity, int]] = defaultdict(dict)
    for activity in acknowledged:
        delta = activity.points - stored.get(activity.identity, activity.points)
        if delta:
            for row in rows_of(activity):
                altered[row][activity.identity] = delta
    return altered
