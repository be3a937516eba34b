"""Ranks, ties and the draw."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.ranking import Standing, rank, score_fraction, shard_of, tie_break

standings = st.lists(
    st.builds(Standing, id=st.text(min_size=1, max_size=5), points=st.integers(0, 5), events=st.just(1)),
    unique_by=lambda s: s.id,
    max_size=30,
)


def test_equal_points_share_a_rank_and_the_next_is_skipped() -> None:
    entries = rank(
        [Standing("a", 5, 1), Standing("b", 9, 1), Standing("c", 5, 2), Standing("d", 1, 1)], 10, {}
    )
    assert [(e.rank, e.points) for e in entries] == [(1, 9), (2, 5), (2, 5), (4, 1)]


def test_movement_is_told_against_the_last_snapshot() -> None:
    entries = rank([Standing("a", 5, 1), Standing("b", 9, 1)], 10, {"a": 1})
    assert {e.id: e.previous_rank for e in entries} == {"a": 1, "b": None}


@given(standings, st.integers(1, 10))
def test_a_board_is_the_head_of_the_index_order(people: list[Standing], size: int) -> None:
    by_score = sorted(people, key=lambda s: Decimal(s.points) + score_fraction(s.id), reverse=True)
    assert [e.id for e in rank(people, size, {})] == [s.id for s in by_score[:size]]


@given(standings, st.integers(1, 10), st.integers(1, 4))
def test_the_best_of_each_shard_hold_the_best_of_all(people: list[Standing], size: int, shards: int) -> None:
    gathered = []
    for shard in range(shards):
        mine = [s for s in people if shard_of(s.id, shards) == shard]
        mine.sort(key=lambda s: Decimal(s.points) + score_fraction(s.id), reverse=True)
        gathered += mine[:size]
    assert rank(gathered, size, {}) == rank(people, size, {})


def test_the_draw_is_the_documented_one_and_stays_below_a_point() -> None:
    assert tie_break("emp-1") == int("b25fcf427", 16)
    assert score_fraction("emp-1") == Decimal(tie_break("emp-1")) / 10**12
    assert all(0 <= score_fraction(str(n)) < Decimal("0.1") for n in range(200))
