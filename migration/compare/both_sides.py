"""Both sides' tables, as everything that compares them reads them: whole, in one order, or again by key.

    legacy's rows ─► rows ─► legacy's events ─► facts

Aggregates come before what they are made of, so a row of a healthy system can only lack what is on its way;
legacy's events come before the facts, so whatever a mirror stored by then is among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from migration.compare.diff.two_sides import StoredBoard
    from migration.compare.verify.verification import EmployeeReading, Parts
    from migration.model.fold import Row


class Part(StrEnum):
    """A table that is read whole, in the order in which they are read.

    Its lines are JSON objects whose keys are the columns named here. Numbers may be texts. Folds are
    `points`, `events` and, in the pipeline, `fingerprint`, `base_points`, `base_events`, `base_fingerprint`.
    """

    LEGACY_EMPLOYEE_ROWS = "legacy's employee rows"  # employee_id, program_id, and a fold
    EMPLOYEE_ROWS = "employee rows"  # the same
    LEGACY_PROGRAM_ROWS = "legacy's program rows"  # the same, and no employee_id
    PROGRAM_ROWS = "program rows"  # the same, each shard by itself
    LEGACY_EVENTS = "legacy's events"  # an activity, and received_at, which is empty where nobody tells
    FACTS = "facts"  # an activity, ingested_at, lane, side

    @property
    def of_legacy(self) -> bool:
        """Whether it is one of legacy's tables."""
        return self in (Part.LEGACY_EMPLOYEE_ROWS, Part.LEGACY_PROGRAM_ROWS, Part.LEGACY_EVENTS)


AGGREGATES: Final = (
    Part.LEGACY_EMPLOYEE_ROWS,
    Part.EMPLOYEE_ROWS,
    Part.LEGACY_PROGRAM_ROWS,
    Part.PROGRAM_ROWS,
)
EVENTS: Final = (Part.LEGACY_EVENTS, Part.FACTS)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some of a part.

    Attributes:
        lines: JSON lines.
        count: how many.
        segment: of the table.
        position: where the segment goes on; None at its end.
    """

    lines: bytes
    count: int
    segment: int
    position: bytes | None


class BothSides(Protocol):
    """Legacy's and the pipeline's tables, read consistently and never written."""

    @property
    def has_legacy(self) -> bool:
        """Whether legacy is looked at."""
        ...

    def chunks(
        self, part: Part, positions: Mapping[int, bytes | None], since: str | None = None
    ) -> Iterator[Chunk]:
        """Read a table, from these positions on; with `since`, only facts that were ingested later."""
        ...

    def about(self, part: Part) -> int:
        """Estimate how many lines a part has."""
        ...

    def programs(self) -> Mapping[Row, Parts]:
        """Read every program's row, shards summed."""
        ...

    def employees(self, names: Sequence[str]) -> Iterator[EmployeeReading]:
        """Read these employees, each in the order legacy's rows, legacy's events, rows, facts."""
        ...

    def legacy_boards(self) -> Iterator[StoredBoard]:
        """Read legacy's boards of employees."""
        ...

    def pipeline_boards(self, only: str | None = None) -> Iterator[StoredBoard]:
        """Read the pipeline's latest boards of employees, or one of them."""
        ...

    def newest_folded_at(self) -> str | None:
        """Tell when the newest folded fact was ingested; None before the first."""
        ...

    def queued(self) -> int:
        """Count the messages in the pipeline's queue or being worked on, about."""
        ...

    def dead(self) -> int:
        """Count the messages that were given up."""
        ...
