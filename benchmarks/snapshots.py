"""What one run of the ranking job costs as the organisation grows: the pipeline's snapshot, legacy's rebuild.

The run measured is the second: the first finds no earlier snapshot to compare ranks with.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from benchmarks.dynamodb import MeteredDynamoDB
from benchmarks.population import PROGRAMS_EACH, fill_legacy, fill_pipeline, progress
from benchmarks.report import Report
from benchmarks.systems import BOARD_SHARDS, BOARD_SIZE, NOW, running_legacy, running_pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.meter import Meter
    from benchmarks.population import Folds
    from benchmarks.report import Cell
    from benchmarks.settings import Settings

RUNS_A_MONTH: Final = 30 * 24 * 60


def run(settings: Settings) -> list[Report]:
    """Take one snapshot and do one rebuild at each size."""
    rows: list[tuple[Cell, ...]] = []
    for employees in settings.employees:
        folds = progress(employees, settings.seed)
        rows += [
            _row("legacy rebuild", employees, _rebuild(folds), settings),
            _row("pipeline snapshot", employees, _snapshot(folds), settings),
        ]
    return [
        Report(
            "snapshots",
            "One run of the ranking job: calls, items read, request units",
            (
                "side",
                "employees",
                "calls",
                "items_read",
                "read_units",
                "write_units",
                "read_dollars_a_month",
                "write_dollars_a_month",
            ),
            tuple(rows),
            (
                f"Up to {PROGRAMS_EACH} programs each; boards of {BOARD_SIZE} in {BOARD_SHARDS} shards.",
                f"Dollars at a run a minute, ${settings.read_price} per million read request units,",
                f"${settings.write_price} per million write request units (assumptions).",
            ),
        )
    ]


def _rebuild(folds: Mapping[str, Folds]) -> Meter:
    store = MeteredDynamoDB()
    fill_legacy(store.tables, folds)
    with running_legacy(store) as legacy:
        legacy.rebuild()
    return store.meter


def _snapshot(folds: Mapping[str, Folds]) -> Meter:
    store = MeteredDynamoDB()
    fill_pipeline(store.tables, folds)
    with running_pipeline(store) as pipeline:
        pipeline.snapshot(NOW)
        meter = store.new_meter()
        pipeline.snapshot(NOW + timedelta(minutes=1))
    return meter


def _row(side: str, employees: int, meter: Meter, settings: Settings) -> tuple[Cell, ...]:
    writes = meter.table_writes + meter.index_writes
    return (
        side,
        employees,
        sum(meter.calls.values()),
        meter.items_read,
        meter.read_units,
        writes,
        settings.read_dollars(meter.read_units * RUNS_A_MONTH),
        settings.write_dollars(writes * RUNS_A_MONTH),
    )
