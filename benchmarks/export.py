"""Folding a DynamoDB export: the toolkit's fold.sql in DuckDB, the standard library with a dict, pandas.

An export is gzipped lines of DynamoDB's JSON, as `ExportTableToPointInTime` writes them. Every side reads
the same files and comes to the same rows: points, events and fingerprint of each employee in each program, of
each employee, of each program.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import tempfile
from collections import defaultdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from benchmarks.side_by_side import race, report
from benchmarks.stand_in import legacy_events
from migration.aws.bulk.database import MEMORY_LIMIT, opened, passing_folder
from migration.aws.bulk.fold_sql import fold_into

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.report import Report
    from benchmarks.settings import Settings

    Sums = tuple[int, int, int]  # points, events, fingerprint

FILES: Final = 4
MOST_ROUNDS: Final = 3
_ATTRIBUTES: Final = ("employee_id", "event_id", "program_id")
_MORE: Final = {
    "ingested_at": {"S": "2026-03-01T09:30:00.000Z"},
    "lane": {"S": "live"},
    "side": {"S": "pipeline"},
}
_MODULUS: Final = 1_000_003
_PART: Final = 2**30  # pandas sums 64 bits, fingerprints have 60: it sums them in two parts
_FACTS: Final = """
SELECT Item.employee_id.S AS employee_id, Item.event_id.S AS event_id, Item.program_id.S AS program_id,
    Item.points.N::BIGINT AS points, 'live' AS lane
FROM read_json('{files}', format = 'newline_delimited', columns = {{Item: 'STRUCT(
    employee_id STRUCT(S VARCHAR), event_id STRUCT(S VARCHAR), program_id STRUCT(S VARCHAR),
    points STRUCT(N VARCHAR)
)'}})
"""
_MARK: Final = """
SELECT count(*), sum(live_points * live_events), sum((live_fingerprint % ?) * live_points) FROM folds
"""
SIDES: Final = {
    "json and a dict": "with_dict",
    "pandas": "with_pandas",
    "fold.sql in DuckDB": "with_duckdb",
}


def run(settings: Settings) -> list[Report]:
    """Fold the same export with every side."""
    with tempfile.TemporaryDirectory(prefix="cutover-") as folder:
        size = write(Path(folder), settings.facts, settings.seed)
        taken = race("benchmarks.export", SIDES, (folder,), min(settings.rounds, MOST_ROUNDS))
    notes = (
        f"{FILES} files, {size / 1e6:,.0f} MB gzipped. All come to the same rows, fingerprints included.",
        f"DuckDB may use {MEMORY_LIMIT} and all cores.",
    )
    return [report("export", f"Folding an export of {settings.facts:,} facts", settings.facts, taken, notes)]


def with_dict(folder: str) -> list[int]:
    """Fold line by line."""
    folds: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for path in _files(folder):
        with gzip.open(path) as lines:
            for line in lines:
                item = json.loads(line)["Item"]
                employee, event, program = (item[name]["S"] for name in _ATTRIBUTES)
                points, mark = int(item["points"]["N"]), _fingerprint(employee, event)
                for key in ((employee, program), (employee, "#total"), ("", program)):
                    fold = folds[key]
                    fold[0] += points
                    fold[1] += 1
                    fold[2] += mark
    return summary((points, events, mark) for points, events, mark in folds.values())


def with_pandas(folder: str) -> list[int]:
    """Fold by three groupings of one frame."""
    import pandas as pd  # noqa: PLC0415 - not everybody has it

    items = (
        item for path in _files(folder) for item in pd.read_json(path, lines=True, compression="gzip")["Item"]
    )
    frame = pd.DataFrame.from_records(
        [{**{name: item[name]["S"] for name in _ATTRIBUTES}, "points": item["points"]["N"]} for item in items]
    ).astype({"points": "int64"})
    marks = list(map(_fingerprint, frame["employee_id"], frame["event_id"]))
    frame = frame.assign(events=1, high=[m // _PART for m in marks], low=[m % _PART for m in marks])
    sums = ["points", "events", "high", "low"]
    keys: tuple[list[str], ...] = (["employee_id", "program_id"], ["employee_id"], ["program_id"])
    folds = pd.concat([frame.groupby(key)[sums].sum() for key in keys])
    rows = folds.itertuples(index=False)
    return summary((int(r.points), int(r.events), int(r.high) * _PART + int(r.low)) for r in rows)


def with_duckdb(folder: str) -> list[int]:
    """Fold by the SQL that verifies."""
    with passing_folder() as own, opened(own / "export.duckdb") as connection:
        fold_into(connection, "folds", _FACTS.format(files=Path(folder) / "*.json.gz"))
        marked: Any = connection.execute(_MARK, [_MODULUS]).fetchone()
    return [int(number) for number in marked]


def write(folder: Path, facts: int, seed: int) -> int:
    """Write an export; gives its size in bytes."""
    encode = msgspec.json.Encoder().encode
    items = legacy_events(facts, seed)
    for number in range(FILES):
        with gzip.open(folder / f"{number}.json.gz", "wb", compresslevel=6) as file:
            for item in islice(items, -(-facts // FILES)):
                file.write(encode({"Item": {**item, **_MORE}}) + b"\n")
    return sum(path.stat().st_size for path in _files(folder))


def _files(folder: Path | str) -> Iterator[Path]:
    yield from sorted(Path(folder).glob("*.json.gz"))


def _fingerprint(employee: str, event: str) -> int:
    return int(hashlib.sha256(f"{employee}\n{event}".encode()).hexdigest()[:15], 16)


def summary(folds: Iterable[Sums]) -> list[int]:
    """Make few numbers of all rows, that differ when one row does."""
    rows = products = prints = 0
    for points, events, mark in folds:
        rows += 1
        products += points * events
        prints += mark % _MODULUS * points
    return [rows, products, prints]
