"""DuckDB as all of the toolkit opens it: in a file, held to a memory limit, fetching nothing from outside."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb

from migration.aws.bulk.fold_sql import speak_trino

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMORY_LIMIT: Final = "1GB"


def opened(path: Path, memory_limit: str = MEMORY_LIMIT) -> duckdb.DuckDBPyConnection:
    """Open a database, which spills beside its file what does not fit.

    Raises:
        duckdb.IOException: when another process has it open.
    """
    config: dict[str, Any] = {
        "memory_limit": memory_limit,
        "temp_directory": str(path.parent / "spill"),
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    connection = duckdb.connect(path, config=config)
    connection.execute("SET enable_progress_bar = false")  # it would go to stdout, among the data
    speak_trino(connection)
    return connection


@contextmanager
def passing_folder() -> Iterator[Path]:
    """Give a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="cutover-") as name:
        yield Path(name)
