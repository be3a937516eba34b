"""Why a row or a board differs: every cause by name, and what it means."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migration.compare.boards.windows import EntryChange
from migration.compare.diff.two_sides import Sighting, StoredBoard
from migration.compare.reasons import Judgement, Reason
from migration.model.cause import Cause
from migration.model.errors import UsageError
from migration.model.fold import TOTAL, Fold, Row
from tests.diff_world import World, ago, board_of, line_of, row_of

ROW = Row("ada", "p")


@pytest.fixture
def world() -> World:
    """Three employees in two programs; no one event of an employee makes up for others."""
    world = World()
    for name, first in (("ada", 50), ("grace", 30), ("linus", 10)):
        for number, more in enumerate((0, 3, 7)):
            world.add(name, f"{name}-{number}", first + more, "p")
        world.add(name, f"{name}-q", 3, "q")
    return world


def seen(world: World, event: str) -> Sighting:
    return next(one for one in world.seen if one.identity.event_id == event)


def only_reason(world: World, row: Row = ROW) -> Reason:
    (reason,) = row_of(world.diff(), row).reasons
    return reason


def test_exact_sides_do_not_differ(world: World) -> None:
    report = world.diff()
    assert report.judgement is Judgement.SAME
    assert not report.rows
    assert [board.board for board in report.boards] == ["global", "program#p", "program#q"]
    assert {line.line.change for board in report.boards for line in board.lines} == {EntryChange.SAME}
    assert [(level.name, level.rows, level.differing) for level in report.levels] == [
        ("employee in program", 6, 0),
        ("employee", 3, 0),
        ("program", 2, 0),
    ]


@pytest.mark.parametrize("times", [1, 2])
def test_a_double_count_of_legacy_names_the_event(world: World, times: int) -> None:
    world.count(seen(world, "ada-1"), times)
    report = world.diff()
    assert report.judgement is Judgement.EXPLAINED
    for row in (ROW, Row("ada", TOTAL)):
        (reason,) = row_of(report, row).reasons
        assert (reason.cause, reason.events, reason.points, reason.certain) == (
            Cause.LEGACY_DOUBLE_COUNT,
            ("ada-1",),
            53 * times,
            True,
        )
    (reason,) = row_of(report, Row(None, "p")).reasons
    assert (reason.cause, reason.events) == (Cause.LEGACY_DOUBLE_COUNT, ("ada ada-1",))
    line = line_of(report, "ada")
    assert (line.line.change, line.judgement) == (EntryChange.SCORE_DIFFERS, Judgement.EXPLAINED)
    assert [one.cause for one in line.reasons] == [Cause.LEGACY_DOUBLE_COUNT]


def test_a_partial_update_of_legacy_shows_in_the_employees_rows_only(world: World) -> None:
    world.count(seen(world, "ada-1"), -1, in_program=False)
    report = world.diff()
    assert [row.sums.row for row in report.rows] == [ROW, Row("ada", TOTAL)]
    assert only_reason(world).cause is Cause.LEGACY_PARTIAL_UPDATE
    assert only_reason(world).events == ("ada-1",)


def test_a_retry_after_a_partial_update_shows_in_the_programs_row_only(world: World) -> None:
    world.count(seen(world, "ada-1"), in_employee=False)
    reason = only_reason(world, Row(None, "p"))
    assert (reason.cause, reason.events) == (Cause.LEGACY_DOUBLE_COUNT, ("ada ada-1",))


def test_one_counted_again_and_another_not_at_all(world: World) -> None:
    world.count(seen(world, "ada-2"))
    world.count(seen(world, "ada-0"), -1)
    reason = only_reason(world)
    assert (reason.cause, set(reason.events), reason.points) == (Cause.LEGACY_MISCOUNT, {"ada-0", "ada-2"}, 7)


def test_events_with_the_same_points_are_all_candidates(world: World) -> None:
    world.add("ada", "twin", 53)
    world.count(seen(world, "twin"))
    reason = only_reason(world)
    assert (set(reason.events), reason.needed, reason.certain) == ({"ada-1", "twin"}, 1, False)
    assert "1 of ada-1, twin" in str(reason)


def test_an_acknowledgement_ledger_tells_the_candidates_apart(world: World) -> None:
    world.add("ada", "twin", 53)
    world.count(seen(world, "twin"))
    suspects = {ROW: {"twin": Fold(53, 1)}, Row(None, "p"): {"ada twin": Fold(53, 1)}}
    report = world.diff(suspects=suspects)
    for row, name in ((ROW, "twin"), (Row("ada", TOTAL), "twin"), (Row(None, "p"), "ada twin")):
        (reason,) = row_of(report, row).reasons
        assert (reason.events, reason.certain) == ((name,), True)


def test_so_many_retries_that_totals_cannot_name_them_are_still_legacys_own(world: World) -> None:
    for event in ("ada-0", "ada-1", "ada-2"):
        world.count(seen(world, event), 2)
    reason = only_reason(world)
    assert (reason.cause, reason.events, reason.judgement) == (
        Cause.LEGACY_DOUBLE_COUNT,
        (),
        Judgement.EXPLAINED,
    )
    assert "6 counts off" in reason.note


def test_legacy_points_that_no_events_make_up_are_unexplained(world: World) -> None:
    world.miscounted[ROW] = Fold(1, 0)
    report = world.diff()
    assert report.judgement is Judgement.UNEXPLAINED
    assert row_of(report, ROW).reasons[0].note == "+1 points, +0 events"
    assert line_of(report, "ada").judgement is Judgement.UNEXPLAINED


def test_errors_that_cancel_out_are_errors(world: World) -> None:
    world.add("ada", "unmirrored", 53, legacy=False, side="pipeline")
    world.count(seen(world, "ada-1"))
    causes = [one.cause for one in row_of(world.diff(), ROW).reasons]
    assert causes == [Cause.LEGACY_DOUBLE_COUNT, Cause.NOT_MIRRORED_BACK]


def test_a_fact_that_is_not_folded_is_named_by_its_fingerprint(world: World) -> None:
    world.fold(seen(world, "ada-1"), -1)
    reason = only_reason(world)
    assert (reason.cause, reason.events, reason.points) == (Cause.LOST, ("ada-1",), -53)
    assert reason.judgement is Judgement.TO_REPAIR


def test_a_fact_that_is_folded_again_is_named(world: World) -> None:
    world.fold(seen(world, "ada-1"))
    assert only_reason(world, Row("ada", TOTAL)).cause is Cause.DOUBLED
    assert only_reason(world, Row(None, "p")).events == ("ada ada-1",)


def test_the_points_of_a_fold_that_are_off_are_unexplained(world: World) -> None:
    world.misfolded[ROW] = Fold(5, 0, 0)
    assert only_reason(world).judgement is Judgement.UNEXPLAINED


def test_a_fact_that_has_just_come_is_in_flight(world: World) -> None:
    one = world.add("ada", "new", 7, at=ago(seconds=5))
    world.fold(one, -1)
    world.count(one, -1)
    report = world.diff()
    assert report.judgement is Judgement.EXPLAINED
    assert {reason.cause for row in report.rows for reason in row.reasons} == {Cause.IN_FLIGHT}


def test_an_older_fact_is_in_flight_only_while_messages_are_queued(world: World) -> None:
    world.fold(world.add("ada", "slow", 7, at=ago(minutes=5)), -1)
    assert only_reason(world).cause is Cause.LOST
    world.queued = 3
    assert only_reason(world).cause is Cause.IN_FLIGHT


def test_a_fact_that_others_have_long_overtaken_is_lost_however_many_messages_are_queued(
    world: World,
) -> None:
    world.fold(world.add("ada", "lost", 7, at=ago(minutes=20)), -1)
    world.queued = 3
    assert only_reason(world).cause is Cause.LOST


def test_more_facts_on_their_way_than_fingerprints_can_be_tried_for_are_in_flight(world: World) -> None:
    for number in range(40):
        world.fold(world.add("ada", f"new-{number}", 7, at=ago(seconds=5)), -(number % 2))
    reason = only_reason(world)
    assert (reason.cause, reason.needed, reason.count) == (Cause.IN_FLIGHT, 20, 40)


def test_history_that_is_copied_and_not_installed(world: World) -> None:
    for number in range(6):
        world.fold(world.add("ada", f"old-{number}", 7, lane="history"), -1)
    reason = only_reason(world)
    assert (reason.cause, reason.count, reason.points) == (Cause.HISTORY_NOT_INSTALLED, 6, -42)


def test_what_only_one_side_stores(world: World) -> None:
    world.add("ada", "uncopied", 7, fact=False)
    world.add("ada", "unmirrored", 8, legacy=False, side="pipeline")
    world.add("ada", "refused", 9, legacy=False)
    report = world.diff()
    found = {(one.cause, one.side, one.events, one.points) for one in row_of(report, ROW).reasons}
    assert found == {
        (Cause.MIRROR_MISSED, "pipeline", ("uncopied",), -7),
        (Cause.NOT_MIRRORED_BACK, "legacy", ("unmirrored",), -8),
        (Cause.LEGACY_FAILED, "legacy", ("refused",), -9),
    }
    truth = row_of(report, ROW).sums.truth
    assert (truth.points, truth.events) == (50 + 53 + 57 + 7 + 8 + 9, 6)


def test_before_there_are_facts_the_truth_is_legacys_events() -> None:
    world = World()
    world.add("ada", "v", 7, fact=False)
    sides = world.sides()
    sides.of_pipeline = []
    report = world.diff(sides)
    assert row_of(report, ROW).sums.truth.points == 7
    assert {one.cause for one in row_of(report, ROW).reasons} == {Cause.MIRROR_MISSED}
    line = line_of(report, "ada")
    assert (line.line.change, line.judgement) == (EntryChange.LEFT, Judgement.TO_REPAIR)


def test_an_activity_that_the_sides_store_differently() -> None:
    world = World()
    one = world.add("ada", "v", 7)
    assert one.fact is not None
    world.seen[0] = replace(one, fact=replace(one.fact, points=9))
    reason = only_reason(world)
    assert (reason.cause, reason.events, reason.points) == (Cause.ALTERED, ("v",), -2)
    world.seen[0] = replace(one, fact=replace(one.fact, program_id="q"))
    report = world.diff()
    assert [one.points for one in row_of(report, Row("ada", "p")).reasons] == [7]
    assert [one.points for one in row_of(report, Row("ada", "q")).reasons] == [-7]


def test_a_board_that_legacy_rebuilt_before_the_newest_events_is_stale(world: World) -> None:
    stale = world.sides().of_legacy
    world.add("linus", "later", 200, at=ago(seconds=70))
    sides = world.sides()
    sides.of_legacy = stale
    report = world.diff(sides)
    assert not report.rows
    assert report.judgement is Judgement.EXPLAINED
    line = line_of(report, "linus")
    (reason,) = line.reasons
    assert (line.line.change, reason.cause, reason.events) == (
        EntryChange.MOVED,
        Cause.LEGACY_STALE_BOARD,
        ("later",),
    )
    (moved,) = line_of(report, "ada").reasons
    assert (moved.cause, moved.note, moved.judgement) == (Cause.MOVED_BY_OTHERS, "linus", Judgement.EXPLAINED)


def test_an_event_that_does_not_say_when_it_came_to_legacy_came_with_its_fact(world: World) -> None:
    stale = world.sides().of_legacy
    one = world.add("linus", "mirrored", 200, at=ago(seconds=70))
    sides = world.sides()
    del sides.received_at[one.identity]
    sides.of_legacy = stale
    (reason,) = line_of(world.diff(sides), "linus").reasons
    assert (reason.cause, reason.events) == (Cause.LEGACY_STALE_BOARD, ("mirrored",))


def test_a_board_can_be_behind_by_what_its_totals_count_again(world: World) -> None:
    stale = world.sides().of_legacy
    world.count(world.add("linus", "later", 200, at=ago(seconds=70)))
    sides = world.sides()
    sides.of_legacy = stale
    causes = [reason.cause for reason in line_of(world.diff(sides), "linus").reasons]
    assert causes == [Cause.LEGACY_DOUBLE_COUNT, Cause.LEGACY_STALE_BOARD]


def test_a_snapshot_from_before_the_newest_folds_is_older(world: World) -> None:
    older = world.sides().of_pipeline
    world.add("linus", "later", 1, at=ago(seconds=5))
    sides = world.sides()
    sides.of_pipeline = older
    (reason,) = line_of(world.diff(sides), "linus").reasons
    assert (reason.cause, reason.events) == (Cause.OLDER_SNAPSHOT, ("later",))


def test_a_board_behind_its_totals_by_old_events_is_unexplained(world: World) -> None:
    world.add("linus", "long ago", 200, at=ago(hours=3))
    sides = world.sides()
    sides.of_legacy = [
        replace(board, entries=tuple(e for e in board.entries if e.employee_id != "linus"))
        for board in sides.of_legacy
    ]
    line = line_of(world.diff(sides), "linus")
    assert (line.line.change, line.judgement) == (EntryChange.ENTERED, Judgement.UNEXPLAINED)


def test_a_board_that_legacy_never_built_is_behind_by_everything(world: World) -> None:
    sides = world.sides()
    sides.of_legacy = []
    report = world.diff(sides)
    assert {line.line.change for line in board_of(report).lines} == {EntryChange.ENTERED}
    assert report.judgement is Judgement.EXPLAINED
    assert board_of(report).legacy_made_at is None


def test_whoever_is_moved_by_an_unexplained_difference_is_unexplained(world: World) -> None:
    for row in (Row("linus", "p"), Row("linus", TOTAL)):
        world.misfolded[row] = Fold(500, 0, 0)
    line = line_of(world.diff(), "ada")
    assert (line.reasons[0].cause, line.judgement) == (Cause.MOVED_BY_OTHERS, Judgement.UNEXPLAINED)


def test_a_board_out_of_order_is_unexplained(world: World) -> None:
    sides = world.sides()
    (board, *others) = sides.of_legacy
    first, second, third = board.entries
    wrong = (replace(second, rank=1), replace(first, rank=2), third)
    sides.of_legacy = [StoredBoard(board.board, wrong, board.made_at), *others]
    report = world.diff(sides)
    assert line_of(report, "ada").judgement is Judgement.UNEXPLAINED
    assert line_of(report, "linus").judgement is Judgement.SAME


def test_who_is_cut_off_among_equals_neither_entered_nor_left() -> None:
    world = World(board_size=2)
    for name in ("a", "b", "c"):
        world.add(name, "v", 5)
    sides = world.sides()
    (board, *others) = sides.of_legacy
    missing = next(name for name in "abc" if name not in {e.employee_id for e in board.entries})
    entries = (board.entries[0], replace(board.entries[1], employee_id=missing))
    sides.of_legacy = [replace(board, entries=entries), *others]
    report = world.diff(sides, board="global")
    changes = {line.line.change for line in board_of(report).lines}
    assert changes == {EntryChange.SAME, EntryChange.WINDOW_EDGE}
    assert report.judgement is Judgement.EXPLAINED


def test_the_truth_of_a_small_window_is_ranked_over_everybody() -> None:
    world = World(board_size=2)
    for number in range(10):
        world.add(f"e{number}", "v", 10 * number + 1)
    world.fold(world.add("e0", "big", 500), -1)
    report = world.diff()
    line = line_of(report, "e9")
    assert line.line.truth is not None
    assert (line.line.truth.rank, line.line.truth.points) == (2, 91)
    entered = line_of(report, "e8")
    assert (entered.line.change, entered.line.truth.rank if entered.line.truth else None) == (
        EntryChange.ENTERED,
        3,
    )
    assert board_of(report).agreements["pipeline, truth"].common == 1


def test_one_board_can_be_asked_for(world: World) -> None:
    assert [board.board for board in world.diff(board="program#q").boards] == ["program#q"]
    with pytest.raises(UsageError, match="neither side has a board 'nothing'"):
        world.diff(board="nothing")
