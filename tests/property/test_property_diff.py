"""Properties of a diff: its measures, its classes, and that its reasons add up."""

from __future__ import annotations

import math
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migration.compare.boards.agreement import agreements, kendall_tau, rank_biased_overlap
from migration.compare.boards.boards import BoardEntry
from migration.compare.boards.windows import (
    BoardWindow,
    EntryChange,
    by_points,
    comparable,
    count_changes,
    pair,
)
from migration.compare.miscounts import Pool, name_miscount
from migration.compare.reasons import Judgement
from migration.model.fold import Fold
from tests.diff_world import World, board_of

NAMES = st.sampled_from([f"e{number}" for number in range(12)])
POINTS = st.dictionaries(NAMES, st.integers(1, 6), max_size=12)
PERSISTENCE = st.floats(0.01, 0.99)


def window(points: dict[str, int], *, size: int = 12) -> BoardWindow:
    entries = by_points(
        BoardEntry(0, name, points[name]) for name in sorted(points, key=lambda n: (-points[n], n))
    )
    return BoardWindow(tuple(entries[:size]), 0 < size < len(entries))


@given(POINTS, POINTS, PERSISTENCE)
def test_rank_biased_overlap_is_a_share_and_symmetric(
    one: dict[str, int], other: dict[str, int], persistence: float
) -> None:
    left, right = window(one).ranks, window(other).ranks
    overlap = rank_biased_overlap(left, right, persistence)
    assert 0 <= overlap <= 1
    assert overlap == pytest.approx(rank_biased_overlap(right, left, persistence))


@given(POINTS, PERSISTENCE)
def test_a_ranking_overlaps_fully_with_itself_and_not_at_all_with_others(
    points: dict[str, int], persistence: float
) -> None:
    ranks = window(points).ranks
    assert rank_biased_overlap(ranks, ranks, persistence) == pytest.approx(1)
    if ranks:
        strangers = {f"other {name}": rank for name, rank in ranks.items()}
        assert rank_biased_overlap(ranks, strangers, persistence) == 0


@given(st.permutations([f"e{number}" for number in range(8)]), PERSISTENCE)
def test_rank_biased_overlap_without_ties_is_the_weighed_agreement(
    order: list[str], persistence: float
) -> None:
    """By the definition (equation 4 of Webber et al.), with the same names for ever after the last."""
    one = {f"e{number}": number + 1 for number in range(8)}
    other = {name: rank for rank, name in enumerate(order, start=1)}
    weighed = sum(share * persistence**depth for depth, share in enumerate(agreements(one, other)))
    rest = persistence**8 / (1 - persistence)
    assert rank_biased_overlap(one, other, persistence) == pytest.approx((1 - persistence) * (weighed + rest))


@given(POINTS, POINTS)
def test_tau_b_is_what_counting_every_pair_gives(one: dict[str, int], other: dict[str, int]) -> None:
    left, right = window(one).ranks, window(other).ranks
    signs = [
        ((left[a] > left[b]) - (left[a] < left[b]), (right[a] > right[b]) - (right[a] < right[b]))
        for a, b in combinations(sorted(left.keys() & right.keys()), 2)
    ]
    ordered = [sum(sign[side] != 0 for sign in signs) for side in (0, 1)]
    tau = kendall_tau(left, right)
    if 0 in ordered:
        assert tau is None
    else:
        assert tau is not None
        assert tau == pytest.approx(sum(a * b for a, b in signs) / math.sqrt(ordered[0] * ordered[1]))
        assert -1 <= tau <= 1


@given(POINTS, POINTS, st.integers(1, 12), st.integers(1, 12))
def test_every_entry_has_exactly_one_change(
    one: dict[str, int], other: dict[str, int], size: int, other_size: int
) -> None:
    legacy, pipeline = comparable(window(one, size=size), window(other, size=other_size))
    lines = pair(legacy, pipeline, {})
    names = [line.employee_id for line in lines]
    assert len(set(names)) == len(names)
    assert set(names) == set(legacy.ranks) | set(pipeline.ranks)
    assert sum(count_changes(lines).values()) == len(lines)
    for line in lines:
        both = line.legacy is not None and line.pipeline is not None
        assert both == (line.change not in (EntryChange.ENTERED, EntryChange.LEFT, EntryChange.WINDOW_EDGE))


@given(POINTS, st.randoms(use_true_random=False))
def test_another_order_among_equals_moves_nobody(points: dict[str, int], random: object) -> None:
    names = list(points)
    random.shuffle(names)  # type: ignore[attr-defined]
    shuffled = BoardWindow(
        tuple(by_points(BoardEntry(0, n, points[n]) for n in sorted(names, key=lambda n: -points[n])))
    )
    found = {line.change for line in pair(*comparable(window(points), shuffled), {})}
    assert found <= {EntryChange.SAME, EntryChange.TIE_PERMUTED}


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=8),
    st.dictionaries(st.integers(0, 7), st.integers(-1, 2), max_size=3),
)
def test_a_miscount_of_few_events_is_explained_and_the_certain_ones_are_right(
    points: list[int], wrong: dict[int, int]
) -> None:
    wrong = {index: times for index, times in wrong.items() if index < len(points) and times}
    difference = sum((Fold(points[index], 1) * times for index, times in wrong.items()), Fold())
    size = sum(map(abs, wrong.values()))
    found = name_miscount(difference, Pool.of((f"v{index}", amount) for index, amount in enumerate(points)))
    if size <= 3 and difference != Fold():
        assert found is not None
        assert found.again - found.missed == difference.events
        if found.again + found.missed == size and found.needed == found.count:
            assert set(found.candidates) == {f"v{index}" for index in wrong}


EVENTS = st.lists(st.tuples(NAMES, st.integers(1, 9), st.sampled_from("pq")), min_size=1, max_size=14)
FAULTS = st.lists(
    st.tuples(
        st.integers(0, 13), st.sampled_from(["double", "partial", "program", "again", "not", "no fact"])
    ),
    max_size=3,
    unique_by=lambda fault: fault[0],
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(EVENTS, FAULTS)
def test_single_faults_are_judged_right_and_their_reasons_add_up(
    events: list[tuple[str, int, str]], faults: list[tuple[int, str]]
) -> None:
    world = World()
    wrong = {index: fault for index, fault in faults if index < len(events)}
    for index, (name, points, program) in enumerate(events):
        fault = wrong.get(index)
        one = world.add(name, f"v{index}", points, program, fact=fault != "no fact")
        if fault in ("double", "partial", "program"):
            times = -1 if fault == "partial" else 1
            world.count(one, times, in_employee=fault != "program")
        elif fault in ("again", "not"):
            world.fold(one, 1 if fault == "again" else -1)
    report = world.diff()
    pipelines = {"again", "not", "no fact"} & set(wrong.values())
    assert report.judgement is (
        Judgement.TO_REPAIR if pipelines else Judgement.EXPLAINED if wrong else Judgement.SAME
    )
    for row in report.rows:
        moved = {
            side: sum(r.points for r in row.reasons if r.side == side) for side in ("legacy", "pipeline")
        }
        assert row.sums.legacy.points - row.sums.truth.points == moved["legacy"]
        assert row.sums.pipeline.points - row.sums.truth.points == moved["pipeline"]
    changes = count_changes([line.line for line in board_of(report).lines])
    assert wrong or changes[EntryChange.SAME] == len(board_of(report).lines)
