"""What a verification reads, and where it keeps and folds what it read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from migration.compare.miscounts import Pool
    from migration.compare.verify.judge import FoundElsewhere
    from migration.compare.verify.verification import (
        EmployeeReading,
        Keys,
        LegacyProgram,
        Parts,
        Sum,
        WideReading,
    )
    from migration.model.fold import Fold, Row


class Part(StrEnum):
    """A table that is read whole. Its lines are JSON objects whose keys are the columns named here.

    Numbers may be texts. Folds are `points`, `events` and, in the pipeline, `fingerprint`, `base_points`,
    `base_events`, `base_fingerprint`.
    """

    EMPLOYEE_ROWS = "employee rows"  # employee_id, program_id, and a fold
    LEGACY_EMPLOYEE_ROWS = "legacy's employee rows"  # employee_id, program_id, and a fold
    LEGACY_EVENTS = "legacy's events"  # employee_id, event_id, program_id, activity_type, points, occurred_at
    FACTS = "facts"  # the same, and ingested_at, lane, side


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


class VerifySource(Protocol):
    """Both sides' tables, read consistently and never written."""

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

    def legacy_programs(self) -> Mapping[Row, Fold]:
        """Read legacy's row of every program."""
        ...

    def employees(self, names: Sequence[str]) -> Iterator[EmployeeReading]:
        """Read these employees, each in the order legacy's rows, legacy's events, rows, facts."""
        ...

    def queued(self) -> int:
        """Count the messages in the pipeline's queue or being worked on, about."""
        ...

    def dead(self) -> int:
        """Count the messages that were given up."""
        ...


@dataclass(frozen=True, slots=True)
class Suspects:
    """Employees of whom something differs: at most as many as were asked for, and how many there are."""

    employees: Sequence[str]
    count: int


@dataclass(frozen=True, slots=True)
class Begun:
    """A verification that was begun.

    Attributes:
        as_of: up to when every fact must be folded, UTC text.
        setup: what is read, and in how many segments; positions mean nothing in another setup.
    """

    as_of: str
    setup: str


class VerifyStore(Protocol):
    """Keeps what was read on disk, folds it there, and tells what differs; survives the process."""

    @property
    def begun(self) -> Begun | None:
        """What is kept here, if anything."""
        ...

    def begin(self, begun: Begun) -> None:
        """Forget everything, and begin a verification."""
        ...

    def positions(self, part: Part) -> Mapping[int, bytes | None]:
        """Tell where each segment goes on."""
        ...

    def add(self, part: Part, chunks: Iterable[Chunk]) -> Iterator[int]:
        """Keep chunks together with their positions; yields how many lines each had."""
        ...

    def add_new(self, chunks: Iterable[Chunk]) -> None:
        """Keep the facts among these that are not known yet; they are young."""
        ...

    def fold(self) -> None:
        """Fold what was added: facts up to the as-of time apart from young ones, and legacy's events."""
        ...

    def suspects(self, most: int) -> Suspects:
        """Name employees whose rows, facts and events do not agree, less what only young facts make."""
        ...

    def programs(self, samples: Sequence[Mapping[Row, Parts]]) -> Sequence[WideReading]:
        """Set the programs' rows against their facts; gives those that are not equal in the last sample."""
        ...

    def legacy_programs(self) -> Mapping[Row, LegacyProgram]:
        """Give the fold of legacy's events of every program."""
        ...

    def legacy_pool(self, program_id: str) -> Pool:
        """Sort legacy's events of a program by points; ids are `employee event`."""
        ...

    def named(self, fingerprints: Iterable[int]) -> FoundElsewhere:
        """Find what has one of these fingerprints."""
        ...

    def sums(self) -> Sequence[Sum]:
        """Sum up both sides, as far as employees' rows tell."""
        ...

    def keys(self) -> Sequence[Keys]:
        """Count what was compared."""
        ...

    def close(self, *, keep: bool) -> None:
        """Let go of the files; remove them unless they are kept for a resumption."""
        ...
