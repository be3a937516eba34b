"""A backfill from end to end: `cutover backfill`'s own engine and adapters, over HTTP, against a stand-in.

The stand-in is another process, so what is measured is the one process that a team would run: its rate, where
its time goes, its peak memory; and, as counts, the write units of a fact. Afterwards every fact and every row
is read back and set against a fold, in plain Python, of the activities that were made.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import boto3

from benchmarks.apart import apart
from benchmarks.report import Report
from benchmarks.stand_in import ask, legacy_events, stand_in
from migration.aws.bulk.history_bulk import folded_in_bulk
from migration.aws.tables.base_tables import BaseTables
from migration.aws.tables.checkpoint_table import CheckpointTable
from migration.aws.tables.fact_table import FactTable
from migration.aws.tables.legacy_event_table import LegacyEventTable
from migration.aws.tables.scanned_items import ProgressItem
from migration.aws.transport.clock import SystemClock
from migration.aws.transport.metered import Writer
from migration.aws.transport.raw_dynamodb import RawDynamoDB, beside
from migration.aws.transport.scan import MOST_CONNECTIONS, ReadPace, Scan, batches
from migration.backfill.attention import Attention
from migration.backfill.one_machine import on_one_machine
from migration.backfill.pacer import Pacer
from migration.backfill.pacing import WritePace
from migration.model.backfill import BackfillPhase, Wish
from migration.model.fold import Fold, Row, fold_all
from migration.model.legacy.layout import LegacyEvents
from migration.model.legacy.mapping import activity_mapper
from migration.wiring.moving import THREADS, in_threads
from tests.doubles.backfill import MemoryLiveLane

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from benchmarks.apart import Measured
    from benchmarks.settings import Settings
    from migration.backfill.history import FoldedHistory
    from migration.model.fold import Activity

NO_CEILING: Final = 1e6  # write units a second: nothing is held back
BOARD_SHARDS: Final = 2
_read: Final = activity_mapper(LegacyEvents())


def run(settings: Settings) -> list[Report]:
    """Backfill, check, and tell what it took."""
    with stand_in(settings.facts, settings.seed) as url:
        before = ask(url, "Metered")
        measured = apart("benchmarks.backfill", "backfill", url)
        metered = ask(url, "Metered")
        check(url, settings)
    metered["cpu_s"] -= before["cpu_s"]
    return [_times(settings.facts, measured, metered), _units(settings, metered)]


@dataclass(slots=True)
class _Watch:
    """Notes when the folds begin and end, which is when the phases do."""

    marks: list[float] = field(default_factory=lambda: [time.perf_counter()])

    def mark(self) -> None:
        self.marks.append(time.perf_counter())

    @contextmanager
    def folding(
        self, facts: Iterable[Activity], bases: Iterable[tuple[Row, Fold]]
    ) -> Iterator[FoldedHistory]:
        """Fold as the command does."""
        self.mark()
        with folded_in_bulk(facts, bases) as folded:
            self.mark()
            yield folded

    def phases(self) -> dict[str, float]:
        """Give the seconds of each; the second fold finds nothing left to do."""
        copied, folded, installed, confirmed = (
            end - begin for begin, end in zip(self.marks, self.marks[1:], strict=False)
        )
        return {"copy": copied, "fold": folded, "install": installed, "fold again": confirmed}


def backfill(url: str) -> dict[str, float]:
    """Run the whole of it in this process, and give the seconds of each phase."""
    client, source, clock = *_connect(url), SystemClock()
    writer, pace, watch = Writer(source), ReadPace(None, clock), _Watch()
    checkpoints = CheckpointTable(client, "control", "benchmark")
    pacer = Pacer(clock, MemoryLiveLane(), WritePace(NO_CEILING, NO_CEILING, "no ceiling"))
    with in_threads(THREADS) as in_parallel:
        job = on_one_machine(
            LegacyEventTable(client, source, "legacy_events", _read, pace),
            FactTable(source, writer, "facts", pace),
            BaseTables(source, writer, "employee_progress", "program_progress", BOARD_SHARDS, pace),
            checkpoints,
            watch.folding,
            Attention("benchmark", clock, pacer, checkpoints),
            in_parallel,
        ).start(Wish(segments=4, max_wcu=NO_CEILING))
    assert job.phase is BackfillPhase.INSTALLED
    return watch.phases()


def _connect(url: str) -> tuple[DynamoDBClient, RawDynamoDB]:
    client = boto3.client("dynamodb", endpoint_url=url)
    return client, beside(client, MOST_CONNECTIONS + THREADS)


def check(url: str, settings: Settings) -> None:
    """Hold what is stored to a fold of what was made."""
    source, pace = _connect(url)[1], ReadPace(None, SystemClock())
    due = fold_all(map(_read, legacy_events(settings.facts, settings.seed)))
    stored = batches(source, Scan("facts", dict), pace)
    assert fold_all(_read(item) for batch in stored for item in batch.items) == due
    rows: dict[Row, tuple[Fold, Fold]] = {}
    for table in ("employee_progress", "program_progress"):
        for batch in batches(source, Scan(table, ProgressItem), pace):
            rows |= {item.row: (item.whole, item.base) for item in batch.items}
    assert rows == {row: (fold, fold) for row, fold in due.items()}


def _times(facts: int, measured: Measured, metered: dict[str, Any]) -> Report:
    phases: dict[str, float] = measured["result"]
    wall, cpu, its_cpu = sum(phases.values()), measured["cpu_s"], metered["cpu_s"]
    peak, its_peak = (f"{one['peak_mb']:,.0f}" for one in (measured, metered))
    return Report(
        "backfill",
        f"Backfilling {facts:,} facts in one process",
        ("phase", "s", "facts_per_s"),
        (
            *((phase, seconds, round(facts / seconds)) for phase, seconds in phases.items()),
            ("all", wall, round(facts / wall)),
        ),
        (
            f"The process: {cpu:,.0f} s of CPU ({cpu / facts * 1e6:,.0f} µs a fact) and {peak} MB.",
            f"The stand-in: {its_cpu:,.0f} s of CPU ({its_cpu / wall:.0%} of a core) and {its_peak} MB.",
            "Every fact and every row was read back and equals a fold of the activities that were made.",
        ),
    )


def _units(settings: Settings, metered: dict[str, Any]) -> Report:
    writes: dict[str, int] = metered["writes"]
    facts, rows = settings.facts, _rows_of(writes)
    return Report(
        "backfill_units",
        f"Write request units of {facts:,} backfilled facts",
        ("for", "units", "units_per_fact", "dollars_per_million_facts"),
        tuple(
            (name, units, units / facts, settings.write_dollars(units / facts * 1e6))
            for name, units in {**rows, "all": sum(rows.values())}.items()
        ),
        ("Control records are the job, its segments' positions and signs of life.",),
    )


def _rows_of(writes: dict[str, int]) -> dict[str, int]:
    return {
        "the fact": writes["facts"],
        "employee rows": writes["employee_progress"],
        "their entries in the board's index": writes["employee_progress/by_score"],
        "program rows": writes["program_progress"],
        "control records": writes["control"],
    }
