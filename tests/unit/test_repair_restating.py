"""One event id with two contents: the fact that legacy refused is restated, and rows get the difference."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import pytest

from migration.model.backfill import BackfillPhase
from migration.model.cause import Cause
from migration.model.facts import Lane, Restatement, StoredFact
from migration.model.journal import EntryKind
from migration.model.moments import moment_text
from migration.model.side import Side
from migration.model.stages import Control, Stage
from migration.repair.words import DeedOutcome, RepairAction
from tests.backfill_world import Budget, CrashError
from tests.repair_world import INSTALLED, RepairWorld
from tests.verify_world import OLD, activities, activity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from migration.model.fold import Activity
    from migration.repair.repair import Repair
    from migration.repair.words import Deed, RepairPlan

    Run = Callable[..., tuple[RepairPlan, list[Deed]]]

pytestmark = pytest.mark.slow  # each has a verification's database made again and again
ACKNOWLEDGED = activity(100, employee=1, program=1, points=10)
CONTENTS = {
    "other points": replace(ACKNOWLEDGED, points=35),
    "another program": replace(ACKNOWLEDGED, program_id="prog-2"),
    "another program and points": replace(ACKNOWLEDGED, program_id="prog-new", points=35),
    "another type": replace(ACKNOWLEDGED, activity_type="program_check_in"),
}


@pytest.fixture(params=list(CONTENTS.values()), ids=list(CONTENTS))
def refused(request: pytest.FixtureRequest) -> Activity:
    content: Activity = request.param
    return content


@pytest.fixture
def world() -> RepairWorld:
    world = RepairWorld()
    for number, one in enumerate(activities()):
        world.accept(one, Lane.HISTORY if number % 3 == 0 else Lane.LIVE)
    return world


@pytest.fixture
def begin(world: RepairWorld, tmp_path: Path) -> Callable[..., Repair]:
    folders = count()

    def begin(budget: Budget | None = None) -> Repair:
        return world.repair(world.store(tmp_path / str(next(folders))), budget)

    return begin


@pytest.fixture
def repair(begin: Callable[..., Repair]) -> Callable[..., tuple[RepairPlan, list[Deed]]]:
    def repair(budget: Budget | None = None) -> tuple[RepairPlan, list[Deed]]:
        job = begin(budget)
        plan = job.look()
        deeds = list(job.act(plan))
        job.after(deeds)
        return plan, deeds

    return repair


def contradict(world: RepairWorld, refused: Activity, lane: Lane = Lane.LIVE) -> None:
    """Legacy has an event; a client uses its id again, legacy refuses, and the mirror is stored."""
    world.system.legacy_accepts(ACKNOWLEDGED)
    world.system.store(refused, lane)
    world.captured.add(refused.identity)
    world.system.fold(refused, lane)
    if lane is Lane.LIVE:
        world.folds.entries["\n".join(refused.identity)] = None


def as_if_legacy_alone_had_been_asked(lane: Lane = Lane.LIVE) -> RepairWorld:
    world = RepairWorld()
    for number, one in enumerate(activities()):
        world.accept(one, Lane.HISTORY if number % 3 == 0 else Lane.LIVE)
    world.accept(ACKNOWLEDGED, lane)
    return world


def settled(world: RepairWorld) -> dict[str, object]:
    """The tables; a row that holds nothing is as good as none."""
    was = world.snapshot()
    return {
        **was,
        "rows": {row: parts for row, parts in was["rows"].items() if parts.live.events or parts.base.events},
    }


def only(plan: RepairPlan) -> tuple[Cause, RepairAction]:
    assert len(plan.remedies) == 1, plan.remedies
    return plan.remedies[0].difference.kind, plan.remedies[0].action


def test_a_fact_that_legacy_refused_is_restated_in_one_repair(
    world: RepairWorld, repair: Run, refused: Activity, tmp_path: Path
) -> None:
    contradict(world, refused)
    plan, deeds = repair()
    assert only(plan) == (Cause.ALTERED, RepairAction.RESTATE)
    assert [(one.action, one.outcome, one.id) for one in deeds] == [
        (RepairAction.RESTATE, DeedOutcome.DONE, "emp-1 ev-100")
    ]
    assert settled(world) == settled(as_if_legacy_alone_had_been_asked())
    assert not world.verify(tmp_path).differences
    was = world.snapshot()
    again, none = repair()
    assert (again.remedies, none) == ([], [])
    assert world.snapshot() == was


def test_a_fact_of_history_is_restated_and_the_next_repair_installs_its_rows(
    world: RepairWorld, repair: Run, refused: Activity, tmp_path: Path
) -> None:
    contradict(world, refused, Lane.HISTORY)
    plan, deeds = repair()
    assert only(plan) == (Cause.ALTERED, RepairAction.RESTATE)
    assert [one.outcome for one in deeds] == [DeedOutcome.DONE]
    _, deeds = repair()
    assert {one.action for one in deeds} <= {RepairAction.INSTALL}
    assert settled(world) == settled(as_if_legacy_alone_had_been_asked(Lane.HISTORY))
    assert not world.verify(tmp_path).differences


def test_history_that_a_backfill_is_still_to_install_is_only_restated(
    world: RepairWorld, repair: Run, refused: Activity
) -> None:
    world.checkpoints.stored_job = replace(INSTALLED, phase=BackfillPhase.SEALED)
    world.system.legacy_accepts(ACKNOWLEDGED)
    world.system.store(refused, Lane.HISTORY)
    _, deeds = repair()
    assert [one.action for one in deeds] == [RepairAction.RESTATE]
    assert world.tables.facts[refused.identity].activity == ACKNOWLEDGED


def test_rows_that_held_what_legacy_has_are_compensated_back(
    world: RepairWorld, repair: Run, refused: Activity, tmp_path: Path
) -> None:
    """The fact alone was altered, after it was folded: what its rows are off stays what it was."""
    world.accept(ACKNOWLEDGED)
    was = settled(world)
    world.tables.facts[refused.identity] = StoredFact(refused, Lane.LIVE, Side.LEGACY, OLD)
    for _ in range(4):
        repair()
    assert settled(world) == was
    assert not world.verify(tmp_path).differences


def test_a_fact_that_was_never_folded_is_folded_as_legacy_has_it(
    world: RepairWorld, repair: Run, refused: Activity, tmp_path: Path
) -> None:
    contradict(world, refused)
    world.lose(refused)
    late = world.tables.facts[refused.identity]
    plan, _ = repair()
    assert only(plan)[1] is RepairAction.COMPENSATE
    plan, _ = repair()
    assert only(plan)[1] is RepairAction.RESTATE
    world.folds.redrive(late)
    world.work()
    assert settled(world) == settled(as_if_legacy_alone_had_been_asked())
    assert not world.verify(tmp_path).differences


def test_a_fact_whose_message_is_on_its_way_is_restated_when_it_has_come(
    world: RepairWorld, repair: Run, refused: Activity, tmp_path: Path
) -> None:
    world.system.legacy_accepts(ACKNOWLEDGED)
    world.system.store(refused, at=moment_text(world.clock.now() + 1))
    world.captured.add(refused.identity)
    was = world.snapshot()
    plan, deeds = repair()
    assert (only(plan), deeds) == ((Cause.ALTERED, RepairAction.WAIT), [])
    assert world.snapshot() == was
    world.folds.redrive(world.tables.facts[refused.identity])
    world.work()
    repair()
    assert settled(world)["rows"] == settled(as_if_legacy_alone_had_been_asked())["rows"]
    assert not world.verify(tmp_path).differences


def test_a_repair_killed_at_any_call_is_finished_by_the_same_command(
    repair: Run, world: RepairWorld, tmp_path: Path
) -> None:
    contradict(world, CONTENTS["another program and points"])
    killed = 0
    for half_calls in range(100):
        try:
            repair(Budget(half_calls))
        except CrashError:
            killed += 1
        else:
            break
    assert killed >= 5, "reading the state, the entry before it, and the transaction, each before and after"
    assert settled(world) == settled(as_if_legacy_alone_had_been_asked())
    assert not world.verify(tmp_path).differences


@pytest.mark.parametrize("dies_after", range(0, 40, 3))
def test_two_lives_are_as_good_as_one(
    repair: Run, world: RepairWorld, refused: Activity, tmp_path: Path, dies_after: int
) -> None:
    contradict(world, refused)
    with suppress(CrashError):
        repair(Budget(dies_after))
    for _ in range(2):
        repair()
    assert settled(world) == settled(as_if_legacy_alone_had_been_asked())
    assert not world.verify(tmp_path).differences


def test_of_two_repairs_at_once_each_row_gets_the_difference_once(
    begin: Callable[..., Repair], world: RepairWorld, refused: Activity, tmp_path: Path
) -> None:
    contradict(world, refused)
    jobs = [begin(), begin()]
    acting: list[Iterator[Deed]] = [job.act(job.look()) for job in jobs]
    for _ in range(10):
        for one in acting:
            next(one, None)
    assert settled(world) == settled(as_if_legacy_alone_had_been_asked())
    assert not world.verify(tmp_path).differences


def test_a_fact_that_is_another_one_by_now_is_left(
    begin: Callable[..., Repair], world: RepairWorld, refused: Activity
) -> None:
    contradict(world, refused)
    job = begin()
    plan = job.look()
    other = replace(refused, points=77)
    world.tables.facts[refused.identity] = StoredFact(other, Lane.LIVE, Side.LEGACY, OLD)
    rows = dict(world.tables.rows)
    assert {one.outcome for one in job.act(plan)} == {DeedOutcome.MOVED_ON}
    assert world.tables.facts[refused.identity].activity == other
    assert world.tables.rows == rows


def test_a_fact_of_the_pipelines_stands(world: RepairWorld, repair: Run, refused: Activity) -> None:
    contradict(world, refused)
    world.tables.facts[refused.identity] = StoredFact(refused, Lane.LIVE, Side.PIPELINE, OLD)
    was = world.snapshot()
    plan, deeds = repair()
    assert only(plan) == (Cause.ALTERED, RepairAction.LEAVE)
    assert "the pipeline accepted the fact, so it stands" in plan.remedies[0].why
    assert (deeds, world.snapshot()) == ([], was)


@pytest.mark.parametrize("lane", Lane)
def test_rows_that_hold_a_standing_fact_twice_are_set_right(
    world: RepairWorld, repair: Run, refused: Activity, lane: Lane
) -> None:
    contradict(world, refused)
    world.tables.facts[refused.identity] = StoredFact(refused, Lane.LIVE, Side.PIPELINE, OLD)
    was = settled(world)
    world.system.fold(refused, lane)
    for _ in range(2):
        repair()
    assert settled(world) == was
    plan, _ = repair()
    assert only(plan) == (Cause.ALTERED, RepairAction.LEAVE)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("instead", [False, True])
def test_rows_that_hold_legacys_content_beside_the_facts_or_instead_are_set_right(
    world: RepairWorld, repair: Run, refused: Activity, *, instead: bool, side: Side
) -> None:
    contradict(world, refused)
    world.tables.facts[refused.identity] = StoredFact(refused, Lane.LIVE, side, OLD)
    was = settled(world) if side is Side.PIPELINE else settled(as_if_legacy_alone_had_been_asked())
    world.system.fold(ACKNOWLEDGED, Lane.LIVE)
    if instead:
        world.system.fold(refused, Lane.LIVE, times=-1)
    for _ in range(4):
        repair()
    assert settled(world) == was


@pytest.mark.parametrize(
    ("event", "stage", "why"),
    [
        (ACKNOWLEDGED, Stage.COMPLETE, "the migration is complete"),
        (replace(ACKNOWLEDGED, program_id="#odd"), Stage.SHADOW, "can be no fact"),
        (replace(ACKNOWLEDGED, points=-3), Stage.SHADOW, "more than the live lane folds"),
    ],
)
def test_what_legacy_says_is_not_taken_where_it_cannot_be(
    world: RepairWorld, repair: Run, event: Activity, stage: Stage, why: str
) -> None:
    contradict(world, CONTENTS["other points"])
    world.tables.events[event.identity] = event
    world.checkpoints.state = Control(stage)
    facts, rows = dict(world.tables.facts), dict(world.tables.rows)
    plan, deeds = repair()
    [disputed] = [one for one in plan.remedies if one.difference.kind is Cause.ALTERED]
    assert disputed.action is RepairAction.LEAVE
    assert why in disputed.why
    assert not deeds
    assert (world.tables.facts, world.tables.rows) == (facts, rows)


def test_both_contents_are_in_the_journal_before_anything_is_written(world: RepairWorld, repair: Run) -> None:
    contradict(world, CONTENTS["other points"])
    repair()
    [decided] = [one for one in world.control.entries.values() if one.kind is EntryKind.DECIDED]
    [said] = decided.detail["differences"]
    assert said["action"] == "restate_fact"
    assert "points 10 in legacy, 35 in facts" in said["why"]


def test_only_a_fact_of_legacys_can_be_restated_and_only_as_the_same_event() -> None:
    mine = StoredFact(ACKNOWLEDGED, Lane.LIVE, Side.LEGACY, OLD)
    for fact, to in ((replace(mine, side=Side.PIPELINE), ACKNOWLEDGED), (mine, activity(7))):
        with pytest.raises(ValueError, match="only a fact of legacy's is restated"):
            Restatement(fact, to)
