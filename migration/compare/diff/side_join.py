"""Every aggregate of both sides beside the fold of their events: one full outer join, on disk where needed.

    legacy rows --+
    legacy events +-- fold --+-- join --> a line for each aggregate, as diff/two_sides.py says
    facts --------+          |
    pipeline rows -----------+

An event's fingerprint is the ledger's, computed when it is read; only the sums are SQL. It never explains.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from migration.compare.boards.boards import BoardEntry
from migration.compare.diff import side_sql
from migration.compare.diff.report import LevelCount
from migration.compare.diff.side_sql import EMPLOYEE, IN_PROGRAM, PROGRAM
from migration.compare.diff.spool import MEMORY_LIMIT, database, load
from migration.compare.diff.two_sides import GLOBAL, PROGRAM_BOARD, Sighting, Stored, Sums
from migration.compare.ledger.pipeline import is_reserved
from migration.compare.miscounts import Pool
from migration.model.fold import RESERVED, TOTAL, Fold, Identity, Row, fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    import duckdb

    from migration.compare.diff.both_sides import BothSides

    Employee = tuple[list[Sums], list[Sighting]]

MOST_SIGHTINGS: Final = 100_000  # of one program; more are not searched for a fold's error
_FETCHED: Final = 10_000  # rows at a time
_LEVELS: Final = {IN_PROGRAM: "employee in program", EMPLOYEE: "employee", PROGRAM: "program"}


@dataclass(frozen=True, slots=True)
class ProgramLookup:
    """The events of one program, looked up when they are needed."""

    connection: duckdb.DuckDBPyConnection
    program_id: str
    young_since: str

    def pool(self) -> Pool:
        """Count legacy's events by their points, with the first ids of each."""
        pool = Pool()
        for points, count, names in self._all(side_sql.POOL_OF_PROGRAM, self.program_id):
            pool.counts[points] = count
            pool.ids[points] = names
        return pool

    def young(self) -> dict[str, Fold]:
        """Give legacy's events that may not be counted yet."""
        rows = self._all(side_sql.YOUNG_OF_PROGRAM, self.program_id, self.young_since)
        return {name: Fold(points, 1) for name, points in rows}

    def sightings(self) -> list[Sighting]:
        """Give every activity, unless there are too many."""
        ((facts,),) = self._all(side_sql.FACTS_OF_PROGRAM, self.program_id)
        if facts > MOST_SIGHTINGS:
            return []
        return [_sighting(row) for row in self._all(side_sql.OF_PROGRAM, self.program_id)]

    def _all(self, query: str, *values: object) -> list[Any]:
        return self.connection.execute(query, values).fetchall()


