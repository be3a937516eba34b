"""DuckDB as all of the toolkit opens it: in a file, held to a memory limit, fetching nothing from outside."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from migration.aws.bulk.fold_sql import speak_trino
from migration.model.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

MEMORY_LIMIT: Final = "1GB"
# With less memory a thread, DuckDB's threads hold all of it before any of them spills to disk.
_FED_THREADS: Final = """SET threads = greatest(1, least(current_setting('threads'),
    parse_formatted_bytes(current_setting('memory_limit')) // parse_formatted_bytes('125 MB')))"""


def opened(path: Path, memory_limit: str = MEMORY_LIMIT) -> duckdb.DuckDBPyConnection:
    """Open a database that spills beside its file what does not fit, and has threads as its memory feeds.

    Raises:
        ConflictError: when another process has it open.
    """
    import duckdb  # noqa: PLC0415 - 0.04 of the 0.9 s of `cutover --help`, which opens none

    config: dict[str, Any] = {
        "memory_limit": memory_limit,
        "temp_directory": str(path.parent / "spill"),
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    try:
        connection = duckdb.connect(path, config=config)
    except duckdb.IOException as error:
        raise ConflictError(
            f"another process verifies in {path.parent}", hint="wait for it, or stop it"
        ) from error
    connection.execute("SET enable_progress_bar = false")  # it would go to stdout, among the data
    connection.execute(_FED_THREADS)
    speak_trino(connection)
    return connection


@contextmanager
def passing_folder() -> Iterator[Path]:
    """Give a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="cutover-") as name:
        yield Path(name)
