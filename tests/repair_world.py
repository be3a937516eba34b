"""A system in memory that can be damaged and repaired: the live lane goes on whenever somebody waits."""

from __future__ import annotations

import secrets
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from migration.aws.bulk.side_store import DuckDBStore
from migration.backfill.bases import Holds, Installed
from migration.backfill.pacer import Pacer
from migration.backfill.pacing import WritePace
from migration.compare.verify.verification import Parts
from migration.compare.verify.verify import Verification
from migration.model.backfill import BackfillPhase, Job
from migration.model.facts import Lane, Spent
from migration.model.fold import NOTHING, Fold, Identity, Row
from migration.model.journal_writer import JournalWriter
from migration.model.stages import Control, Stage
from migration.repair.reconcile import Reconcile
from migration.repair.repair import Repair
from pipeline.domain.aggregator import Aggregator, Busy, Committed, Refused
from pipeline.domain.queued_fact import QueuedFact
from tests.backfill_world import Budget, Crashing, compared_in_memory
from tests.doubles.backfill import (
    ONE_UNIT,
    MemoryCheckpoints,
    MemoryFacts,
    MemoryLegacy,
    MemoryLiveLane,
)
from tests.doubles.both_sides import MemorySides
from tests.doubles.clock import MemoryClock
from tests.doubles.control_plane import MemoryControlPlane
from tests.doubles.live_folds import MemoryLiveFolds
from tests.verify_world import OLD, MemoryWorld, System

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from migration.backfill.history import BaseChange
    from migration.compare.verify.verification import VerifyReport
    from migration.model.clock import Clock
    from migration.model.facts import StoredFact
    from migration.model.fold import Activity
    from pipeline.domain.batch import Chunk

INSTALLED = Job(1, 2, 500, OLD, phase=BackfillPhase.INSTALLED)


@dataclass
class WorkingClock(MemoryClock):
    """While somebody sleeps, others work."""

    meanwhile: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.at += seconds
        self.meanwhile()


@dataclass
class RowBases:
    """The history part of the same rows that a verification reads."""

    rows: dict[Row, Parts]

    def bases(self) -> Iterator[tuple[Row, Fold]]:
        return iter([(row, parts.base) for row, parts in self.rows.items() if parts.base != NOTHING])

    def install(self, change: BaseChange) -> tuple[Installed | Holds, Spent]:
        held = self.rows.get(change.row, Parts())
        if held.base != change.held:
            return Holds(held.base), ONE_UNIT
        self.rows[change.row] = Parts(held.live, change.due)
        return Installed(), ONE_UNIT


@dataclass
class RowFolds:
    """What the pipeline's aggregator commits to: the same rows and dedup entries."""

    lane: MemoryLiveFolds
    until: float | None = None
    """When the entries written now may go."""

    def commit(self, chunk: Chunk) -> Committed | Refused | Busy:
        duplicates = frozenset(one.identity for one in chunk.facts) & self.lane.entries.keys()
        if duplicates:
            return Refused(frozenset(duplicates))
        for one in chunk.facts:
            self.lane.claim(one.identity, self.until)
        for row, delta in chunk.deltas.items():
            name = Row(row.employee_id, row.program_id)
            live = Fold(delta.points, delta.events, delta.fingerprint)
            self.lane.rows[name] = self.lane.rows.get(name, Parts()) + Parts(live)
        return Committed()

    def advance_newest(self, ingested_at: str) -> bool:
        return True


@dataclass
class RepairWorld:
    """One account, damaged by the tests, which use `system` and the tables."""

    clock: WorkingClock = field(default_factory=WorkingClock)
    tables: MemorySides = field(default_factory=MemorySides)
    control: MemoryControlPlane = field(default_factory=MemoryControlPlane)
    captured: set[Identity] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.system = System(MemoryWorld(self.tables))
        self.facts = MemoryFacts(self.tables.facts)
        self.folds = MemoryLiveFolds(self.tables.rows, facts=self.facts, now=self.clock.now)
        self.bases = RowBases(self.tables.rows)
        self.legacy = MemoryLegacy(self.tables.events, defaultdict(Fold))
        self.tables.legacy_rows = self.legacy.totals
        self.checkpoints = MemoryCheckpoints(Control(Stage.DUALWRITE), INSTALLED)
        self.clock.meanwhile = self.work

    def accept(self, one: Activity, lane: Lane = Lane.LIVE, **more: Any) -> None:
        self.system.accept(one, lane, **more)
        self.captured.add(one.identity)
        if lane is Lane.LIVE:
            self.folds.entries["\n".join(one.identity)] = None

    def lose(self, one: Activity) -> None:
        """Its message was given up: it was never folded."""
        self.system.fold(one, times=-1)
        del self.folds.entries["\n".join(one.identity)]

    def work(self) -> None:
        """Capture what is new in the live lane, and fold what is queued, as the pipeline does."""
        for identity, fact in list(self.tables.facts.items()):
            if identity not in self.captured and fact.lane is Lane.LIVE:
                self.folds.queue.append(fact)
            self.captured.add(identity)
        messages, self.folds.queue[:] = [*self.folds.queue, *self.folds.queue], []
        store = RowFolds(self.folds)
        for message in map(_queued, messages):  # each twice, as queues deliver
            Aggregator(store, wait=lambda _: None, has_time=lambda: True).fold([message])

    def store(self, folder: Path) -> DuckDBStore:
        return DuckDBStore(folder)

    def repair(
        self,
        store: DuckDBStore,
        budget: Budget | None = None,
        before: dict[str, Callable[[], None]] | None = None,
    ) -> Repair:
        """A process; it dies when its budget is spent, and `before` happens before a call of that name."""
        budget, before = budget or Budget(), {} if before is None else before
        ports: list[Any] = [
            Crashing(port, budget, before)
            for port in (self.folds, self.facts, self.bases, self.checkpoints, self.control, self.legacy)
        ]
        folds, facts, bases, checkpoints, control, legacy = ports
        pacer = Pacer(self.clock, MemoryLiveLane(), WritePace.begin(1_000_000))
        return Repair(
            Verification(self.tables, store, self.clock),
            folds,
            facts,
            bases,
            Reconcile(legacy, facts, folds, legacy, checkpoints, compared_in_memory, pacer),
            checkpoints,
            JournalWriter(control, self.clock, lambda: secrets.token_hex(2), "ana@desk:1"),
            pacer,
            horizon=timedelta(days=15),
            grace=timedelta(minutes=15),
            ceiling=1_000_000,
        )

    def verify(self, folder: Path) -> VerifyReport:
        return verify(self.tables, folder, self.clock)

    def snapshot(self) -> dict[str, Any]:
        """Everything that a repair could change, rows without anything left out."""
        rows = {row: parts for row, parts in self.tables.rows.items() if parts != Parts()}
        return {
            "rows": rows,
            "facts": {name: fact.activity for name, fact in self.tables.facts.items()},
            "events": dict(self.tables.events),
            "legacy": dict(self.tables.legacy_rows),
        }


def verify(tables: MemorySides, folder: Path, clock: Clock) -> VerifyReport:
    store = DuckDBStore(folder)
    try:
        return Verification(tables, store, clock).run()
    finally:
        store.close(keep=False)


def _queued(fact: StoredFact) -> QueuedFact:
    one = fact.activity
    return QueuedFact(one.employee_id, one.event_id, one.program_id, one.points, fact.ingested_at)
