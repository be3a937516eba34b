"""Bulk loading into DuckDB in bounded memory: rows go to a file as they come, and from there into a table.

It never holds the rows, and DuckDB itself is held to a memory limit and spills to the same folder.
"""

from __future__ import annotations

import csv
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MEMORY_LIMIT: Final = "1GB"
_NO_NULL: Final = (
    "\x01\x02"  # every text is a text: an empty one, or one that says NULL, must not become a null
)


@contextmanager
def database(memory_limit: str = MEMORY_LIMIT) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database in a folder of its own, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="cutover-") as folder:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory_limit,
            "temp_directory": folder,
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        with duckdb.connect(Path(folder) / "sides.db", config=config) as connection:
            connection.execute("SET enable_progress_bar = false")  # it would go to stdout, among the data
            yield connection


def load(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: Mapping[str, str],
    rows: Iterable[Sequence[str | int]],
) -> int:
    """Make a table of rows, whose texts may hold anything that UTF-8 can; tells how many there were.

    Args:
        connection: the database.
        table: the new table's name.
        columns: SQL type by column.
        rows: values in the columns' order.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n").writerows(rows)
        file.flush()
        return fill(connection, table, columns, Path(file.name))


def fill(connection: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, str], path: Path) -> int:
    """Make a table of a file that was written so: texts quoted, numbers not, lines ended by a line feed."""
    connection.execute(f"CREATE TABLE {table} ({', '.join(f'{n} {t}' for n, t in columns.items())})")
    loaded = connection.execute(
        f"INSERT INTO {table} SELECT * FROM read_csv(?, columns = {dict(columns)}, header = false, "  # noqa: S608 - the names are ours
        "auto_detect = false, delim = ',', quote = '\"', escape = '\"', new_line = '\\n', nullstr = ?)",
        [str(path), _NO_NULL],
    ).fetchone()
    return int(loaded[0]) if loaded else 0
