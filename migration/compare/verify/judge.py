"""The verdict on what was read of the differing employees and programs: every difference, once, by name."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from migration.compare.verify.judge_folds import FoldJudge
from migration.compare.verify.judge_legacy import judge_legacy
from migration.compare.verify.judge_mirror import judge_mirror
from migration.model.cause import Cause
from migration.model.facts import Lane

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from migration.compare.verify.verification import Difference, EmployeeReading, Horizon, WideReading
    from migration.model.facts import StoredFact
    from migration.model.fold import Activity


@dataclass(frozen=True, slots=True)
class FoundElsewhere:
    """What has one of the fingerprints that were asked for: facts, and legacy's events."""

    facts: Sequence[StoredFact] = ()
    events: Sequence[Activity] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look found.

    Attributes:
        differences: each event once; rows that no event explains.
        undecided: rows that moved too fast to be judged.
        fingerprints: of events that are not at hand, and may explain what is unexplained.
        waiting: whether facts that must be folded are still on their way.
    """

    differences: frozenset[Difference] = frozenset()
    undecided: frozenset[str] = frozenset()
    fingerprints: frozenset[int] = field(default_factory=frozenset)
    waiting: bool = False


def judge(
    readings: Sequence[EmployeeReading],
    wide: Sequence[WideReading],
    horizon: Horizon,
    elsewhere: FoundElsewhere | None = None,
) -> Verdict:
    """Judge all that was read; `elsewhere` answers an earlier verdict's fingerprints."""
    differences: list[Difference] = []
    undecided: list[str] = []
    fingerprints: set[int] = set()
    waiting = False
    for lane in Lane:
        folds = FoldJudge(lane, horizon)
        for reading in readings:
            folds.take(reading)
        for program in wide:
            folds.take_wide(program)
        if elsewhere is not None:
            folds.take_found(elsewhere.facts, elsewhere.events)
        judged = folds.judge()
        differences += judged.differences
        undecided += judged.undecided
        fingerprints |= judged.fingerprints
        waiting |= judged.waiting
    for reading in readings:
        if reading.legacy is not None:
            differences += judge_mirror(reading.legacy.events, reading.facts, horizon)
            differences += judge_legacy(reading.employee_id, reading.legacy)
    merged = frozenset(_merged(differences))
    waiting |= _waits(merged, readings, horizon)
    return Verdict(merged, frozenset(undecided), frozenset(fingerprints), waiting)


def _merged(differences: Iterable[Difference]) -> Iterable[Difference]:
    """Join what several comparisons say about one event; the worst class stands."""
    by_event: dict[tuple[str | None, str], Difference] = {}
    for one in differences:
        if one.event_id is None or one.kind in (Cause.LEGACY_DOUBLE_COUNT, Cause.LEGACY_PARTIAL_UPDATE):
            yield one
            continue
        key = (one.employee_id, one.event_id)
        by_event[key] = _joined(by_event[key], one) if key in by_event else one
    yield from by_event.values()


def _joined(one: Difference, other: Difference) -> Difference:
    worst, less = sorted((one, other), key=lambda each: each.kind.severity, reverse=True)
    details = dict.fromkeys([worst.detail, less.detail])
    rows = dict.fromkeys([*one.rows, *other.rows])
    off, coming = one.off + other.off, one.coming or other.coming
    return replace(worst, detail="; ".join(details), rows=tuple(rows), off=off, coming=coming)


def _waits(differences: Iterable[Difference], readings: Sequence[EmployeeReading], horizon: Horizon) -> bool:
    coming = {(one.employee_id, one.event_id) for one in differences if one.kind is Cause.IN_FLIGHT}
    return any(
        tuple(fact.activity.identity) in coming and not horizon.newer(fact)
        for reading in readings
        for fact in reading.facts
    )
