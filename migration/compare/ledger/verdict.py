"""The words of a ledger check: what it finds, by name, and when it is clean."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migration.model.cause import Cause
    from migration.model.fold import Fold


class Place(StrEnum):
    """Where it is wrong."""

    FACTS = "facts"
    FOLDS = "folds"


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. The ids are None where it is a row, and not one event, that differs.

    Attributes:
        kind, place: what is wrong, and where.
        detail: what was found, in words.
        employee_id, event_id, program_id, points: of the activity.
        rows: the aggregates in which it shows.
        times: how often an employee's row counts it too often; -1 when it is missing there.
    """

    kind: Cause
    place: Place
    detail: str
    employee_id: str | None = None
    event_id: str | None = None
    program_id: str | None = None
    points: int | None = None
    rows: tuple[str, ...] = ()
    times: int = 0


@dataclass(frozen=True, slots=True)
class Level:
    """How many rows of one kind of aggregate were compared, and how many differ."""

    name: str
    rows: int
    differing: int


@dataclass(frozen=True, slots=True)
class LedgerVerdict:
    """What one side has to show for what it acknowledged.

    Attributes:
        acknowledgements: answers that accepted something, the same activity more than once included.
        acknowledged: activities among them.
        facts: facts (legacy: event rows) in the table, reserved ones left out.
        unknown: sends without a deciding answer.
        unknown_stored: facts that only such a send accounts for.
        expected: the fold of the facts.
        folded: the sum of the program rows.
    """

    acknowledgements: int
    acknowledged: int
    facts: int
    conflicts: int
    unknown: int
    unknown_stored: int
    rejected: int
    rejected_because: Mapping[str, int]
    expected: Fold
    folded: Fold
    levels: Sequence[Level]
    findings: Sequence[Finding] = field(default_factory=tuple)

    @property
    def clean(self) -> bool:
        """Whether every acknowledged activity is stored once, as it was sent, and folded once."""
        return not self.findings

    def count(self, kind: Cause, place: Place | None = None) -> int:
        """Count findings of one kind, anywhere or in one place."""
        return sum(one.kind is kind and place in (None, one.place) for one in self.findings)
