"""Every class of difference is repaired as it is said to be, or left with the reason: in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from migration.compare.verify.judge import Verdict
from migration.compare.verify.verification import Parts
from migration.model.backfill import BackfillPhase
from migration.model.cause import Cause
from migration.model.errors import ConflictError
from migration.model.facts import Lane
from migration.model.fold import TOTAL, Fold, Row, fold_of, rows_of
from migration.model.journal import EntryKind
from migration.model.side import Side
from migration.model.stages import Control, Stage
from migration.repair.words import Deed, DeedOutcome, RepairAction, RepairPlan
from tests.repair_world import INSTALLED, RepairWorld
from tests.verify_world import activities, activity

if TYPE_CHECKING:
    from pathlib import Path


Run = Callable[[], tuple[RepairPlan, list[Deed], Verdict]]
LIVE, HISTORIC = activities()[7], activities()[6]

pytestmark = pytest.mark.slow  # each has a verification's database made again and again


@pytest.fixture
def world() -> RepairWorld:
    world = RepairWorld()
    for number, one in enumerate(activities()):
        world.accept(one, Lane.HISTORY if number % 3 == 0 else Lane.LIVE)
    return world


@pytest.fixture
def repair(world: RepairWorld, tmp_path: Path) -> Run:
    """Look, act and look again, all of it; what it did."""
    folders = iter(range(100))

    def run() -> tuple[RepairPlan, list[Deed], Verdict]:
        store = world.store(tmp_path / str(next(folders)))
        try:
            job = world.repair(store)
            plan = job.look()
            deeds = list(job.act(plan))
            return plan, deeds, job.after(deeds)
        finally:
            store.close(keep=False)

    return run


def only(plan: RepairPlan) -> tuple[Cause, RepairAction]:
    assert len(plan.remedies) == 1, plan.remedies
    return plan.remedies[0].difference.kind, plan.remedies[0].action


def assert_repaired(
    world: RepairWorld, repair: Run, kind: Cause, action: RepairAction, folder: Path
) -> list[Deed]:
    """It is repaired as said, a whole verification is clean after it, and a second repair does nothing."""
    plan, deeds, after = repair()
    assert only(plan) == (kind, action)
    assert {one.outcome for one in deeds} == {DeedOutcome.DONE}
    assert not after.differences
    assert not world.verify(folder).differences
    was = world.snapshot()
    again, none, _ = repair()
    assert (again.remedies, none) == ([], [])
    assert world.snapshot() == was
    return deeds


def assert_left(world: RepairWorld, repair: Run, kind: Cause, why: str) -> None:
    was = world.snapshot()
    plan, deeds, after = repair()
    assert only(plan) == (kind, RepairAction.LEAVE)
    assert why in plan.remedies[0].why
    assert deeds == []
    assert world.snapshot() == was
    assert {one.kind for one in after.differences} <= {kind}


def test_a_sound_system_needs_nothing(world: RepairWorld, repair: Run) -> None:
    plan, deeds, after = repair()
    assert (plan.remedies, deeds, after.differences) == ([], [], frozenset())
    assert not world.control.entries


def test_a_fact_that_was_not_folded_has_its_message_sent_again(
    world: RepairWorld, repair: Run, tmp_path: Path
) -> None:
    was = world.snapshot()
    world.lose(LIVE)
    assert_repaired(world, repair, Cause.LOST, RepairAction.REDRIVE, tmp_path)
    assert world.snapshot() == was
    assert not [name for name in world.folds.entries if name.startswith("#repair")]


def test_a_fact_whose_rows_lost_it_after_it_was_folded_is_compensated(
    world: RepairWorld, repair: Run, tmp_path: Path
) -> None:
    was = world.snapshot()
    world.system.fold(LIVE, times=-1)
    deeds = assert_repaired(world, repair, Cause.LOST, RepairAction.COMPENSATE, tmp_path)
    assert {(one.row, one.delta) for one in deeds} == {(row, fold_of(LIVE)) for row in rows_of(LIVE)}
    assert {one.id for one in deeds} == {
        "#repair emp-3 prog-1 1",
        "#repair emp-3 #total 1",
        "#repair #program prog-1 1",
    }
    assert world.snapshot() == was


def test_a_fact_past_the_horizon_is_compensated_and_no_late_message_folds_it(
    world: RepairWorld, repair: Run, tmp_path: Path
) -> None:
    old = activity(100)
    world.accept(old, at="2026-01-01T00:00:00.000Z")
    world.lose(old)
    assert_repaired(world, repair, Cause.LOST, RepairAction.COMPENSATE, tmp_path)
    world.folds.redrive(world.tables.facts[old.identity])
    world.work()
    assert not world.verify(tmp_path).differences


@pytest.mark.parametrize("again", [1, 2])
def test_a_fact_folded_again_is_taken_away_again(
    world: RepairWorld, repair: Run, tmp_path: Path, again: int
) -> None:
    was = world.snapshot()
    world.system.fold(LIVE, times=again)
    assert_repaired(world, repair, Cause.DOUBLED, RepairAction.COMPENSATE, tmp_path)
    assert world.snapshot() == was


def test_the_same_damage_again_is_repaired_under_the_next_name(
    world: RepairWorld, repair: Run, tmp_path: Path
) -> None:
    for number in (1, 2, 3):
        world.system.fold(LIVE)
        deeds = assert_repaired(world, repair, Cause.DOUBLED, RepairAction.COMPENSATE, tmp_path)
        assert {one.id.split()[-1] for one in deeds} == {str(number)}


def test_altered_points_of_a_row_are_compensated(world: RepairWorld, repair: Run, tmp_path: Path) -> None:
    was = world.snapshot()
    for row in rows_of(LIVE):
        world.system.add(row, Fold(points=4))
    assert_repaired(world, repair, Cause.ALTERED, RepairAction.COMPENSATE, tmp_path)
    assert world.snapshot() == was


@pytest.mark.parametrize(
    "wrong",
    [
        (Row("emp-3", "prog-2"), Row(None, "prog-2")),
        (Row("nobody", "prog-1"), Row("nobody", TOTAL)),
    ],
    ids=["another program", "an employee without facts"],
)
def test_a_fold_under_a_wrong_key_is_moved(
    world: RepairWorld, repair: Run, tmp_path: Path, wrong: tuple[Row, ...]
) -> None:
    was = world.snapshot()
    for row in rows_of(LIVE):
        if row.program_id == LIVE.program_id and row.employee_id == LIVE.employee_id:
            world.system.add(row, fold_of(LIVE) * -1)
    world.system.add(wrong[0], fold_of(LIVE))
    assert_repaired(world, repair, Cause.MISPLACED, RepairAction.COMPENSATE, tmp_path)
    assert world.snapshot() == was


def test_a_row_that_is_gone_is_made_up_for_as_a_whole(
    world: RepairWorld, repair: Run, tmp_path: Path
) -> None:
    was = world.snapshot()
    gone = Row("emp-3", "prog-1")
    del world.tables.rows[gone]
    _, _, after = repair()
    assert not after.differences
    assert world.snapshot() == was


def test_a_legacy_event_without_a_fact_is_put_as_a_fact_and_folded(
    world: RepairWorld, repair: Run, tmp_path: Path
) -> None:
    missed = activity(100)
    world.system.legacy_accepts(missed)
    assert_repaired(world, repair, Cause.MIRROR_MISSED, RepairAction.RECONCILE, tmp_path)
    fact = world.tables.facts[missed.identity]
    assert (fact.activity, fact.lane, fact.side) == (missed, Lane.LIVE, Side.LEGACY)
    assert world.folds.has_folded(missed.identity)


def test_a_fact_of_the_pipelines_that_legacy_lacks_is_applied_to_it(
    world: RepairWorld, repair: Run, tmp_path: Path
) -> None:
    missed = activity(100)
    world.accept(missed, side=Side.PIPELINE)
    was = world.snapshot()
    del world.tables.events[missed.identity]
    world.system.legacy_counts(missed, -1)
    assert_repaired(world, repair, Cause.NOT_MIRRORED_BACK, RepairAction.RECONCILE, tmp_path)
    assert world.snapshot() == was


def test_a_fact_that_is_gone_is_put_back_and_not_folded_again(
    world: RepairWorld, repair: Run, tmp_path: Path
) -> None:
    was = world.snapshot()
    del world.tables.facts[LIVE.identity]
    world.captured.discard(LIVE.identity)
    del world.folds.entries["\n".join(LIVE.identity)]  # even where its entry had expired
    assert_repaired(world, repair, Cause.LOST, RepairAction.RESTORE, tmp_path)
    assert world.snapshot() == was


def test_a_copied_fact_that_is_gone_is_put_back_in_its_lane(
    world: RepairWorld, repair: Run, tmp_path: Path
) -> None:
    del world.tables.facts[HISTORIC.identity]
    assert_repaired(world, repair, Cause.LOST, RepairAction.RESTORE, tmp_path)
    assert world.tables.facts[HISTORIC.identity].lane is Lane.HISTORY


@pytest.mark.parametrize("employee", [3, 8])
def test_history_that_is_not_installed_is_installed(
    world: RepairWorld, repair: Run, tmp_path: Path, employee: int
) -> None:
    copied = [activity(number, employee=employee, program=1) for number in (100, 101)]
    for one in copied:
        world.system.legacy_accepts(one)
        world.system.store(one, Lane.HISTORY)
    _, deeds, after = repair()
    assert {one.action for one in deeds} == {RepairAction.INSTALL}
    assert not after.differences
    assert not world.verify(tmp_path).differences


def test_history_is_left_to_a_backfill_that_is_not_at_its_end(world: RepairWorld, repair: Run) -> None:
    world.checkpoints.stored_job = replace(INSTALLED, phase=BackfillPhase.SEALED)
    world.system.fold(HISTORIC, Lane.HISTORY, times=-1)
    assert_left(world, repair, Cause.HISTORY_NOT_INSTALLED, "cutover backfill start")


def test_what_both_lanes_fold_is_taken_out_of_the_lane_that_it_does_not_belong_to(
    world: RepairWorld, repair: Run, tmp_path: Path
) -> None:
    was = world.snapshot()
    world.system.fold(HISTORIC)
    deeds = assert_repaired(world, repair, Cause.DOUBLED, RepairAction.COMPENSATE, tmp_path)
    assert {one.lane for one in deeds} == {Lane.LIVE}
    world.system.fold(LIVE, Lane.HISTORY)
    deeds = assert_repaired(world, repair, Cause.DOUBLED, RepairAction.COMPENSATE, tmp_path)
    assert {one.lane for one in deeds} == {Lane.HISTORY}
    assert world.snapshot() == was


def test_a_fact_that_may_still_be_folded_is_waited_for_beside_another_fault(
    world: RepairWorld, repair: Run, tmp_path: Path
) -> None:
    coming = activity(100, 3, 1, 40)
    world.system.legacy_accepts(coming)
    world.system.store(coming, at="2026-03-01T09:25:00.000Z")
    world.captured.add(coming.identity)
    world.tables.messages = 1
    world.system.fold(LIVE)
    plan, deeds, _ = repair()
    assert {one.difference.event_id: one.action for one in plan.remedies} == {
        LIVE.event_id: RepairAction.COMPENSATE,
        coming.event_id: RepairAction.WAIT,
    }
    assert {one.outcome for one in deeds} == {DeedOutcome.DONE}
    world.folds.redrive(world.tables.facts[coming.identity])
    world.work()
    assert not world.verify(tmp_path).differences


def test_points_are_set_right_while_their_program_gets_a_fact_that_was_missed(
    world: RepairWorld, repair: Run, tmp_path: Path
) -> None:
    for row in rows_of(LIVE):
        world.system.add(row, Fold(4))
    world.system.legacy_accepts(activity(100, 2, 1, 40))
    plan, deeds, after = repair()
    assert {one.action for one in plan.remedies} == {RepairAction.COMPENSATE, RepairAction.RECONCILE}
    assert {one.outcome for one in deeds} == {DeedOutcome.DONE}
    assert not after.differences
    assert not world.verify(tmp_path).differences


def test_facts_and_legacys_own_errors_are_left_with_the_reason(world: RepairWorld, repair: Run) -> None:
    extra = activity(100)
    world.system.store(extra)
    world.system.fold(extra)
    world.captured.add(extra.identity)
    assert_left(world, repair, Cause.LEGACY_FAILED, "cutover reconcile")


@pytest.mark.parametrize(
    ("times", "kind"), [(1, Cause.LEGACY_DOUBLE_COUNT), (-1, Cause.LEGACY_PARTIAL_UPDATE)]
)
def test_legacys_own_errors_are_left(world: RepairWorld, repair: Run, times: int, kind: Cause) -> None:
    world.system.legacy_counts(LIVE, times)
    assert_left(world, repair, kind, "legacy's own error")


def test_what_no_events_explain_is_refused(world: RepairWorld, repair: Run) -> None:
    world.system.add(Row("ghost", "prog-1"), Fold(3, 1, 12345))
    assert_left(world, repair, Cause.UNEXPLAINED, "who else writes")


def test_history_that_is_not_copied_yet_is_not_put_in_the_live_lane(world: RepairWorld, repair: Run) -> None:
    world.checkpoints.stored_job = None
    world.system.legacy_accepts(activity(100))
    assert_left(world, repair, Cause.MIRROR_MISSED, "cutover backfill start")


def test_everything_that_is_done_is_in_the_journal(world: RepairWorld, repair: Run) -> None:
    world.system.fold(LIVE)
    _, deeds, _ = repair()
    decided, *repaired = sorted(
        world.control.entries.values(), key=lambda one: one.kind is EntryKind.REPAIRED
    )
    assert decided.kind is EntryKind.DECIDED
    assert decided.detail["differences"][0]["event_id"] == LIVE.event_id
    assert {one.kind for one in repaired} == {EntryKind.REPAIRED}
    assert {one.detail["id"] for one in repaired} == {one.id for one in deeds}
    [total] = [one.detail for one in repaired if one.detail["row"] == "emp-3 x #total"]
    assert total["delta"] == {
        "points": -LIVE.points,
        "events": -1,
        "fingerprint": -fold_of(LIVE).fingerprint,
    }


def test_what_was_repaired_since_the_plan_was_agreed_on_is_not_repaired_again(
    world: RepairWorld, tmp_path: Path
) -> None:
    was = world.snapshot()
    world.system.fold(LIVE)
    lost = activities()[10]
    world.lose(lost)
    stores = [world.store(tmp_path / name) for name in "ab"]
    first, second = (world.repair(store) for store in stores)
    plan, same = first.look(), second.look()
    list(first.act(plan))
    world.work()
    late = list(second.act(same))
    assert {one.outcome for one in late} == {DeedOutcome.MOVED_ON}
    assert world.snapshot() == was
    for store in stores:
        store.close(keep=False)


@pytest.mark.parametrize(
    "call", ["compensations", "has_folded", "control", "redrive", "compensate", "install", "append"]
)
def test_whenever_another_repair_comes_in_each_row_is_repaired_once(
    world: RepairWorld, repair: Run, tmp_path: Path, call: str
) -> None:
    was = world.snapshot()
    world.lose(activities()[10])
    world.system.fold(LIVE)
    world.system.fold(HISTORIC, Lane.HISTORY)
    others: list[Deed] = []
    before: dict[str, Callable[[], None]] = {}
    store = world.store(tmp_path / "first")
    first = world.repair(store, before=before)
    plan = first.look()
    before[call] = lambda: others.extend(repair()[1])
    deeds = list(first.act(plan))
    store.close(keep=False)
    world.work()
    assert world.snapshot() == was
    rows = [one.row for one in (*deeds, *others) if one.outcome is DeedOutcome.DONE and one.row]
    assert sorted(map(str, rows)) == sorted(map(str, (*rows_of(LIVE), *rows_of(HISTORIC))))


def test_another_stage_since_the_plan_stops_the_mirrors_repair(world: RepairWorld, tmp_path: Path) -> None:
    world.system.legacy_accepts(activity(100))
    store = world.store(tmp_path)
    job = world.repair(store)
    plan = job.look()
    world.checkpoints.state = Control(Stage.COMPLETE)
    facts = dict(world.tables.facts)
    with pytest.raises(ConflictError):
        list(job.act(plan))
    assert world.tables.facts == facts
    store.close(keep=False)


def test_live_folds_of_the_same_rows_are_neither_lost_nor_repeated(
    world: RepairWorld, tmp_path: Path
) -> None:
    world.system.fold(LIVE)
    store = world.store(tmp_path / "repair")
    job = world.repair(store)
    plan = job.look()
    deeds = []
    for number, deed in enumerate(job.act(plan)):
        deeds.append(deed)
        for place in (0, 1):
            one = activity(200 + 2 * number + place, employee=3, program=1, points=9)
            world.system.legacy_accepts(one)
            world.system.store(one, at="2026-03-01T09:30:01.000Z")
        world.work()
    store.close(keep=False)
    assert len(deeds) == 3
    assert {one.outcome for one in deeds} == {DeedOutcome.DONE}
    world.clock.sleep(60)
    assert not world.verify(tmp_path / "after").differences
    assert world.tables.rows[Row("emp-3", TOTAL)] != Parts()
