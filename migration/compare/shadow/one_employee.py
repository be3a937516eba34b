"""Everything that both sides hold of one employee, lined up as diff/two_sides.py says, without a join.

It only pairs and sums; it never explains.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from migration.compare.diff.two_sides import Sighting, Stored, Sums
from migration.compare.ledger.pipeline import is_reserved
from migration.model.fold import NOTHING, TOTAL, Fold, Row, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from migration.model.fold import Identity


@dataclass(frozen=True, slots=True)
class EmployeeRead:
    """One employee's items on both sides, aggregates read before events.

    Attributes:
        legacy_rows: an aggregate a program; legacy keeps no total of an employee.
        pipeline_rows: an aggregate a program, and the total.
        legacy_events: sightings of legacy's event rows.
        facts: sightings of facts.
    """

    employee_id: str
    legacy_rows: Sequence[tuple[Row, Fold]]
    pipeline_rows: Sequence[tuple[Row, Fold]]
    legacy_events: Sequence[Sighting]
    facts: Sequence[Sighting]


def line_up(read: EmployeeRead) -> tuple[list[Sums], list[Sighting]]:
    """Pair the employee's events, and give every aggregate beside the folds of them."""
    sightings = _paired(read.legacy_events, read.facts)
    legacy = {row: replace(fold, fingerprint=0) for row, fold in read.legacy_rows if not is_reserved(row)}
    total = Row(read.employee_id, TOTAL)
    if legacy:
        legacy[total] = sum(legacy.values(), NOTHING)
    pipeline = {row: fold for row, fold in read.pipeline_rows if not is_reserved(row)}
    legacy_events = _folded((one.identity, one.legacy) for one in sightings)
    truth = _folded((one.identity, one.truth) for one in sightings)
    facts = _folded((one.identity, one.fact) for one in sightings)
    places: Sequence[Mapping[Row, Fold]] = (legacy, legacy_events, truth, facts, pipeline)
    rows = sorted({row for place in places for row in place}, key=lambda row: row.program_id)
    sums = [Sums(row, *(place.get(row, NOTHING) for place in places)) for row in rows]
    return sums, sightings


def _paired(events: Iterable[Sighting], facts: Iterable[Sighting]) -> list[Sighting]:
    """Join the two copies of each activity, in the order of their ids.

    What the reverse mirror wrote does not say when it came, which was just after the fact.
    """
    both = {one.identity: one for one in facts}
    for one in events:
        fact = both.get(one.identity)
        legacy = one.legacy
        if legacy is not None and not legacy.at and fact is not None and fact.fact is not None:
            legacy = replace(legacy, at=fact.fact.at)
        both[one.identity] = replace(fact, legacy=legacy) if fact else replace(one, legacy=legacy)
    return [both[identity] for identity in sorted(both)]


def _folded(copies: Iterable[tuple[Identity, Stored | None]]) -> dict[Row, Fold]:
    folds: defaultdict[Row, Fold] = defaultdict(Fold)
    for identity, stored in copies:
        if stored is not None:
            fold = Fold(stored.points, 1, fingerprint(identity))
            for program in (stored.program_id, TOTAL):
                folds[Row(identity.employee_id, program)] += fold
    return dict(folds)
