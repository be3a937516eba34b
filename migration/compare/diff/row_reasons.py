"""Why one aggregate differs between legacy, truth and the pipeline: a reason for every link of the chain.

    legacy -- legacy's events -- truth -- facts -- pipeline        (the chain of compare/diff/two_sides.py)

The two inner links are exact, because the events themselves are held against each other. Legacy's link knows
points and counts only, the pipeline's has fingerprints. What no events account for is left unexplained.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING, Final, NamedTuple

from migration.compare.explain import Events, explain, joined
from migration.compare.miscounts import Pool, name_miscount
from migration.compare.reasons import Reason, because, merged
from migration.model.cause import Cause, absent_from_legacy
from migration.model.fold import NOTHING, TOTAL, Fold, Row
from migration.model.side import Side

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from migration.compare.diff.two_sides import Reading, Sighting, Stored, Sums
    from migration.compare.explain import Times
    from migration.model.fold import Identity

    Weights = Mapping[str, Fold]  # by event: how it would move a total, without fingerprint for legacy's

MOST_SUBSETS: Final = 5_000
FEW_LATE: Final = 6  # events that legacy may not have counted yet, up to which every set of them is tried
MOST_LATE: Final = 50


def belongs(stored: Stored | None, row: Row) -> bool:
    """Whether a copy of an activity counts for a row of its employee, or of its program."""
    return stored is not None and row.program_id in (TOTAL, stored.program_id)


def named(identity: Identity, row: Row) -> str:
    """Name an event within a row: an employee's by its id, a program's with the employee."""
    return identity.event_id if row.employee_id else f"{identity.employee_id} {identity.event_id}"


class Links(NamedTuple):
    """Reasons by link: legacy's own, both inner ones, the pipeline's own."""

    legacy: list[Reason]
    storage: list[Reason]
    pipeline: list[Reason]

    @property
    def reasons(self) -> list[Reason]:
        """All of them, those of one cause together."""
        return merged([*self.legacy, *self.storage, *self.pipeline])


def explain_employee(
    rows: Iterable[Sums],
    sightings: Sequence[Sighting],
    reading: Reading,
    suspects: Mapping[Row, Weights],
) -> dict[Row, Links]:
    """Explain an employee's rows; `sightings` are all of the employee's activities.

    Legacy keeps no total of an employee: what it counted wrongly in the programs is wrong in their sum.
    """
    explained = {}
    in_programs: list[Reason] = []
    for sums in sorted(rows, key=lambda sums: sums.row.program_id == TOTAL):
        row = sums.row
        legacy = in_programs
        if row.program_id != TOTAL:
            own = [one for one in sightings if belongs(one.legacy, row)]
            pool = Pool.of((named(one.identity, row), one.legacy.points) for one in own if one.legacy)
            young = young_in_legacy(own, row, reading)
            legacy = legacy_reasons(sums.miscounted, pool, young, suspects.get(row, {}))
            in_programs.extend(legacy)
        explained[row] = Links(
            merged(legacy),
            storage_reasons(sightings, row, reading),
            pipeline_reasons(sums.misfolded, row, sightings, reading),
        )
    return explained


def storage_reasons(sightings: Iterable[Sighting], row: Row, reading: Reading) -> list[Reason]:
    """Explain both inner links: activities that only one side stores, or each with other content."""
    moved: defaultdict[tuple[Cause, Side], dict[str, int]] = defaultdict(dict)
    for one in sightings:
        for cause, side, points in _stored_apart(one, row, reading):
            moved[cause, side][named(one.identity, row)] = points
    return [because(cause, side, sum(events.values()), events) for (cause, side), events in moved.items()]


def young_in_legacy(sightings: Iterable[Sighting], row: Row, reading: Reading) -> dict[str, Fold]:
    """Give legacy's events of a row that may not be counted yet, the newest last."""
    copies = [(one.legacy, named(one.identity, row)) for one in sightings if belongs(one.legacy, row)]
    young = [(one.at, name, one.points) for one, name in copies if one and one.at > reading.young_since]
    return {name: Fold(points, 1) for _, name, points in sorted(young)}


def legacy_reasons(difference: Fold, pool: Pool, young: Weights, suspects: Weights) -> list[Reason]:
    """Explain legacy's link: a total that is not the fold of legacy's own events.

    Args:
        difference: total minus fold, without fingerprint.
        pool: the row's events.
        young: events that came while the tables were read, or just before; the newest last.
        suspects: what an acknowledgement ledger says that legacy miscounted in this row.
    """
    if difference == NOTHING:
        return []
    if (waiting := _waiting(Side.LEGACY, difference, young)) is not None:
        return [waiting]
    fallback: list[Reason] = []
    for late in _late(young):
        left = difference + sum((young[name] for name in late), NOTHING)
        found = _as_acknowledged(left, suspects) or _as_counted(left, pool)
        if found and late:
            points = -sum(young[name].points for name in late)
            found.append(because(Cause.IN_FLIGHT, Side.LEGACY, points, late))
        if any(one.cause is Cause.LEGACY_DOUBLE_COUNT for one in found):
            return found
        fallback = fallback or found
    return fallback or [_unexplained(Side.LEGACY, difference)]


