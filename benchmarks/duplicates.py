"""What the same activity costs when it comes again, and whether it counts twice.

A client that got no answer sends again; a queue may deliver again. Legacy pays three plain writes and counts
twice; the pipeline pays for refusing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.dynamodb import MeteredDynamoDB
from benchmarks.report import Cell, Report
from benchmarks.systems import folded, messages, running_legacy, running_pipeline
from benchmarks.workload import activities

if TYPE_CHECKING:
    from benchmarks.settings import Settings

BATCH: Final = 100
Row = tuple[Cell, ...]


def run(settings: Settings) -> list[Report]:
    """Send one activity twice to each side, and deliver one message twice."""
    rows = (
        _legacy_retry(settings.seed),
        _pipeline_retry(settings.seed),
        _redelivery(settings.seed, 1),
        _redelivery(settings.seed, BATCH),
    )
    return [
        Report(
            "duplicates",
            "The same activity again: what it adds",
            ("side", "calls", "units", "events_counted_twice"),
            rows,
            (
                f"Delivered again among {BATCH - 1} new messages: what the batch costs more than without it.",
                "A cancelled transaction is charged here as if it had been committed, the most it can cost.",
            ),
        )
    ]


def _legacy_retry(seed: int) -> Row:
    store = MeteredDynamoDB()
    once = activities(1, seed)
    with running_legacy(store) as legacy:
        legacy.ingest(once)
        store.new_meter()
        legacy.ingest(once)
    return ("legacy, a client's retry", *_added(store, "legacy_program_progress", 1))


def _pipeline_retry(seed: int) -> Row:
    store = MeteredDynamoDB()
    once = activities(1, seed)
    with running_pipeline(store) as pipeline:
        pipeline.ingest(once)
        pipeline.aggregate(messages(store.tables["facts"].items.values()), 1)
        store.new_meter()
        pipeline.ingest(once)  # an accepted duplicate: no insert, so nothing goes on to the queue
    return ("pipeline, a client's retry", *_added(store, "program_progress", 1))


def _redelivery(seed: int, batch: int) -> Row:
    again = _batch_after_first(seed, batch, again=True)
    alone = _batch_after_first(seed, batch, again=False)
    calls, units, twice = _added(again, "program_progress", batch)
    where = "alone" if batch == 1 else f"in a batch of {batch}"
    return (
        f"pipeline, a redelivery {where}",
        calls - sum(alone.meter.calls.values()),
        units - alone.meter.table_writes - alone.meter.index_writes,
        twice,
    )


def _batch_after_first(seed: int, batch: int, *, again: bool) -> MeteredDynamoDB:
    """Fold one message, then a batch that holds it again, or the same batch without it."""
    store = MeteredDynamoDB()
    with running_pipeline(store) as pipeline:
        pipeline.ingest(activities(batch, seed))
        first, *others = messages(store.tables["facts"].items.values())
        pipeline.aggregate([first], 1)
        store.new_meter()
        pipeline.aggregate([*others, first] if again else others, batch)
    return store


def _added(store: MeteredDynamoDB, table: str, sent: int) -> tuple[int, int, int]:
    meter = store.meter
    return (
        sum(meter.calls.values()),
        meter.table_writes + meter.index_writes,
        folded(store, table).events - sent,
    )
