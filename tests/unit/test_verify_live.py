"""A verification while activities pour in: no false alarm, and a real fault among the traffic is still named.

The pipeline's own aggregator folds, in batches that come late, reordered and twice; between any two reads of
the verification the traffic goes on.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migration.aws.bulk.side_store import DuckDBStore
from migration.compare.verify.verification import EmployeeReading, Parts, VerifyReport
from migration.compare.verify.verify import Verification
from migration.model.cause import Cause
from migration.model.facts import Lane, StoredFact
from migration.model.fold import Activity, Fold, Row, fold_of, rows_of
from migration.model.moments import moment_text
from migration.model.side import Side
from pipeline.domain.aggregator import Aggregator
from pipeline.domain.queued_fact import QueuedFact
from pipeline.stores.memory import MemoryFolds
from tests.doubles.both_sides import MemorySides
from tests.doubles.clock import MemoryClock
from tests.verify_world import activity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from migration.compare.both_sides import Chunk, Part


@dataclass
class Traffic:
    """Clients, legacy, both mirrors and the pipeline, working one step at a time."""

    clock: MemoryClock
    rng: random.Random
    rate: int = 6  # activities a step at most
    step_s: float = 0.3
    share: float = 0.4  # of the queue that is folded in a step
    tables: MemorySides = field(default_factory=MemorySides)
    store: MemoryFolds = field(default_factory=MemoryFolds)
    queue: list[QueuedFact] = field(default_factory=list)
    mirrored_later: list[Activity] = field(default_factory=list)
    accepted: list[Activity] = field(default_factory=list)
    stopped: bool = False
    stalled_until: float = 0

    def step(self) -> None:
        """Let a little time pass."""
        self.clock.at += self.step_s * self.rng.random()
        if not self.stopped:
            for _ in range(self.rng.randrange(self.rate)):
                self.accept()
        self.mirror_back()
        self.fold()

    def accept(self) -> None:
        number = len(self.accepted)
        one = activity(number, self.rng.randrange(8), self.rng.randrange(3), 1 + self.rng.randrange(9))
        self.accepted.append(one)
        if self.rng.random() < 0.2:
            self.store_fact(one, Side.PIPELINE)
            self.mirrored_later.append(one)
        else:
            self.legacy_takes(one)
            self.store_fact(one, Side.LEGACY)

    def store_fact(self, one: Activity, side: Side) -> None:
        at = moment_text(self.clock.now())
        self.tables.facts[one.identity] = StoredFact(one, Lane.LIVE, side, at)
        message = QueuedFact(one.employee_id, one.event_id, one.program_id, one.points, at)
        self.queue += [message] * self.rng.choice([1, 1, 1, 2])

    def legacy_takes(self, one: Activity) -> None:
        self.tables.events[one.identity] = one
        for row in rows_of(one):
            if row.program_id != "#total":
                rows = self.tables.legacy_rows
                rows[row] = rows.get(row, Fold()) + Fold(one.points, 1)

    def mirror_back(self) -> None:
        ready = [one for one in self.mirrored_later if self.rng.random() < 0.3]
        for one in ready:
            self.mirrored_later.remove(one)
            self.legacy_takes(one)

    def fold(self, *, everything: bool = False) -> None:
        share = 0 if self.clock.now() < self.stalled_until else self.share
        batch = self.queue if everything else [one for one in self.queue if self.rng.random() < share]
        self.rng.shuffle(batch)
        Aggregator(self.store, wait=lambda _: None, has_time=lambda: True).fold(batch)
        done = {one.identity for one in batch}
        self.queue = [one for one in self.queue if one.identity not in done]
        self.tables.messages = len(self.queue)
        for row, fold in self.store.rows.items():
            live = Fold(fold.points, fold.events, fold.fingerprint)
            self.tables.rows[Row(row.employee_id, row.program_id)] = Parts(live)


@dataclass
class InterruptedReads(MemorySides):
    """Reads the traffic's tables, which change before every read."""

    traffic: Traffic | None = None

    def chunks(
        self, part: Part, positions: Mapping[int, bytes | None], since: str | None = None
    ) -> Iterator[Chunk]:
        for place, chunk in enumerate(MemorySides.chunks(self._now(), part, positions, since)):
            if place % 16 == 0:
                self._now()
            yield chunk

    def programs(self) -> Mapping[Row, Parts]:
        return MemorySides.programs(self._now())

    def employees(self, names: Sequence[str]) -> Iterator[EmployeeReading]:
        for name in names:
            yield from MemorySides.employees(self._now(), [name])

    def queued(self) -> int:
        return self._now().messages

    def _now(self) -> InterruptedReads:
        assert self.traffic is not None
        self.traffic.step()
        tables = self.traffic.tables
        self.facts, self.rows, self.messages = dict(tables.facts), dict(tables.rows), tables.messages
        self.events, self.legacy_rows = dict(tables.events), dict(tables.legacy_rows)
        return self


