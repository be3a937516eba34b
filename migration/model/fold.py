"""The arithmetic of the proof, written a second time: what a fold is, and what it must add up to.

Independent on purpose: it follows the definitions in words and never imports the code that it judges,
so a mistake in `pipeline` cannot excuse itself here.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TOTAL: Final = "#total"
LEVELS: Final = ("employee in program", "employee", "program")  # the kinds of aggregates, from narrow to wide
RESERVED: Final = "#"
FINGERPRINT_DIGITS: Final = 15


class Identity(NamedTuple):
    """What makes a fact that fact."""

    employee_id: str
    event_id: str


@dataclass(frozen=True, slots=True)
class Activity:
    """An activity as it was acknowledged, or as a table holds it; `occurred_at` is UTC with milliseconds."""

    employee_id: str
    event_id: str
    program_id: str
    activity_type: str
    points: int
    occurred_at: str

    @property
    def identity(self) -> Identity:
        """Its fact's key."""
        return Identity(self.employee_id, self.event_id)

    @property
    def reserved(self) -> bool:
        """Whether no client can have sent it: a pulse."""
        return self.employee_id.startswith(RESERVED)


# An activity's fields in their order, each a text or a whole number; what handles any of them goes by this.
COLUMNS: Final[Mapping[str, type]] = get_type_hints(Activity)
CONTENT: Final = tuple(name for name in COLUMNS if name not in Identity._fields)


@dataclass(frozen=True, slots=True)
class Fold:
    """What a set of facts adds up to, or the difference of two such sums."""

    points: int = 0
    events: int = 0
    fingerprint: int = 0

    def __str__(self) -> str:
        """Write a difference down."""
        return f"{self.points:+} points, {self.events:+} events, fingerprint {self.fingerprint:+}"

    def __add__(self, other: Fold) -> Fold:
        """Join two disjoint sets."""
        return Fold(
            self.points + other.points, self.events + other.events, self.fingerprint + other.fingerprint
        )

    def __sub__(self, other: Fold) -> Fold:
        """Tell how far the other one is away."""
        return Fold(
            self.points - other.points, self.events - other.events, self.fingerprint - other.fingerprint
        )

    def __mul__(self, times: int) -> Fold:
        """Count every event of it so many times."""
        return Fold(self.points * times, self.events * times, self.fingerprint * times)


NOTHING: Final = Fold()


def fingerprint(identity: Identity) -> int:
    """Hash a fact's key to 60 bits: 15 hexadecimal digits of SHA-256 of both ids, a line break between."""
    digest = hashlib.sha256(f"{identity.employee_id}\n{identity.event_id}".encode()).hexdigest()
    return int(digest[:FINGERPRINT_DIGITS], 16)


def fold_of(activity: Activity) -> Fold:
    """Fold one activity."""
    return Fold(activity.points, 1, fingerprint(activity.identity))


class Row(NamedTuple):
    """One aggregate: an employee's in a program, an employee's `#total`, or a program's (no employee)."""

    employee_id: str | None
    program_id: str

    @property
    def level(self) -> str:
        """Which of `LEVELS` it is."""
        if self.employee_id is None:
            return "program"
        return "employee" if self.program_id == TOTAL else "employee in program"

    def __str__(self) -> str:
        """Name it as a person reads it."""
        return self.program_id if self.employee_id is None else f"{self.employee_id} x {self.program_id}"


def rows_of(activity: Activity) -> tuple[Row, Row, Row]:
    """Name the three aggregates that an activity belongs to."""
    employee, program = activity.employee_id, activity.program_id
    return Row(employee, program), Row(employee, TOTAL), Row(None, program)


def fold_all(activities: Iterable[Activity]) -> dict[Row, Fold]:
    """Fold every activity once into each aggregate that it belongs to."""
    folds: defaultdict[Row, Fold] = defaultdict(Fold)
    for activity in activities:
        fold = fold_of(activity)
        for row in rows_of(activity):
            folds[row] += fold
    return dict(folds)


def whole(folds: Mapping[Row, Fold]) -> Fold:
    """Sum the programs: the global fold."""
    return sum((fold for row, fold in folds.items() if row.employee_id is None), NOTHING)


def differences(actual: Mapping[Row, Fold], expected: Mapping[Row, Fold]) -> dict[Row, Fold]:
    """Tell, for each row that is not what it must be, actual minus expected."""
    rows = sorted({*actual, *expected}, key=str)
    pairs = ((row, actual.get(row, NOTHING) - expected.get(row, NOTHING)) for row in rows)
    return {row: difference for row, difference in pairs if difference != NOTHING}


def canonical_time(text: str) -> str:
    """Rewrite an RFC 3339 time as tables hold it: UTC, milliseconds, the rest cut off."""
    moment = datetime.fromisoformat(text).astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
