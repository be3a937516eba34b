"""What an activity costs to write, from the request to all its aggregates: calls, request units, dollars.

Sides: legacy as it is (three plain writes, nothing that tells a retry from a new activity), and the pipeline
at several batch sizes; at 1 it is the usual design of one transaction per activity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from benchmarks.dynamodb import MeteredDynamoDB
from benchmarks.report import Report
from benchmarks.settings import MILLION
from benchmarks.systems import folded, messages, running_legacy, running_pipeline
from benchmarks.workload import activities

if TYPE_CHECKING:
    from benchmarks.meter import Meter
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
    """A side that took all activities."""

    name: str
    meter: Meter


def run(settings: Settings) -> list[Report]:
    """Send the same activities through every side and count."""
    sent = activities(settings.activities, settings.seed)
    sides = [_legacy(sent), *(_pipeline(sent, size) for size in settings.batch_sizes)]
    return [_costs(sides, settings), _purposes(sides, settings.activities)]


def side_name(batch_size: int) -> str:
    """Name the pipeline at a batch size."""
    return ONE_BY_ONE if batch_size == 1 else f"pipeline, batches of {batch_size:,}"


def _legacy(sent: list[dict[str, Any]]) -> Side:
    store = MeteredDynamoDB()
    with running_legacy(store) as legacy:
        legacy.ingest(sent)
    _expect_exact(store, "legacy_program_progress", sent)
    return Side(LEGACY, store.meter)


def _pipeline(sent: list[dict[str, Any]], batch_size: int) -> Side:
    store = MeteredDynamoDB()
    with running_pipeline(store) as pipeline:
        pipeline.ingest(sent)
        pipeline.aggregate(messages(store.tables["facts"].items.values()), batch_size)
    for table in ("program_progress", "employee_progress"):
        _expect_exact(store, table, sent)
    return Side(side_name(batch_size), store.meter)


def _expect_exact(store: MeteredDynamoDB, table: str, sent: list[dict[str, Any]]) -> None:
    fold = folded(store, table)
    if (fold.events, fold.points) != (len(sent), sum(activity["points"] for activity in sent)):
        raise RuntimeError(f"{table} adds up to {fold}")


def _costs(sides: list[Side], settings: Settings) -> Report:
    count = settings.activities
    baseline = next((side for side in sides if side.name == ONE_BY_ONE), sides[0]).meter
    rows = tuple(
        (
            side.name,
            sum(side.meter.calls.values()) / count,
            side.meter.table_writes / count,
            side.meter.index_writes / count,
            _units(side.meter) / count,
            settings.write_dollars(_units(side.meter) / count * MILLION),
            _units(side.meter) / _units(baseline),
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
        units = [sum(side.meter.writes[name] for name in names) for names in _PURPOSES.values()]
        rows.append((side.name, *(unit / count for unit in units)))
    return Report(
        "writes_by_purpose",
        "Where the write request units of an activity go",
        ("side", *_PURPOSES),
        tuple(rows),
        ("Program rows include one write per batch for the time of the newest folded fact.",),
    )


def _units(meter: Meter) -> int:
    return meter.table_writes + meter.index_writes
