"""The SQL of the toolkit, in files; and the one fold, `sql/fold.sql`, as DuckDB runs it.

What the files say of an activity's columns, in braces, is filled in here from the one list of them.
Athena runs the fold's file as it is. DuckDB spells three of Trino's functions differently, so they are
defined here, and nothing else is changed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from migration.model.fold import COLUMNS, CONTENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

_FOLDER: Final = Path(__file__).parent / "sql"
_NAME: Final = re.compile(r"^-- name: (.+)$", re.MULTILINE)
_TYPES: Final = {name: "HUGEINT" if kind is int else "VARCHAR" for name, kind in COLUMNS.items()}
_OF_AN_ACTIVITY: Final = {
    "{activity_columns}": ", ".join(COLUMNS),
    "{activity_definitions}": ", ".join(f"{name} {type_}" for name, type_ in _TYPES.items()),
    "{activity_json}": ", ".join(f"{name}: '{type_}'" for name, type_ in _TYPES.items()),
    "{event_content}": ", ".join(f"event.{name}" for name in CONTENT),
    "{fact_content}": ", ".join(f"fact.{name}" for name in CONTENT),
    "{content_differs}": " OR ".join(f"event.{name} <> fact.{name}" for name in CONTENT),
}
FOLD: Final = (_FOLDER / "fold.sql").read_text(encoding="utf-8")

# DuckDB's sha256 takes a text and gives hexadecimal digits already; Trino's takes and gives bytes.
TRINO_IN_DUCKDB: Final = """
CREATE OR REPLACE TEMP MACRO to_utf8(text) AS text;
CREATE OR REPLACE TEMP MACRO to_hex(digits) AS digits;
CREATE OR REPLACE TEMP MACRO from_base(digits, base) AS ('0x' || digits)::BIGINT;
"""
# What an export holds, in DynamoDB's own JSON, one item a line; only attributes that the fold reads.
_EXPORT_COLUMNS: Final = (
    "item struct<employee_id:struct<S:string>,event_id:struct<S:string>,program_id:struct<S:string>,"
    "points:struct<N:string>,lane:struct<S:string>>"
)
_EXPORTED_HISTORY: Final = """
    SELECT
        item.employee_id.s AS employee_id,
        item.event_id.s AS event_id,
        item.program_id.s AS program_id,
        CAST(item.points.n AS DECIMAL(38, 0)) AS points,
        item.lane.s AS lane
    FROM {table}
    WHERE item.lane.s = 'history'
"""
_WITH_WHOLE_NUMBERS: Final = (
    "SELECT * REPLACE (live_points::HUGEINT AS live_points, base_points::HUGEINT AS base_points, "
    "live_fingerprint::HUGEINT AS live_fingerprint, base_fingerprint::HUGEINT AS base_fingerprint) FROM "
)


def statements(name: str) -> Mapping[str, str]:
    """Read a file of named statements; an activity's columns are filled in."""
    text = (_FOLDER / name).read_text(encoding="utf-8")
    for place, columns in _OF_AN_ACTIVITY.items():
        text = text.replace(place, columns)
    parts = _NAME.split(text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def speak_trino(connection: duckdb.DuckDBPyConnection) -> None:
    """Give a connection the functions that the fold calls; for the length of the connection."""
    connection.execute(TRINO_IN_DUCKDB)


def fold_into(connection: duckdb.DuckDBPyConnection, table: str, facts: str) -> None:
    """Fold a query's rows into a new table.

    Args:
        connection: one that speaks Trino.
        table: name of the table to make; one of that name is replaced.
        facts: a SELECT of employee_id, event_id, program_id, points, lane.
    """
    connection.execute(f"CREATE OR REPLACE TEMP VIEW facts_to_fold AS {facts}")
    connection.execute(f"CREATE OR REPLACE TABLE {table} AS {_WITH_WHOLE_NUMBERS} ({FOLD})")


def table_of_export(table: str, location: str) -> str:
    """Write the statement that lets Athena read an export; repeating it changes nothing.

    Args:
        table: the table's name.
        location: the export's data folder, `s3://…/data/`.
    """
    return (
        f"CREATE EXTERNAL TABLE IF NOT EXISTS {table} ({_EXPORT_COLUMNS}) "
        f"ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION '{location}'"
    )


def fold_of_export(table: str) -> str:
    """Write the query that folds an export's history facts: the fold's file as it is, after its facts."""
    return f"WITH facts_to_fold AS ({_EXPORTED_HISTORY.format(table=table)})\n{FOLD}"