class SideJoin:
    """Both sides' aggregates and events, joined."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def load(
        self, sides: BothSides, on_loaded: Callable[[str, int], None] = lambda _what, _rows: None
    ) -> None:
        """Read everything but the boards, aggregates before events, and join it."""
        sources: tuple[tuple[str, str, dict[str, str], Iterator[tuple[str | int, ...]]], ...] = (
            ("legacy's aggregates", "legacy_row", side_sql.ROW, _row_tuples(sides.legacy_rows())),
            ("the pipeline's aggregates", "pipeline_row", side_sql.ROW, _row_tuples(sides.pipeline_rows())),
            ("legacy's events", "legacy_event", side_sql.EVENT, _event_tuples(sides.legacy_events())),
            ("facts", "fact", side_sql.EVENT, _event_tuples(sides.facts())),
        )
        for what, table, columns, rows in sources:
            on_loaded(what, load(self._connection, table, columns, rows))
        self._connection.execute(side_sql.JOIN)

    def counts(self) -> list[LevelCount]:
        """Count aggregates, and those that differ, by kind."""
        counted = {level: (rows, differing) for level, rows, differing in self._rows(side_sql.LEVELS)}
        return [LevelCount(name, *counted.get(level, (0, 0))) for level, name in _LEVELS.items()]

    def differing_employees(self) -> Iterator[Employee]:
        """Give, employee by employee, the rows that differ and all of the employee's activities."""
        return self._employees(side_sql.DIFFERING_EMPLOYEES, side_sql.OF_DIFFERING_EMPLOYEES)

    def these_employees(self, names: Collection[str]) -> Iterator[Employee]:
        """Give all rows and activities of some employees."""
        return self._employees(side_sql.THESE_EMPLOYEES, side_sql.OF_THESE_EMPLOYEES, list(names))

    def differing_programs(self) -> Iterator[Sums]:
        """Give the programs' rows that differ."""
        return map(_sums, self._rows(side_sql.DIFFERING_PROGRAMS))

    def program(self, program_id: str, young_since: str) -> ProgramLookup:
        """Look up a program's events."""
        return ProgramLookup(self._connection.cursor(), program_id, young_since)

    def true_places(self, board: str, depth: int, names: Collection[str]) -> dict[str, BoardEntry]:
        """Rank the truth, for everybody down to a depth and for those who are named; equals share a rank."""
        rows = self._rows(side_sql.TRUE_PLACES, *_board_rows(board), depth, list(names))
        return {name: BoardEntry(place, name, points) for place, name, points in rows}

    def populations(self, board: str) -> tuple[int, int]:
        """Count the employees whom legacy, and whom the pipeline, could show on a board."""
        ((legacy, pipeline),) = self._rows(side_sql.POPULATIONS, *_board_rows(board))
        return legacy, pipeline

    def _employees(self, of_rows: str, of_events: str, *values: object) -> Iterator[Employee]:
        """Merge two streams that are both in the order of the employees."""
        rows = map(_sums, self._rows(f"{side_sql.SUMS} {of_rows} ORDER BY employee, level", *values))
        query = f"{side_sql.SIGHTINGS} {of_events} ORDER BY employee, event"
        by_employee = groupby(
            map(_sighting, self._rows(query, *values)), lambda one: one.identity.employee_id
        )
        name, events = next(by_employee, ("", iter(())))
        for employee, several in groupby(rows, lambda one: one.row.employee_id or ""):
            while name < employee and (following := next(by_employee, None)):
                name, events = following
            yield list(several), list(events) if name == employee else []

    def _rows(self, query: str, *values: object) -> Iterator[Any]:
        """Run a query on a cursor of its own, and give its rows as they are asked for."""
        cursor = self._connection.cursor().execute(query, values)
        while rows := cursor.fetchmany(_FETCHED):
            yield from rows


@contextmanager
def joined_sides(memory_limit: str = MEMORY_LIMIT) -> Iterator[SideJoin]:
    """Give a join to load, in a database that is gone afterwards."""
    with database(memory_limit) as connection:
        yield SideJoin(connection)


def _row_tuples(rows: Iterable[tuple[Row, Fold]]) -> Iterator[tuple[str | int, ...]]:
    for row, fold in rows:
        if not is_reserved(row):
            level = (
                PROGRAM if row.employee_id is None else EMPLOYEE if row.program_id == TOTAL else IN_PROGRAM
            )
            yield level, row.employee_id or "", row.program_id, fold.points, fold.events, fold.fingerprint


def _event_tuples(sightings: Iterable[Sighting]) -> Iterator[tuple[str | int, ...]]:
    for one in sightings:
        if not one.identity.employee_id.startswith(RESERVED):
            stored = one.truth
            about = (stored.program_id, stored.points, stored.at, one.lane, one.side)
            yield *one.identity, *about, fingerprint(one.identity)


def _board_rows(board: str) -> tuple[int, str]:
    """Name the rows that a board ranks."""
    return (EMPLOYEE, TOTAL) if board == GLOBAL else (IN_PROGRAM, board.removeprefix(PROGRAM_BOARD))


def _sums(row: Any) -> Sums:  # noqa: ANN401 - as it comes out of the database
    level, employee, program, l_points, l_events, *prints = row
    folds = (Fold(*prints[index : index + 3]) for index in range(0, len(prints), 3))
    return Sums(Row(None if level == PROGRAM else employee, program), Fold(l_points, l_events), *folds)


def _sighting(row: Any) -> Sighting:  # noqa: ANN401 - as it comes out of the database
    employee, event, *copies, lane, side = row
    legacy, fact = (Stored(*copy) if copy[0] is not None else None for copy in (copies[:3], copies[3:]))
    return Sighting(Identity(employee, event), legacy, fact, lane or "", side or "")
