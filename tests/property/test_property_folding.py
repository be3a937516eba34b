"""Delivered twice, reordered, interrupted or left unanswered: every fact is folded exactly once."""

from collections import deque
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.aggregator import MAX_BUSY, Aggregator, Busy, Committed, Refused
from pipeline.domain.batch import Chunk, Row, rows_of
from pipeline.domain.fold import Fold, fingerprint
from pipeline.domain.queued_fact import QueuedFact
from pipeline.stores.memory import MemoryFolds


class CrashError(Exception):
    """The invocation dies here."""


@dataclass
class FaultyFolds:
    """The real memory store behind a script of mishaps, one a commit."""

    store: MemoryFolds
    script: deque[str]
    row_poison: set[Row] = field(default_factory=set)

    def commit(self, chunk: Chunk) -> Committed | Refused | Busy:
        mishap = self.script.popleft() if self.script else "none"
        if mishap == "crash before":
            raise CrashError
        if mishap == "conflict":
            return Busy("TransactionConflict")
        poisoned = frozenset(self.row_poison.intersection(chunk.deltas))
        if poisoned:
            return Refused(unfoldable=poisoned)
        result = self.store.commit(chunk)
        if mishap == "crash after":
            raise CrashError
        return Busy("ReadTimeoutError") if mishap == "ambiguous" else result

    def advance_newest(self, ingested_at: str) -> bool:
        return self.store.advance_newest(ingested_at)


facts = st.builds(
    QueuedFact,
    employee_id=st.sampled_from(["a", "b", "c"]),
    event_id=st.integers(0, 400).map(str),
    program_id=st.sampled_from(["p", "q"]),
    points=st.integers(0, 100),
    ingested_at=st.integers(0, 59).map(lambda s: f"2026-03-01T09:30:{s:02d}.000Z"),
)
mishaps = st.lists(
    st.sampled_from(["none", "none", "crash before", "crash after", "conflict", "ambiguous"]), max_size=12
)


def truth(batch: list[QueuedFact]) -> dict[Row, Fold]:
    rows: dict[Row, Fold] = {}
    for fact in batch:
        for row in rows_of(fact):
            rows[row] = rows.get(row, Fold()) + Fold(fact.points, 1, fingerprint(fact.identity))
    return rows


@pytest.mark.slow
@settings(max_examples=200)
@given(st.data())
def test_every_fact_is_folded_exactly_once(data: st.DataObject) -> None:
    everything = data.draw(st.lists(facts, unique_by=lambda f: f.identity, min_size=1, max_size=80))
    store = MemoryFolds()
    for _ in range(data.draw(st.integers(1, 6))):
        delivery = data.draw(st.lists(st.sampled_from(everything), max_size=100))
        faulty = FaultyFolds(store, deque(data.draw(mishaps)))
        try:
            outcome = Aggregator(faulty, wait=lambda _: None, has_time=lambda: True).fold(delivery)
        except CrashError:
            continue
        assert set(outcome.failed).isdisjoint(outcome.folded | outcome.duplicates)
        assert set(outcome.failed) | outcome.folded | outcome.duplicates == {f.identity for f in delivery}
        assert outcome.folded | outcome.duplicates <= store.identities
    final = Aggregator(store, wait=lambda _: None, has_time=lambda: True).fold(everything)
    assert not final.failed
    assert store.rows == truth(everything)
    assert store.newest_folded_at == max(fact.ingested_at for fact in everything)


@given(st.lists(facts, unique_by=lambda f: f.identity, min_size=1, max_size=60))
def test_a_row_that_cannot_take_its_delta_fails_only_its_own_facts(batch: list[QueuedFact]) -> None:
    store = MemoryFolds()
    poison = Row("p", "a")
    outcome = Aggregator(
        FaultyFolds(store, deque(), {poison}), wait=lambda _: None, has_time=lambda: True
    ).fold(batch)
    stuck = [fact for fact in batch if poison in rows_of(fact)]
    assert set(outcome.failed) == {fact.identity for fact in stuck}
    assert store.rows == truth([fact for fact in batch if fact not in stuck])


def test_a_chunk_that_stays_busy_is_given_back_with_the_reason_after_waiting() -> None:
    waits: list[int] = []
    fact = QueuedFact("a", "1", "p", 1, "2026-03-01T09:30:00.000Z")
    faulty = FaultyFolds(MemoryFolds(), deque(["conflict"] * MAX_BUSY))
    outcome = Aggregator(faulty, wait=waits.append, has_time=lambda: True).fold([fact])
    assert outcome.failed == {fact.identity: "TransactionConflict"}
    assert waits == list(range(1, MAX_BUSY))


def test_out_of_time_gives_the_rest_back_and_keeps_what_is_folded() -> None:
    time_left = iter([True, False, False])
    batch = [QueuedFact(f"e{n}", "1", "p", 1, "2026-03-01T09:30:00.000Z") for n in range(60)]
    store = MemoryFolds()
    outcome = Aggregator(store, wait=lambda _: None, has_time=lambda: next(time_left)).fold(batch)
    assert set(outcome.failed.values()) == {"out of time"}
    assert store.identities == outcome.folded
    assert len(outcome.folded) + len(outcome.failed) == 60