def verify(traffic: Traffic, folder: Path) -> VerifyReport:
    store = DuckDBStore(folder)
    try:
        return Verification(InterruptedReads(traffic=traffic), store, traffic.clock).run()
    finally:
        store.close(keep=False)


def warmed(seed: int, rate: int = 6) -> Traffic:
    traffic = Traffic(MemoryClock(), random.Random(seed), rate)
    for _ in range(40):
        traffic.step()
    return traffic


def assert_no_false_alarm(report: VerifyReport) -> None:
    assert set(report.counts) <= {Cause.IN_FLIGHT, Cause.LEGACY_PARTIAL_UPDATE}, report.differences
    assert report.clean


@pytest.mark.parametrize("seed", range(4))
def test_live_traffic_makes_no_difference(tmp_path: Path, seed: int) -> None:
    traffic = warmed(seed)
    before = len(traffic.accepted)
    assert_no_false_alarm(verify(traffic, tmp_path))
    assert len(traffic.accepted) > before + 10


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("share", [0.0, 0.03])
def test_a_consumer_that_stalls_makes_no_difference(tmp_path: Path, seed: int, share: float) -> None:
    traffic = warmed(seed, rate=2)
    traffic.share = share
    report = verify(traffic, tmp_path)
    assert_no_false_alarm(report)
    assert not report.undecided
    assert report.counts[Cause.IN_FLIGHT]


@pytest.mark.parametrize("seed", range(3))
def test_a_consumer_that_comes_back_is_waited_for(tmp_path: Path, seed: int) -> None:
    traffic = warmed(seed, rate=2)
    traffic.accept()
    traffic.stalled_until = traffic.clock.now() + 10
    traffic.stopped = seed > 0
    report = verify(traffic, tmp_path)
    assert_no_false_alarm(report)
    assert not report.undecided
    assert report.passes > 2
    assert traffic.stopped <= (not report.differences)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**9), st.integers(1, 12), st.floats(0.01, 2))
def test_live_traffic_of_any_pace_makes_no_difference(
    tmp_path: Path, seed: int, rate: int, step_s: float
) -> None:
    traffic = Traffic(MemoryClock(), random.Random(seed), rate, step_s)
    for _ in range(30):
        traffic.step()
    assert_no_false_alarm(verify(traffic, tmp_path))


@pytest.mark.slow
def test_half_an_hour_of_traffic_makes_no_difference(tmp_path: Path) -> None:
    traffic = Traffic(MemoryClock(), random.Random(7), rate=3, step_s=2)
    began, reports = traffic.clock.now(), 0
    while traffic.clock.now() - began < 1800:
        for _ in range(60):
            traffic.step()
        assert_no_false_alarm(verify(traffic, tmp_path / str(reports)))
        reports += 1
    assert reports > 10
    assert len(traffic.accepted) > 1000


@pytest.mark.parametrize("seed", range(3))
def test_a_lost_fact_is_named_among_live_traffic(tmp_path: Path, seed: int) -> None:
    traffic = warmed(seed, rate=2)
    traffic.accept()
    lost = traffic.queue[-1]
    traffic.queue = [one for one in traffic.queue if one.identity != lost.identity]
    traffic.clock.at += 3600  # older than any queue keeps it
    report = verify(traffic, tmp_path)
    found = [one for one in report.differences if one.kind.fails]
    assert [(one.kind, one.employee_id, one.event_id) for one in found] == [
        (Cause.LOST, lost.employee_id, lost.event_id)
    ]


@pytest.mark.parametrize("seed", range(3))
def test_a_doubled_fact_is_named_among_live_traffic(tmp_path: Path, seed: int) -> None:
    traffic = warmed(seed, rate=2)
    traffic.fold(everything=True)
    doubled = traffic.accepted[5]
    fold = fold_of(doubled)
    for row, held in traffic.store.rows.items():
        if Row(row.employee_id, row.program_id) in rows_of(doubled):
            traffic.store.rows[row] = held + type(held)(fold.points, fold.events, fold.fingerprint)
    report = verify(traffic, tmp_path)
    found = [one for one in report.differences if one.kind.fails]
    assert [(one.kind, one.event_id) for one in found] == [(Cause.DOUBLED, doubled.event_id)]
