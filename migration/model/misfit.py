"""Which of legacy's events can be no fact, though the plan fits them: named before anything is put.

A fact has to go the whole way: into its table, the aggregates and their boards, the dedup table, and into
the folds of DuckDB, of Athena and of the proofs. What one of them could not hold would be stored, and then
nothing could finish it or take it back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migration.model.fold import COLUMNS, RESERVED
from pipeline.domain.fold import identity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.model.fold import Activity

PARTITION_KEY_BYTES: Final = 2_048  # DynamoDB's, of UTF-8
SORT_KEY_BYTES: Final = 1_024
# Each is a key somewhere: an employee's rows and facts, an event's fact, a program's row of an employee.
_KEYS: Final = {
    "employee_id": PARTITION_KEY_BYTES,
    "event_id": SORT_KEY_BYTES,
    "program_id": SORT_KEY_BYTES,
}
_REPAIR_BYTES: Final = 20  # of a repair's claim on a row, beside both ids: its name, line breaks, a number
POINTS_BELOW: Final = 2**63  # of either sign; sums of them have room in 38 digits, 12 of which order equals
_SHOWN: Final = 60


def misfit(activity: Activity) -> str | None:
    """Say why an event can be no fact; None when it can."""
    problem = next(_problems(activity), None)
    if problem is None:
        return None
    return f"{shortened(activity.employee_id)} {shortened(activity.event_id)}: {problem}"


def is_key(employee_id: str) -> bool:
    """Whether the pipeline's tables can hold an employee at all, so that it can be asked for."""
    return 0 < len(employee_id.encode(errors="replace")) <= PARTITION_KEY_BYTES


def shortened(text: str) -> str:
    """Quote a text, and no more of it than a person reads."""
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}…"


def is_text(text: str) -> bool:
    """Whether it can be written as UTF-8: half a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _problems(activity: Activity) -> Iterator[str]:
    for name, kind in COLUMNS.items():
        value = getattr(activity, name)
        if kind is str and not is_text(value):
            yield f"{name} {shortened(value)} has half a surrogate pair, which is no text"
            return
    for name, most in _KEYS.items():
        yield from _of_key(name, getattr(activity, name), most)
    employee = len(activity.employee_id.encode())
    claims = {
        "event_id": len(identity(activity.employee_id, activity.event_id).encode()),
        "program_id": employee + len(activity.program_id.encode()) + _REPAIR_BYTES,
    }
    for name, size in claims.items():
        if size > PARTITION_KEY_BYTES:
            yield f"employee_id and {name} make a key of {size:,} bytes, and {PARTITION_KEY_BYTES:,} fit"
    if not -POINTS_BELOW < activity.points < POINTS_BELOW:
        yield f"points {activity.points:,} are beyond 64 bits"


def _of_key(name: str, value: str, most: int) -> Iterator[str]:
    if not value:
        yield f"{name} '' is empty"
    elif value.startswith(RESERVED) or "\n" in value:
        yield f"{name} {shortened(value)} starts with '#' or has a line break, which is reserved"
    elif (size := len(value.encode())) > most:
        yield f"{name} {shortened(value)} has {size:,} bytes, and {most:,} fit"
