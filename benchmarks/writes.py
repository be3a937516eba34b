"""What an activity costs to write, from the request to all its aggregates: calls, request units, dollars.

Sides: legacy as it is (three plain writes, nothing that tells a retry from a new activity), and the pipeline
at several batch sizes; at 1 it is the usual design of one transaction per activity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3

from benchmarks.report import Report
from benchmarks.settings import MILLION
from benchmarks.stand_in import ask, stand_in
from benchmarks.systems import Pipeline, legacy_ingests, messages, quiet
from benchmarks.workload import activities

if TYPE_CHECKING:
    from benchmarks.report import Cell
    from benchmarks.settings import Settings

LEGACY: Final = "legacy (no dedup, no index)"
ONE_BY_ONE: Final = "one transaction per activity"
_PURPOSES: Final = {
    "fact": ("facts", "legacy_events"),
    "dedup": ("dedup",),
    "employee_rows": ("employee_progress", "legacy_employee_progress"),
    "index": ("employee_progress/by_score",),
    "program_rows": ("program_progress", "legacy_program_progress"),
}


@dataclass(frozen=True, slots=True)
class Side:
    """A side that took all activities: calls, and write units by table (an index's: `table/index`)."""

    name: str
    calls: int
    writes: dict[str, int]

    @property
    def units(self) -> int:
        """Write request units of tables and indexes."""
        return sum(self.writes.values())

    @property
    def index_units(self) -> int:
        """Those of indexes."""
        return sum(units for name, units in self.writes.items() if "/" in name)


def run(settings: Settings) -> list[Report]:
    """Send the same activities through every side and count."""
    sent = activities(settings.activities, settings.seed)
    sides = [_legacy(sent), *(_pipeline(sent, size) for size in settings.batch_sizes)]
    return [_costs(sides, settings), _purposes(sides, settings.activities)]


def side_name(batch_size: int) -> str:
    """Name the pipeline at a batch size."""
    return ONE_BY_ONE if batch_size == 1 else f"pipeline, batches of {batch_size:,}"


def _legacy(sent: list[dict[str, Any]]) -> Side:
    with stand_in(0, seed=0) as url:
        legacy_ingests(url, sent)
        side = _side(LEGACY, url)
        _expect_exact(url, "legacy_program_progress", sent)
    return side


def _pipeline(sent: list[dict[str, Any]], batch_size: int) -> Side:
    with stand_in(0, seed=0) as url:
        pipeline = Pipeline(boto3.client("dynamodb", endpoint_url=url))
        with quiet():
            pipeline.ingest(sent)
            pipeline.aggregate(messages(sent), batch_size)
        side = _side(side_name(batch_size), url)
        for table in ("program_progress", "employee_progress"):
            _expect_exact(url, table, sent)
    return side


def _side(name: str, url: str) -> Side:
    metered = ask(url, "Metered")
    calls = sum(metered["calls"].values()) - 1  # the question itself
    return Side(name, calls, metered["writes"])


def _expect_exact(url: str, table: str, sent: list[dict[str, Any]]) -> None:
    """Add up a table of aggregates; totals of employees, which repeat their programs, are left out."""
    pages = boto3.client("dynamodb", endpoint_url=url).get_paginator("scan").paginate(TableName=table)
    rows = [row for page in pages for row in page["Items"] if row.get("program_id") != {"S": "#total"}]
    events, points = (
        sum(int(row[name]["N"]) for row in rows if name in row) for name in ("events", "points")
    )
    if (events, points) != (len(sent), sum(activity["points"] for activity in sent)):
        raise RuntimeError(f"{table} adds up to {events} events and {points} points")


def _costs(sides: list[Side], settings: Settings) -> Report:
    count = settings.activities
    baseline = next((side for side in sides if side.name == ONE_BY_ONE), sides[0])
    rows = tuple(
        (
            side.name,
            side.calls / count,
            (side.units - side.index_units) / count,
            side.index_units / count,
            side.units / count,
            settings.write_dollars(side.units / count * MILLION),
            side.units / baseline.units,
        )
        for side in sides
    )
    return Report(
        "writes",
        f"Writing {count:,} activities: DynamoDB calls and write request units per activity",
        (
            "side",
            "calls",
            "units_without_index",
            "units_of_index",
            "units",
            "dollars_per_million",
            "ratio",
        ),
        rows,
        (
            f"Dollars at ${settings.write_price} per million write request units (an assumption).",
            "One transaction per activity is the pipeline at a batch size of 1; ratios are against it.",
            "Legacy is cheapest because it pays for no dedup, no transaction and no index.",
        ),
    )


def _purposes(sides: list[Side], count: int) -> Report:
    rows: list[tuple[Cell, ...]] = []
    for side in sides:
        units = [sum(side.writes.get(name, 0) for name in names) for names in _PURPOSES.values()]
        rows.append((side.name, *(unit / count for unit in units)))
    return Report(
        "writes_by_purpose",
        "Where the write request units of an activity go",
        ("side", *_PURPOSES),
        tuple(rows),
        ("Program rows include one write per batch for the time of the newest folded fact.",),
    )
