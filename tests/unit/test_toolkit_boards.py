"""Two boards side by side: legacy's own errors account for a difference, or it is unexplained."""

from __future__ import annotations

from migration.compare.boards.boards import Board, BoardEntry, BoardRow, side_by_side
from migration.compare.ledger.verdict import Finding, Place
from migration.model.cause import Cause


def board(**points: int) -> Board:
    ordered = sorted(points.items(), key=lambda item: -item[1])
    return Board(tuple(BoardEntry(rank, name, own) for rank, (name, own) in enumerate(ordered, start=1)))


def finding(kind: Cause, employee: str, points: int, times: int) -> Finding:
    return Finding(kind, Place.FOLDS, "", employee, "ev-1", "prog-1", points, times=times)


def lines(legacy: Board, pipeline: Board, *findings: Finding, size: int = 10) -> dict[str, BoardRow]:
    return {line.employee_id: line for line in side_by_side(legacy, pipeline, findings, size)}


def test_equal_boards_need_no_reason() -> None:
    paired = lines(board(a=20, b=10), board(a=20, b=10))
    assert [(line.differs, line.why) for line in paired.values()] == [(False, ""), (False, "")]


def test_points_counted_again_account_for_a_difference() -> None:
    again = [finding(Cause.DOUBLED, "a", 5, times=2), finding(Cause.DOUBLED, "a", 3, times=1)]
    assert lines(board(a=33), board(a=20), *again)["a"].why == "legacy counted 3 retries again (+13)"


def test_points_not_counted_account_for_a_difference() -> None:
    assert (
        lines(board(a=15), board(a=20), finding(Cause.LOST, "a", 5, -1))["a"].why
        == "legacy did not count 1 (-5)"
    )


def test_both_kinds_together_may_cancel_partly() -> None:
    errors = [finding(Cause.DOUBLED, "a", 8, 1), finding(Cause.LOST, "a", 5, -1)]
    assert (
        lines(board(a=23), board(a=20), *errors)["a"].why
        == "legacy counted 1 retry again and did not count 1 (+3)"
    )


def test_what_the_errors_do_not_add_up_to_is_unexplained() -> None:
    assert lines(board(a=33), board(a=20), finding(Cause.DOUBLED, "a", 5, 1))["a"].why == "unexplained (+13)"
    assert lines(board(a=33), board(a=20))["a"].why == "unexplained (+13)"


def test_another_rank_with_the_same_points_is_the_others_doing() -> None:
    paired = lines(board(a=10, b=20), board(a=10, b=5), finding(Cause.DOUBLED, "b", 15, 1))
    assert paired["a"].why == "moved by the others' points"
    assert paired["a"].differs


def test_who_is_on_one_board_only_is_shown_and_the_pipelines_order_leads() -> None:
    paired = side_by_side(board(a=30, c=20), board(a=30, b=20), [], size=2)
    assert [line.employee_id for line in paired] == ["a", "b", "c"]
    assert [line.why for line in paired] == [
        "",
        "below the edge of legacy's board",
        "below the edge of the pipeline's board",
    ]
