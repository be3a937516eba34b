"""Every aggregate of both sides beside the folds of their events, as the store has lined them up.

    legacy rows --+
    legacy events +-- fold --+-- line up --> a line an aggregate, as diff/two_sides.py says
    facts --------+          |
    pipeline rows -----------+

Each question has a cursor of its own, so that answers can be read side by side. It never explains.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from migration.compare.boards.boards import BoardEntry
from migration.compare.diff.report import LevelCount
from migration.compare.diff.two_sides import Sighting, Stored, Sums, ranked_program
from migration.compare.miscounts import Pool
from migration.model.fold import LEVELS, Fold, Identity, Row

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    import duckdb

    Employee = tuple[list[Sums], list[Sighting]]

MOST_SIGHTINGS: Final = 100_000  # of one program; more are not searched for a fold's error
_FETCHED: Final = 10_000  # rows at a time
_READ: Final = ("legacy's aggregates", "the pipeline's aggregates", "legacy's events", "facts")


@dataclass(frozen=True, slots=True)
class BesideFolds:
    """Both sides' aggregates and events.

    Attributes:
        connection: to the store's database.
        sql: its statements, by name.
    """

    connection: duckdb.DuckDBPyConnection
    sql: Mapping[str, str]

    def read(self) -> Mapping[str, int]:
        """Count the items of each kind that were read."""
        [counts] = self.rows("read")
        return dict(zip(_READ, counts, strict=True))

    def counts(self) -> list[LevelCount]:
        """Count aggregates, and those that differ, by kind."""
        counted = {level: counts for level, *counts in self.rows("levels")}
        return [LevelCount(name, *counted.get(name, (0, 0))) for name in LEVELS]

    def differing_employees(self) -> Iterator[Employee]:
        """Give, employee by employee, the rows that differ and all of the employee's activities."""
        return self._employees("differing employees")

    def these_employees(self, names: Collection[str]) -> Iterator[Employee]:
        """Give all rows and activities of some employees."""
        return self._employees("these employees", list(names))

    def differing_programs(self) -> Iterator[Sums]:
        """Give the programs' rows that differ."""
        return map(_sums, self.rows("differing programs"))

    def program(self, program_id: str, young_since: str) -> ProgramLookup:
        """Look up a program's events."""
        return ProgramLookup(self, program_id, young_since)

    def true_places(self, board: str, depth: int, names: Collection[str]) -> dict[str, BoardEntry]:
        """Rank the truth, for everybody down to a depth and for those who are named; equals share a rank."""
        rows = self.rows("true places", ranked_program(board), depth, list(names))
        return {name: BoardEntry(place, name, points) for place, name, points in rows}

    def populations(self, board: str) -> tuple[int, int]:
        """Count the employees whom legacy, and whom the pipeline, could show on a board."""
        ((legacy, pipeline),) = self.rows("populations", ranked_program(board))
        return legacy, pipeline

    def rows(self, name: str, *values: object) -> Iterator[Any]:
        """Ask a question, and give the answer's rows as they are asked for."""
        cursor = self.connection.cursor().execute(self.sql[name], values)
        while rows := cursor.fetchmany(_FETCHED):
            yield from rows

    def _employees(self, name: str, *values: object) -> Iterator[Employee]:
        """Merge two streams that are both in the order of the employees."""
        by_employee = groupby(
            map(_sighting, self.rows(f"sightings of {name}", *values)), lambda one: one.identity.employee_id
        )
        employee, events = next(by_employee, ("", iter(())))
        for wanted, several in groupby(
            map(_sums, self.rows(name, *values)), lambda one: one.row.employee_id or ""
        ):
            while employee < wanted and (following := next(by_employee, None)):
                employee, events = following
            yield list(several), list(events) if employee == wanted else []


@dataclass(frozen=True, slots=True)
class ProgramLookup:
    """The events of one program, looked up when they are needed."""

    beside: BesideFolds
    program_id: str
    young_since: str

    def pool(self) -> Pool:
        """Count legacy's events by their points, with the first ids of each."""
        return pool_of(self.beside.rows("legacy's pool", self.program_id))

    def young(self) -> dict[str, Fold]:
        """Give legacy's events that may not be counted yet."""
        rows = self.beside.rows("young events of a program", self.program_id, self.young_since)
        return {name: Fold(points, 1) for name, points in rows}

    def sightings(self) -> list[Sighting]:
        """Give every activity, unless there are too many."""
        ((facts,),) = self.beside.rows("count facts of a program", self.program_id)
        if facts > MOST_SIGHTINGS:
            return []
        return [_sighting(row) for row in self.beside.rows("sightings of a program", self.program_id)]


def pool_of(rows: Iterable[Any]) -> Pool:
    """Take a pool of events as the database gives it: points, how many, the first ids."""
    pool = Pool()
    for points, count, names in rows:
        pool.counts[points], pool.ids[points] = count, names
    return pool


def _sums(row: Any) -> Sums:  # noqa: ANN401 - as it comes out of the database
    employee, program, l_points, l_events, *prints, _differs = row
    folds = (Fold(*prints[at : at + 3]) for at in range(0, len(prints), 3))
    return Sums(Row(employee or None, program), Fold(l_points, l_events), *folds)


def _sighting(row: Any) -> Sighting:  # noqa: ANN401 - as it comes out of the database
    employee, event, *copies, lane, side = row
    legacy, fact = (Stored(*copy) if copy[0] is not None else None for copy in (copies[:3], copies[3:]))
    return Sighting(Identity(employee, event), legacy, fact, lane or "", side or "")
