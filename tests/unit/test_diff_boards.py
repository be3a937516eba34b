"""What becomes of each entry between two boards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migration.compare.boards.boards import BoardEntry
from migration.compare.boards.windows import (
    BoardWindow,
    EntryChange,
    by_points,
    comparable,
    draw,
    pair,
    rank_truth,
)
from pipeline.domain import ranking as pipeline_ranking
from pipeline.domain.ranking import Standing

if TYPE_CHECKING:
    from collections.abc import Mapping


def board(points: Mapping[str, int], *, cut: bool = False) -> BoardWindow:
    return BoardWindow(tuple(by_points(BoardEntry(0, name, amount) for name, amount in points.items())), cut)


def changes(legacy: BoardWindow, pipeline: BoardWindow) -> dict[str, EntryChange]:
    return {line.employee_id: line.change for line in pair(*comparable(legacy, pipeline), {})}


def test_every_change_has_its_example() -> None:
    legacy = board({"a": 9, "b": 8, "c": 8, "d": 7, "e": 6, "f": 5, "g": 4, "h": 3}, cut=True)
    pipeline = board({"a": 9, "c": 8, "b": 8, "e": 7, "x": 7, "f": 6, "g": 4, "i": 3}, cut=True)
    assert changes(legacy, pipeline) == {
        "a": EntryChange.SAME,
        "b": EntryChange.TIE_PERMUTED,
        "c": EntryChange.TIE_PERMUTED,
        "d": EntryChange.LEFT,
        "e": EntryChange.MOVED,
        "x": EntryChange.ENTERED,
        "f": EntryChange.SCORE_DIFFERS,
        "g": EntryChange.SAME,
        "h": EntryChange.WINDOW_EDGE,
        "i": EntryChange.WINDOW_EDGE,
    }


def test_nobody_is_cut_off_a_board_that_shows_everybody() -> None:
    assert changes(board({"a": 9, "b": 3}), board({"a": 9, "c": 3})) == {
        "a": EntryChange.SAME,
        "b": EntryChange.LEFT,
        "c": EntryChange.ENTERED,
    }


def test_what_is_below_the_shorter_window_is_not_compared() -> None:
    legacy = board({"a": 9, "b": 8}, cut=True)
    pipeline = board({"a": 9, "b": 8, "c": 7, "d": 6}, cut=True)
    assert changes(legacy, pipeline) == {"a": EntryChange.SAME, "b": EntryChange.SAME}
    everybody = board({"a": 9, "b": 8, "c": 7})
    assert changes(legacy, everybody) == {"a": EntryChange.SAME, "b": EntryChange.SAME}


def test_a_board_that_numbers_equals_one_by_one_moves_nobody() -> None:
    ordinal = BoardWindow((BoardEntry(1, "a", 5), BoardEntry(2, "b", 5), BoardEntry(3, "c", 4)))
    assert changes(ordinal, board({"a": 5, "b": 5, "c": 4})) == dict.fromkeys("abc", EntryChange.SAME)


def test_a_board_that_is_not_in_the_order_of_its_points_keeps_its_ranks() -> None:
    wrong = BoardWindow((BoardEntry(1, "a", 4), BoardEntry(2, "b", 5)))
    assert changes(wrong, board({"b": 5, "a": 4})) == dict.fromkeys("ab", EntryChange.MOVED)


def test_only_those_whose_order_among_equals_changed_are_permuted() -> None:
    legacy = board({"a": 5, "b": 5, "c": 5, "gone": 5})
    pipeline = board({"new": 5, "b": 5, "a": 5, "c": 5})
    assert changes(legacy, pipeline) == {
        "a": EntryChange.TIE_PERMUTED,
        "b": EntryChange.TIE_PERMUTED,
        "c": EntryChange.SAME,
        "gone": EntryChange.LEFT,
        "new": EntryChange.ENTERED,
    }


@pytest.mark.parametrize("name", ["e-1", "ümläut", "🦊", "' OR 1=1"])
def test_the_truth_draws_as_the_pipeline_does(name: str) -> None:
    assert draw(name) == pipeline_ranking.tie_break(name)


def test_the_truth_ranks_as_the_pipeline_does() -> None:
    points = {f"e-{number}": number % 4 for number in range(20)}
    standings = [Standing(name, amount, 1) for name, amount in points.items()]
    theirs = [(one.rank, one.id, one.points) for one in pipeline_ranking.rank(standings, 20, {})]
    assert [(one.rank, one.employee_id, one.points) for one in rank_truth(points)] == theirs
