"""The history fold, and the comparison of events with facts, in bulk: DuckDB in bounded memory, then on disk.

The fold is `sql/fold.sql`, the same that verifies. What the changes and the pairs must be is defined by
`core.history.fold_history` and `core.reconcile.compare`, and tests hold these to it.
"""

from __future__ import annotations

from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import msgspec

from migration.aws.bulk.database import opened, passing_folder
from migration.aws.bulk.fold_sql import fold_into, statements
from migration.backfill.history import BaseChange, FoldedHistory
from migration.model.facts import Lane, StoredFact
from migration.model.fold import CONTENT, Activity, Fold, Row
from migration.model.side import Side
from migration.repair.differing import Pair

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import duckdb

_SQL: Final = statements("history.sql")
_ENCODED: Final = 10_000  # objects that are written at once
_FETCHED: Final = 10_000  # rows that are read at once
_encode_lines: Final = msgspec.json.Encoder().encode_lines


class _BaseLine(msgspec.Struct, gc=False):
    employee_id: str
    program_id: str
    points: str
    events: str
    fingerprint: str


@contextmanager
def folded_in_bulk(facts: Iterable[Activity], bases: Iterable[tuple[Row, Fold]]) -> Iterator[FoldedHistory]:
    """Fold all facts beside what is installed; the changes can be read while the block lasts."""
    with _bulk() as bulk:
        bulk.run("tables of a fold")
        bulk.insert("insert facts", facts)
        bulk.insert("insert bases", (_base_line(row, fold) for row, fold in bases))
        fold_into(bulk.connection, "due", _SQL["facts to fold"])
        yield _against_what_is_installed(bulk)


@contextmanager
def folded_by_athena(result: Path, bases: Iterable[tuple[Row, Fold]]) -> Iterator[FoldedHistory]:
    """Set a fold that Athena wrote as CSV against what is installed, as `folded_in_bulk` does its own."""
    with _bulk() as bulk:
        bulk.run("tables of a fold")
        bulk.connection.execute(_SQL["due as Athena wrote it"], [str(result)])
        bulk.insert("insert bases", (_base_line(row, fold) for row, fold in bases))
        yield _against_what_is_installed(bulk)


@contextmanager
def compared_in_bulk(events: Iterable[Activity], facts: Iterable[StoredFact]) -> Iterator[Iterator[Pair]]:
    """Find what differs, by employee and event; all events are read before the first fact."""
    with _bulk() as bulk:
        bulk.run("tables of a comparison")
        bulk.insert("insert legacy events", events)
        bulk.insert("insert stored", facts)
        yield map(_pair, bulk.rows("pairs"))


def _against_what_is_installed(bulk: _Bulk) -> FoldedHistory:
    bulk.run("changes")
    [(*whole, rows, changed)] = bulk.rows("whole")
    return FoldedHistory(Fold(*map(int, whole)), rows, changed, map(_change, bulk.rows("each change")))


class _Bulk:
    """A database in a folder that is gone afterwards."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self.connection = connection
        self._lines = folder / "lines.jsonl"

    def run(self, name: str) -> None:
        self.connection.execute(_SQL[name])

    def insert(self, name: str, things: Iterable[object]) -> None:
        """Write things down as they come, and load them in one go."""
        remaining = iter(things)
        with self._lines.open("wb") as lines:
            while some := list(islice(remaining, _ENCODED)):
                lines.write(_encode_lines(some))
        if self._lines.stat().st_size:
            self.connection.execute(_SQL[name], [str(self._lines)])

    def rows(self, name: str) -> Iterator[Any]:
        cursor = self.connection.cursor().execute(_SQL[name])
        while rows := cursor.fetchmany(_FETCHED):
            yield from rows


@contextmanager
def _bulk() -> Iterator[_Bulk]:
    with passing_folder() as folder, opened(folder / "history.duckdb") as connection:
        yield _Bulk(connection, folder)


def _base_line(row: Row, fold: Fold) -> _BaseLine:
    return _BaseLine(
        row.employee_id or "", row.program_id, str(fold.points), str(fold.events), str(fold.fingerprint)
    )


def _change(values: Any) -> BaseChange:  # noqa: ANN401 - as it comes out of the database
    employee, program, *sums = values
    numbers = [int(number) for number in sums]
    return BaseChange(Row(employee or None, program), Fold(*numbers[:3]), Fold(*numbers[3:]))


def _pair(values: Any) -> Pair:  # noqa: ANN401 - as it comes out of the database
    employee, event, *rest = values
    size = len(CONTENT)
    in_legacy, in_facts, about = rest[:size], rest[size : 2 * size], rest[2 * size :]
    activity = None if in_legacy[0] is None else Activity(employee, event, *in_legacy)
    if in_facts[0] is None:
        return Pair(activity, None)
    lane, side, ingested_at = about
    fact = StoredFact(Activity(employee, event, *in_facts), Lane(lane), Side(side), ingested_at)
    return Pair(activity, fact)
