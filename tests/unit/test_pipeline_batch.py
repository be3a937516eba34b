"""Deduplicating, coalescing and cutting a batch."""

import random

from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.batch import Chunk, Row, chunks, cut, rows_of
from pipeline.domain.fold import Fold, fingerprint, identity
from pipeline.domain.queued_fact import QueuedFact
from pipeline.domain.ranking import TOTAL

facts = st.builds(
    QueuedFact,
    employee_id=st.integers(0, 20).map(lambda n: f"e{n}"),
    event_id=st.integers(0, 10**9).map(str),
    program_id=st.integers(0, 5).map(lambda n: f"p{n}"),
    points=st.integers(0, 10_000),
    ingested_at=st.just("2026-03-01T09:30:00.000Z"),
)


@given(
    st.lists(facts, unique_by=lambda f: f.identity, max_size=150),
    st.integers(4, 100),
    st.randoms(use_true_random=False),
)
def test_chunks_hold_every_fact_once_within_the_cap(
    batch: list[QueuedFact], cap: int, shuffler: random.Random
) -> None:
    cut = list(chunks(batch, cap))
    assert sorted(f.identity for c in cut for f in c.facts) == sorted(f.identity for f in batch)
    assert all(len(c.facts) + len(c.deltas) <= cap for c in cut)
    shuffler.shuffle(batch)
    assert list(chunks(batch, cap)) == cut


@given(st.lists(facts, unique_by=lambda f: f.identity, max_size=60))
def test_deltas_of_all_chunks_add_up_to_the_fold_of_each_row(batch: list[QueuedFact]) -> None:
    added: dict[Row, Fold] = {}
    for chunk in chunks(batch):
        for row, delta in chunk.deltas.items():
            added[row] = added.get(row, Fold()) + delta
    expected: dict[Row, Fold] = {}
    for fact in batch:
        for row in rows_of(fact):
            one = Fold(fact.points, 1, fingerprint(identity(fact.employee_id, fact.event_id)))
            expected[row] = expected.get(row, Fold()) + one
    assert added == expected


def test_a_fact_is_folded_into_its_program_its_employee_and_both() -> None:
    fact = QueuedFact("e", "1", "p", 5, "2026-03-01T09:30:00.000Z")
    assert set(Chunk((fact,)).deltas) == {Row("p"), Row(TOTAL, "e"), Row("p", "e")}
    assert set(Chunk((fact,)).deltas.values()) == {Fold(5, 1, fingerprint("e\n1"))}


def test_the_fingerprint_is_the_documented_one() -> None:
    # echo -en 'emp-1\nev-1' | sha256sum | cut -c1-15
    assert fingerprint(identity("emp-1", "ev-1")) == int("89e783ff4cc7083", 16)


def test_sorting_saves_transactions_on_skewed_batches() -> None:
    rng = random.Random(7)
    batch = [
        QueuedFact(
            f"e{int(rng.paretovariate(0.8)) % 500}", str(n), f"p{n % 20}", 1, "2026-03-01T09:30:00.000Z"
        )
        for n in range(1000)
    ]
    assert sum(len(c.deltas) for c in chunks(batch)) < 2.2 * len(batch)


def test_the_folding_order_writes_fewer_rows_than_the_order_of_arrival() -> None:
    chance = random.Random(1)
    at = "2026-03-01T09:30:00.000Z"
    arrived = [
        QueuedFact(f"e{int(chance.paretovariate(1))}", str(number), f"p{number % 7}", 10, at)
        for number in range(300)
    ]
    folded, as_they_came = (sum(len(one.deltas) for one in way) for way in (chunks(arrived), cut(arrived)))
    assert folded < 0.9 * as_they_came
