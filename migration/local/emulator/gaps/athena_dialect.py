"""What Athena reads and speaks: JSON by the columns that a table declares, and Trino's functions.

ministack 1.5.33 gives a query to DuckDB as it is, which has no `to_utf8`, `to_hex` and `from_base`; and it
lets DuckDB guess what the values of JSON files are, so that a text that looks like a time becomes one. On AWS
the SerDe takes each value as the declared type, and names without regard to case. Filled by defining the
functions for each query, and by reading JSON tables with the declared types.
"""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ministack.services import athena

from migration.aws.bulk.fold_sql import TRINO_IN_DUCKDB
from migration.local.emulator.gaps import seam

if TYPE_CHECKING:
    from collections.abc import Callable

_JSON_SERDE: Final = "org.openx.data.jsonserde.JsonSerDe"
_SCALARS: Final = {"string": "VARCHAR", "int": "INTEGER", "binary": "BLOB"}
_TOKEN: Final = re.compile(r"[<>,:]|[^<>,:\s]+")


def fill() -> None:
    """Fill the gap."""
    seam.replace(athena, "_rewrite_data_paths", _speaking_trino)
    seam.replace(athena, "_table_relation", _reading_declared_columns)


def _speaking_trino(rewrite: Callable[..., Any]) -> Callable[..., Any]:
    async def speak(*arguments: Any) -> Any:  # noqa: ANN401 - ministack is untyped
        query, *rest = await rewrite(*arguments)
        return (f"{TRINO_IN_DUCKDB}{query}", *rest)

    return speak


def _reading_declared_columns(relation: Callable[..., str]) -> Callable[..., str]:
    def read(table: dict[str, Any], files: list[str]) -> str:
        storage = table.get("StorageDescriptor") or {}
        if (storage.get("SerdeInfo") or {}).get("SerializationLibrary") != _JSON_SERDE:
            return relation(table, files)
        for file in files:
            _lower_names(Path(file))
        columns = ", ".join(f"'{one['Name']}': '{duckdb_type(one['Type'])}'" for one in storage["Columns"])
        listed = ", ".join(f"'{file}'" for file in files)
        plain = "format = 'newline_delimited', compression = 'none'"
        return f"read_json([{listed}], {plain}, columns = {{{columns}}})"

    return read


def duckdb_type(hive: str) -> str:
    """Translate a type of Hive's, also a nested one: `struct<a:string>` is `STRUCT("a" VARCHAR)`."""
    tokens = _TOKEN.findall(hive.lower())
    translated = _type(tokens)
    if tokens:
        raise ValueError(f"{hive} is no type that the local Athena reads")
    return translated


def _type(tokens: list[str]) -> str:
    name = tokens.pop(0)
    if name not in {"array", "map", "struct"}:
        return _SCALARS.get(name, name.upper())
    tokens.pop(0)
    parts = []
    while True:
        field = f'"{tokens.pop(0)}" ' if name == "struct" else ""
        if field:
            tokens.pop(0)
        parts.append(field + _type(tokens))
        if tokens.pop(0) == ">":
            break
    return {"array": f"{parts[0]}[]", "map": f"MAP({', '.join(parts)})"}.get(
        name, f"STRUCT({', '.join(parts)})"
    )


def _lower_names(file: Path) -> None:
    """Write the query's own copy of a file again, unpacked and with every name in lower case."""
    body = file.read_bytes()
    text = gzip.decompress(body) if file.suffix == ".gz" else body
    lines = (json.dumps(_lowered(json.loads(line))) for line in text.splitlines() if line.strip())
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _lowered(value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    if isinstance(value, dict):
        return {name.lower(): _lowered(one) for name, one in value.items()}
    return [_lowered(one) for one in value] if isinstance(value, list) else value
