"""From explained rows to findings: one for each wrongly counted event, one for each other row."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from migration.compare.folds import wider_rows
from migration.compare.ledger.verdict import Finding, Place
from migration.model.cause import Cause
from migration.model.fold import Fold, rows_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from migration.compare.folds import Explained
    from migration.model.fold import Activity, Identity, Row

CANDIDATES_SHOWN: Final = 5
Counts = dict["Row", int]


def name_events(
    compared: Mapping[Identity, Finding],
    explained: Explained,
    activities: Mapping[Identity, Activity],
    stored: Collection[Identity],
) -> list[Finding]:
    """Join what the facts and the folds say about each event, so that one event is one finding.

    Args:
        compared: what comparing acknowledgements with facts found.
        explained: what explains the rows.
        activities: every event by identity, as it is stored or else as it was acknowledged.
        stored: the identities that are facts.
    """
    findings = dict(compared)
    for identity, counts in by_event(explained).items():
        finding = _finding(activities[identity], counts)
        if identity in compared:
            said = finding.detail if identity in stored else "folded all the same"
            finding = replace(
                compared[identity], detail=f"{compared[identity].detail}; {said}", rows=finding.rows
            )
        findings[identity] = finding
    return [findings[identity] for identity in sorted(findings)]


def name_rows(explained: Explained, facts: Iterable[Activity], *, whole: bool = True) -> list[Finding]:
    """Report rows that are wrong although no event is missing from them or counted again.

    Args:
        explained: what explains the rows, and what is left.
        facts: all of the employees whose rows are wrong.
        whole: whether these are all facts of the programs as well.
    """
    members: defaultdict[Row, list[Activity]] = defaultdict(list)
    if explained.points:
        for fact in facts:
            for row in rows_of(fact):
                if whole or row.employee_id is not None:
                    members[row].append(fact)
    points = {row: Fold(points=off) for row, off in explained.points.items()}
    return [
        *(_points_finding(rows, off.points, members[rows[0]]) for rows, off in _grouped(points)),
        *(_unexplained(rows, off) for rows, off in _grouped(explained.unexplained)),
    ]


def by_event(explained: Explained) -> dict[Identity, Counts]:
    """Turn rows' explanations over: for each event, how often each row counted it too often."""
    by_event: defaultdict[Identity, Counts] = defaultdict(dict)
    for row, times in explained.times.items():
        for identity, count in times.items():
            by_event[identity][row] = count
    for row, identities in explained.as_acknowledged.items():
        for identity in identities:
            by_event[identity].setdefault(row, 0)
    return by_event


def _finding(activity: Activity, counts: Counts) -> Finding:
    """Say how the folds count one event: `counts` holds 0 where only its points are the acknowledged ones."""
    own = rows_of(activity)
    missing = [row for row, count in counts.items() if count < 0]
    strange = [row for row, count in counts.items() if count > 0 and row not in own]
    again = max((count for row, count in counts.items() if row in own), default=0)
    if missing and strange:
        kind, detail = Cause.MISPLACED, f"folded into {_text(strange)} instead of {_text(missing)}"
    elif missing:
        kind, detail = Cause.LOST, "stored, but not folded"
    elif strange:
        kind, detail = Cause.DOUBLED, f"also folded into {_text(strange)}, where it does not belong"
    elif again:
        kind, detail = Cause.DOUBLED, f"folded {in_words(again + 1)}"
    else:
        kind, detail = Cause.ALTERED, "folded as acknowledged"
    ids = (activity.employee_id, activity.event_id, activity.program_id)
    return Finding(
        kind, Place.FOLDS, detail, *ids, activity.points, tuple(map(str, counts)), employee_times(counts)
    )


def in_words(times: int) -> str:
    """Say how often."""
    return {0: "never", 1: "once", 2: "twice"}.get(times, f"{times} times")


def employee_times(counts: Counts) -> int:
    """Tell how often the employees' rows count an event too often."""
    return next((count for row, count in counts.items() if row.employee_id is not None), 0)


def _text(rows: Iterable[Row]) -> str:
    return ", ".join(map(str, rows))


def _grouped(off: Mapping[Row, Fold]) -> list[tuple[list[Row], Fold]]:
    """Put rows together that are off only because a part of them is."""
    parts: defaultdict[Row, list[Row]] = defaultdict(list)
    for row in off:
        for wider in wider_rows(row):
            parts[wider].append(row)
    groups = {row: [row] for row in off}
    for row, difference in off.items():
        if parts[row] and sum((off[part] for part in parts[row]), Fold()) == difference:
            del groups[row]
            for part in parts[row]:
                groups[part].append(row)
    return [(rows, off[first]) for first, rows in groups.items()]


def _points_finding(rows: Sequence[Row], points: int, members: Sequence[Activity]) -> Finding:
    shown = ", ".join(f"{fact.event_id} ({fact.points})" for fact in members[:CANDIDATES_SHOWN])
    more = len(members) - CANDIDATES_SHOWN
    which = f"; one of {shown}" if members else ""
    rest = f" and {more} more" if more > 0 else ""
    return Finding(
        Cause.ALTERED,
        Place.FOLDS,
        f"{points:+} points, although every event is counted once{which}{rest}",
        rows[0].employee_id,
        members[0].event_id if len(members) == 1 else None,
        rows[0].program_id,
        rows=tuple(map(str, rows)),
    )


def _unexplained(rows: Sequence[Row], difference: Fold) -> Finding:
    return Finding(
        Cause.UNEXPLAINED,
        Place.FOLDS,
        f"off by {difference}, which no three events account for",
        rows[0].employee_id,
        program_id=rows[0].program_id,
        rows=tuple(map(str, rows)),
    )
