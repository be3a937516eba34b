"""Finding what differs between two tables of aggregates: DuckDB's full outer join, a dict, pandas.

All read the same two files: a row is two ids, points, events and a fingerprint; the second file is shuffled,
and one row in 10,000 differs or is on one side only. Each measurement is a process of its own, so that its
peak memory is its own. DuckDB is held to the memory limit of the diff; with so many keys that the others
would not fit, it runs alone.
"""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

from benchmarks.apart import lap
from benchmarks.report import Report
from benchmarks.side_by_side import race, report
from migration.aws.bulk.database import MEMORY_LIMIT, opened, passing_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.apart import Measured
    from benchmarks.settings import Settings

MOST_ROUNDS: Final = 3
MOST_KEYS_AGAIN: Final = 1_000_000  # with more, one round
MOST_KEYS_IN_MEMORY: Final = 5_000_000  # with more, DuckDB alone
LAP: Final = "join_cpu_s"
ONE_IN: Final = 10_000
COLUMNS: Final = {
    "employee": "VARCHAR",
    "program": "VARCHAR",
    "points": "HUGEINT",
    "events": "HUGEINT",
    "print": "HUGEINT",
}
SIDES: Final = {
    "dict": "with_dict",
    "pandas merge": "with_pandas",
    "DuckDB full outer join": "with_duckdb",
}
_BOUNDED: Final = "DuckDB full outer join"
_DIFFERING: Final = """
SELECT count(*) FROM one FULL JOIN other USING (employee, program)
WHERE (one.points, one.events, one.print) IS DISTINCT FROM (other.points, other.events, other.print)
"""
# Rows are made by the hash of their number, so a seed makes the same ones again, whatever their count.
_ROWS: Final = """
CREATE TABLE made AS SELECT
    'emp-' || lpad((i // 4)::VARCHAR, 7, '0') AS employee,
    'prog-' || i % 4 || '-' || lpad((i % 50)::VARCHAR, 2, '0') AS program,
    1 + hash(i, {seed}) % 9999 AS points,
    1 + i % 90 AS events,
    points * 1125899906842624 AS print,
    i % {one_in} = 7 AS wrong,
    wrong AND i // {one_in} % 10 = 0 AS renamed,
    hash(i, {seed}, 'place') AS place
FROM range({keys}) AS numbers(i)
"""
_FILL: Final = "CREATE TABLE {table} AS FROM read_csv(?, columns = {columns}, header = false)"
_ONE: Final = "SELECT employee, program, points, events, print FROM made"
_OTHER: Final = """
SELECT employee || CASE WHEN renamed THEN ' too' ELSE '' END AS employee, program,
    points + wrong::INTEGER AS points, events, print
FROM made ORDER BY place
"""


def run(settings: Settings) -> list[Report]:
    """Measure all ways for every number of keys."""
    return [report for keys in settings.keys for report in _reports(keys, settings)]


def with_dict(one: str, other: str) -> int:
    """Read one side into a dict, and take the other off it."""
    rows = {(employee, program): values for employee, program, *values in _read(one)}
    differing = sum(
        rows.pop((employee, program), None) != values for employee, program, *values in _read(other)
    )
    return differing + len(rows)


def with_pandas(one: str, other: str) -> int:
    """Merge on all columns, since an outer merge by key would turn whole numbers into rounded ones."""
    import pandas as pd  # noqa: PLC0415 - not everybody has it

    names = list(COLUMNS)
    sides = [pd.read_csv(path, header=None, names=names, keep_default_na=False) for path in (one, other)]
    with lap(LAP):
        merged = sides[0].merge(sides[1], how="outer", on=names, indicator=True)
        apart = merged.loc[merged["_merge"] != "both", ["employee", "program"]]
        return len(apart.drop_duplicates())


def with_duckdb(one: str, other: str) -> int:
    """Fill two tables and join them."""
    with passing_folder() as own, opened(own / "joins.duckdb") as connection:
        for table, path in (("one", one), ("other", other)):
            connection.execute(_FILL.format(table=table, columns=dict(COLUMNS)), [path])
        with lap(LAP):
            counted = connection.execute(_DIFFERING).fetchone()
    return int(counted[0]) if counted else 0


def write(folder: Path, keys: int, seed: int) -> tuple[Path, Path, int]:
    """Write both files; tells how many rows differ."""
    one, other = folder / "one.csv", folder / "other.csv"
    with passing_folder() as own, opened(own / "joins.duckdb") as connection:
        connection.execute(_ROWS.format(seed=seed, keys=keys, one_in=min(ONE_IN, keys)))
        for path, rows in ((one, _ONE), (other, _OTHER)):
            connection.execute("SET preserve_insertion_order = true")
            connection.execute(f"COPY ({rows}) TO '{path}' (HEADER false, FORCE_QUOTE (employee, program))")
        query = "SELECT count(*) FILTER (WHERE wrong) + count(*) FILTER (WHERE renamed) FROM made"
        counted = connection.execute(query).fetchone()
    return one, other, int(counted[0]) if counted else 0


def _reports(keys: int, settings: Settings) -> Iterator[Report]:
    rounds = min(settings.rounds, MOST_ROUNDS) if keys <= MOST_KEYS_AGAIN else 1
    sides = SIDES if keys <= MOST_KEYS_IN_MEMORY else {_BOUNDED: SIDES[_BOUNDED]}
    with tempfile.TemporaryDirectory(prefix="cutover-") as folder:
        one, other, differing = write(Path(folder), keys, settings.seed)
        taken = race("benchmarks.joins", sides, (one, other), rounds)
    assert all(measured["result"] == differing for several in taken.values() for measured in several)
    yield report(
        f"joins_{keys}",
        f"What differs in two tables of {keys:,} rows each",
        keys,
        taken,
        (f"{differing:,} rows differ. DuckDB may use {MEMORY_LIMIT} and all cores.",),
    )
    joined = {side: several for side, several in taken.items() if all(LAP in one for one in several)}
    if len(joined) > 1:
        yield _joining(keys, joined)


def _joining(keys: int, joined: Mapping[str, list[Measured]]) -> Report:
    """Report the join without the reading; a dict does both at once."""
    seconds = {side: [one[LAP] for one in several] for side, several in joined.items()}
    first, *_ = seconds.values()
    return Report(
        f"joins_{keys}_alone",
        f"The same {keys:,} rows, once both files are read",
        ("side", "cpu_s", "rows_per_cpu_s", "times_the_first"),
        tuple(
            (
                side,
                median(taken),
                round(keys / median(taken)),
                median(base / one for base, one in zip(first, taken, strict=True)),
            )
            for side, taken in seconds.items()
        ),
    )


def _read(path: str) -> Iterator[list[str]]:
    with Path(path).open(encoding="utf-8", newline="") as file:
        yield from csv.reader(file)
