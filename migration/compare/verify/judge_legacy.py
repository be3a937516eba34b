"""Legacy's rows against legacy's own events: what it counted again, and what it did not count.

Legacy keeps points and a count, so the event is named where only one fits; else the ones that fit are listed.
That it is legacy's own error is certain either way: nobody but legacy writes these rows.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from migration.compare.miscounts import Pool, name_miscount
from migration.compare.verify.verification import Difference
from migration.model.cause import Cause
from migration.model.fold import Fold, Row, differences, fold_all

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from migration.compare.verify.verification import LegacyProgram, LegacyReading
    from migration.model.fold import Activity

SHOWN: Final = 20


def judge_legacy(employee_id: str, legacy: LegacyReading) -> list[Difference]:
    """Judge an employee's rows."""
    return [
        judge_legacy_row(row, off, [one for one in legacy.events if one.program_id == row.program_id])
        for row, off in _wrong(employee_id, legacy).items()
    ]


def judge_legacy_program(row: Row, program: LegacyProgram, pool: Callable[[str], Pool]) -> Difference | None:
    """Judge a program's row; None when it is right, or off like its employees' rows or by young events.

    Args:
        row: the program's.
        program: what legacy has there, and what its events and its employees' rows say.
        pool: gives a program's events.
    """
    off = program.held - program.due
    if any(_is_within(part, program.young) for part in (off, off - program.narrow)):
        return None
    return legacy_difference(row, off, pool(row.program_id))


def judge_legacy_row(row: Row, off: Fold, events: Sequence[Activity]) -> Difference:
    """Name the events behind a row's difference.

    Args:
        row: an employee's in a program, or a program's.
        off: what the row holds minus the fold of its events.
        events: the row's events.
    """
    pool = Pool.of((_named(event, row), event.points) for event in events)
    return legacy_difference(row, off, pool)


def legacy_difference(row: Row, off: Fold, pool: Pool) -> Difference:
    """Name the events behind a row's difference, out of a pool of them."""
    size = f"{off.points:+} points, {off.events:+} events"
    found = name_miscount(off, pool)
    if found is None:
        return _difference(
            Cause.UNEXPLAINED, row, f"legacy is off by {size}, which none of its events explain"
        )
    kind = Cause.LEGACY_DOUBLE_COUNT if found.again else Cause.LEGACY_PARTIAL_UPDATE
    parts = [f"{found.again} counted again"] * bool(found.again) + [f"{found.missed} not counted"] * bool(
        found.missed
    )
    detail = f"legacy is off by {size}: {' and '.join(parts)}"
    if found.count == found.needed == 1:
        return replace(_difference(kind, row, detail), event_id=found.candidates[0], points=abs(off.points))
    if found.count > found.needed:
        detail += f"; {found.needed} of {found.count} alike"
    return replace(_difference(kind, row, detail), candidates=found.candidates[:SHOWN])


def _is_within(off: Fold, young: Fold) -> bool:
    """Whether young events can make this up: not counted yet, or again since employees' rows were read."""
    return abs(off.events) <= young.events and abs(off.points) <= young.points


def _difference(kind: Cause, row: Row, detail: str) -> Difference:
    return Difference(kind, row.employee_id, None, row.program_id, detail, rows=(f"legacy {row}",))


def _named(event: Activity, row: Row) -> str:
    return event.event_id if row.employee_id else f"{event.employee_id} {event.event_id}"


def _wrong(employee_id: str, legacy: LegacyReading) -> dict[Row, Fold]:
    expected: defaultdict[Row, Fold] = defaultdict(Fold)
    for row, fold in fold_all(legacy.events).items():
        if row in _rows(employee_id, legacy.events):
            expected[row] = replace(fold, fingerprint=0)
    return differences(legacy.rows, expected)


def _rows(employee_id: str, events: Sequence[Activity]) -> set[Row]:
    return {Row(employee_id, event.program_id) for event in events}