def pipeline_reasons(
    difference: Fold, row: Row, sightings: Iterable[Sighting], reading: Reading
) -> list[Reason]:
    """Explain the pipeline's link: a total that is not the fold of the facts, found by fingerprints."""
    if difference == NOTHING:
        return []
    facts = {one.identity: one for one in sightings if one.fact is not None}
    events = Events({name: one.fact_fold for name, one in facts.items()})
    own = [name for name, one in facts.items() if belongs(one.fact, row)]
    history = {name: -1 for name in own if facts[name].lane == "history"}
    coming = {name: -1 for name in own if reading.on_its_way(facts[name])}
    guesses: tuple[Times, ...] = ({}, history, coming, joined([history, coming]))
    for guess in guesses:
        found = explain(difference - events.weigh(guess), own, list(facts), events, deep=not guess)
        if found is not None:
            times = joined([guess, found.times])
            return [*_folding_reasons(times, facts, row, reading), *_points_left(found.points)]
    waiting = _waiting(
        Side.PIPELINE, difference, {named(name, row): facts[name].fact_fold for name in coming}
    )
    return [waiting or _unexplained(Side.PIPELINE, difference)]


def _stored_apart(one: Sighting, row: Row, reading: Reading) -> Iterator[tuple[Cause, Side, int]]:
    truth = one.truth.points if belongs(one.truth, row) else 0
    young = one.truth.at > reading.young_since
    if one.legacy is None:
        if truth:
            yield Cause.IN_FLIGHT if young else absent_from_legacy(one.side, one.lane), Side.LEGACY, -truth
        return
    if one.fact is None:
        if truth:
            yield Cause.IN_FLIGHT if young else Cause.MIRROR_MISSED, Side.PIPELINE, -truth
        return
    legacy = one.legacy.points if belongs(one.legacy, row) else 0
    if legacy != truth:
        yield Cause.ALTERED, Side.LEGACY, legacy - truth


def _late(young: Weights) -> Iterator[tuple[str, ...]]:
    """Give sets of young events that may not be counted yet: all sets of a few, else the newest so many."""
    names = tuple(young)
    if len(names) <= FEW_LATE:
        return (late for size in range(len(names) + 1) for late in combinations(names, size))
    return (names[len(names) - count :] for count in range(min(len(names), MOST_LATE) + 1))


def _as_acknowledged(difference: Fold, suspects: Weights) -> list[Reason]:
    """Explain by what a ledger names, if it adds up to the difference."""
    if sum(suspects.values(), NOTHING) != difference or not suspects:
        return []
    again = {name: fold.points for name, fold in suspects.items() if fold.events > 0}
    missed = {name: fold.points for name, fold in suspects.items() if fold.events < 0}
    reasons = [
        because(cause, Side.LEGACY, sum(events.values()), events)
        for cause, events in ((Cause.LEGACY_DOUBLE_COUNT, again), (Cause.LEGACY_PARTIAL_UPDATE, missed))
        if events
    ]
    return [replace(one, note="the acknowledgement ledger names it") for one in reasons]


def _as_counted(difference: Fold, pool: Pool) -> list[Reason]:
    """Explain by events of the row whose points and count fit."""
    found = name_miscount(difference, pool) if difference != NOTHING else None
    if found is None:
        return []
    cause = Cause.LEGACY_PARTIAL_UPDATE if found.missed else Cause.LEGACY_DOUBLE_COUNT
    cause = Cause.LEGACY_MISCOUNT if found.again and found.missed else cause
    note = f"{found.again} times too often" if found.again > found.needed else ""
    if not found.candidates:
        note = f"{abs(difference.events):,} counts off: too many to tell the events from the totals"
    return [Reason(cause, Side.LEGACY, difference.points, found.candidates, found.count, found.needed, note)]


def _folding_reasons(
    times: Times, facts: Mapping[Identity, Sighting], row: Row, reading: Reading
) -> Iterator[Reason]:
    moved: defaultdict[Cause, dict[str, int]] = defaultdict(dict)
    for name, count in times.items():
        points = facts[name].fact_fold.points * count
        moved[_folding_cause(facts[name], count, reading)][named(name, row)] = points
    for cause, events in moved.items():
        yield because(cause, Side.PIPELINE, sum(events.values()), events)


def _folding_cause(fact: Sighting, times: int, reading: Reading) -> Cause:
    if times > 0:
        return Cause.DOUBLED
    if fact.lane == "history":
        return Cause.HISTORY_NOT_INSTALLED
    return Cause.IN_FLIGHT if reading.on_its_way(fact) else Cause.LOST


def _points_left(points: int) -> Iterator[Reason]:
    if points:
        note = "its points are off, although it counts the right events"
        yield Reason(Cause.UNEXPLAINED, Side.PIPELINE, points, note=note)


def _waiting(side: Side, difference: Fold, coming: Weights) -> Reason | None:
    """Explain by events on their way; where there are too many subsets to try, if they can suffice."""
    size, points = -difference.events, sorted(one.points for one in coming.values())
    if not (0 < size <= len(coming) and sum(points[:size]) <= -difference.points <= sum(points[-size:])):
        return None
    if comb(len(coming), size) > MOST_SUBSETS:
        return because(Cause.IN_FLIGHT, side, difference.points, coming, size)
    for chosen in combinations(coming, size):
        if difference + sum((coming[name] for name in chosen), NOTHING) == NOTHING:
            return because(Cause.IN_FLIGHT, side, difference.points, chosen)
    return None


def _unexplained(side: Side, difference: Fold) -> Reason:
    note = f"{difference.points:+,} points, {difference.events:+,} events"
    return Reason(Cause.UNEXPLAINED, side, difference.points, note=note)
