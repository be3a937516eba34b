"""What is kept of one reading of both sides, and the questions that a verification and a diff ask of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from migration.compare.boards.boards import BoardEntry
    from migration.compare.both_sides import Chunk, Part
    from migration.compare.diff.program_reasons import ProgramEvents
    from migration.compare.diff.report import LevelCount
    from migration.compare.diff.two_sides import Sighting, Sums
    from migration.compare.miscounts import Pool
    from migration.compare.verify.judge import FoundElsewhere
    from migration.compare.verify.verification import Keys, LegacyProgram, Parts, Sum, WideReading
    from migration.model.fold import Row


@dataclass(frozen=True, slots=True)
class Suspects:
    """Employees of whom something differs: at most as many as were asked for, and how many there are."""

    employees: Sequence[str]
    count: int


@dataclass(frozen=True, slots=True)
class Begun:
    """A reading that was begun.

    Attributes:
        as_of: up to when every fact must be folded, UTC text.
        setup: what is read, and in how many segments; positions mean nothing in another setup.
    """

    as_of: str
    setup: str = ""


class Join(Protocol):
    """Both sides' aggregates and events, lined up: of everybody, or of those who are on a board."""

    def populations(self, board: str) -> tuple[int, int]:
        """Count the employees whom legacy, and whom the pipeline, could show on a board."""
        ...

    def true_places(self, board: str, depth: int, names: Collection[str]) -> dict[str, BoardEntry]:
        """Rank the truth, for everybody down to a depth and for those who are named; equals share a rank."""
        ...

    def these_employees(self, names: Collection[str]) -> Iterator[tuple[list[Sums], list[Sighting]]]:
        """Give all rows and activities of some employees."""
        ...


class LinedUp(Join, Protocol):
    """Every aggregate of both sides beside the folds of their events, pulses left out."""

    def read(self) -> Mapping[str, int]:
        """Count the items of each kind that were read."""
        ...

    def counts(self) -> list[LevelCount]:
        """Count aggregates, and those that differ, by kind."""
        ...

    def differing_employees(self) -> Iterator[tuple[list[Sums], list[Sighting]]]:
        """Give, employee by employee, the rows that differ and all of the employee's activities."""
        ...

    def differing_programs(self) -> Iterator[Sums]:
        """Give the programs' rows that differ."""
        ...

    def program(self, program_id: str, young_since: str) -> ProgramEvents:
        """Look up a program's events."""
        ...


class SideStore(Protocol):
    """Keeps what was read on disk, folds it there, and tells what differs; survives the process."""

    @property
    def begun(self) -> Begun | None:
        """What is kept here, if anything."""
        ...

    def begin(self, begun: Begun) -> None:
        """Forget everything, and begin a reading."""
        ...

    def positions(self, part: Part) -> Mapping[int, bytes | None]:
        """Tell where each segment goes on."""
        ...

    def add(self, part: Part, chunks: Iterable[Chunk]) -> Iterator[int]:
        """Keep chunks together with their positions; yields how many lines each had."""
        ...

    def add_new(self, chunks: Iterable[Chunk]) -> None:
        """Keep the facts among these that are not known yet, apart from the others; they are young."""
        ...

    def fold(self) -> None:
        """Fold what was added: facts up to the as-of time apart from young ones, and legacy's events."""
        ...

    def compare(self) -> None:
        """Find out what differs of what was folded."""
        ...

    def line_up(self) -> LinedUp:
        """Set the aggregates of both sides beside what was folded."""
        ...

    def program_rows(self) -> Mapping[Row, Parts]:
        """Give every program's row as it was read, shards summed."""
        ...

    def suspects(self, most: int) -> Suspects:
        """Name employees whose rows, facts and events do not agree, less what only young facts make."""
        ...

    def programs(self, samples: Sequence[Mapping[Row, Parts]]) -> Sequence[WideReading]:
        """Set the programs' rows against their facts; gives those that are not equal in the last sample."""
        ...

    def legacy_programs(self) -> Mapping[Row, LegacyProgram]:
        """Give legacy's row of every program, and what it must hold."""
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
