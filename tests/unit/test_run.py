"""The supervised run: its course, what holds it, what rolls it back, and how people stop it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from migration.cutover.course import CutoverPlan
from migration.cutover.hooks import HookFailure
from migration.cutover.looks import Ending
from migration.cutover.mover import Moved
from migration.model.errors import ConflictError, GuardrailError, InconclusiveError
from migration.model.guardrails import Outcome
from migration.model.journal import EntryKind, control_of
from migration.model.moments import epoch_of
from migration.model.stages import FULL_WEIGHT, Control, Stage
from migration.model.transitions import refusal
from tests.cutover_world import QUICK, World, lease_of
from tests.doubles.control_plane import MemoryControlPlane

if TYPE_CHECKING:
    from migration.cutover.looks import Look
    from migration.model.journal import Entry
    from migration.model.state import Lease, State

WHOLE = [
    "dualwrite",
    "shadow",
    "drill",
    "drill back",
    "reads 5 %",
    "reads 100 %",
    "writes 5 %",
    "writes 100 %",
    "rampdown",
]
PASS, FAIL = Outcome.PASS, Outcome.FAIL


def why(look: Look) -> str:
    return look.hold.why if look.hold else ""


def writes(state: State) -> int:
    return state.control.write_weight


def test_the_whole_course_step_by_step_each_legal_recorded_and_confirmed() -> None:
    world = World()
    look = world.run()
    assert look.ending is Ending.REACHED
    assert world.steps() == WHOLE
    assert world.worked == ["backfill", "reconcile", "reconcile", "reconcile"]
    controls = [Control(), *(control_of(one.detail["to"]) for one in world.done())]
    assert [refusal(was, to) for was, to in pairwise(controls)] == [None] * len(WHOLE)
    assert [one.epoch for one in controls] == list(range(len(WHOLE) + 1))
    confirmed = [one.step for one in world.plane.journal() if one.kind is EntryKind.CONFIRMED]
    assert [step for step in confirmed if step in WHOLE] == WHOLE
    assert lease_of(world).is_over(world.clock.now()), "it lets go of the lease at its end"


def test_the_outline_of_a_plan_is_what_a_run_does() -> None:
    world = World()
    world.run(goal=Stage.COMPLETE)
    moved = [step.name for step in QUICK.outline() if step.to is not None]
    assert world.steps() == moved


def test_the_same_command_again_does_nothing_and_a_farther_goal_goes_on() -> None:
    world = World()
    world.run(goal=Stage.SHADOW)
    assert world.steps() == WHOLE[:2]
    world.run(goal=Stage.SHADOW)
    assert world.steps() == WHOLE[:2]
    world.run(goal=Stage.COMPLETE)
    assert world.steps() == [*WHOLE, "complete"]


def test_each_share_is_watched_and_proved_before_the_next() -> None:
    world = World(course=QUICK.model_copy(update={"bake_s": 30}))
    world.run()
    moments = {one.step: one for one in world.done()}
    entries = list(world.plane.journal())
    for was, to in pairwise(WHOLE[4:]):
        between = [one for one in entries if moments[was].id < one.id < moments[to].id]
        assert [one.kind for one in between] == [EntryKind.CONFIRMED, EntryKind.OBSERVED, EntryKind.DECIDED]
        assert epoch_of(moments[to].at) - epoch_of(moments[was].at) >= 30


def test_a_breach_while_the_pipeline_has_traffic_rolls_back_and_waits_for_a_person() -> None:
    world = World(vital=lambda state: {"queue_age": FAIL if writes(state) >= FULL_WEIGHT else PASS})
    look = world.run()
    assert look.ending is Ending.ROLLED_BACK
    assert "queue_age" in look.why
    assert world.plane.state().control == Control(Stage.SHADOW, epoch=9)
    again = world.run()
    assert again.ending is Ending.ROLLED_BACK, "it stays where it is until somebody says so"
    world.vital = lambda _: {"queue_age": PASS}
    resume(world)
    assert world.run().ending is Ending.REACHED
    assert world.steps()[-6:] == ["resume", *WHOLE[4:]]


def test_one_bad_look_is_no_breach() -> None:
    seen = iter([PASS] * 30 + [FAIL] + [PASS] * 1_000)
    world = World(vital=lambda _: {"error_rate": next(seen)})
    assert world.run().ending is Ending.REACHED


def test_where_legacy_has_authority_a_failed_guardrail_only_holds() -> None:
    mends = iter([FAIL] * 20)
    world = World(vital=lambda state: {"x": next(mends, PASS) if state.stage is Stage.SHADOW else PASS})
    assert world.run().ending is Ending.REACHED
    holds = {why(one) for one in world.looks if one.state.stage is Stage.SHADOW}
    assert "x: fail, x is fail" in holds
    assert world.steps() == WHOLE


@pytest.mark.parametrize("outcome", [Outcome.INCONCLUSIVE, Outcome.ERROR])
def test_what_could_not_be_judged_holds_and_never_rolls_back(outcome: Outcome) -> None:
    clears = iter([outcome] * 20)
    world = World(vital=lambda state: {"x": next(clears, PASS) if writes(state) == FULL_WEIGHT else PASS})
    assert world.run().ending is Ending.REACHED
    assert world.steps() == WHOLE


def test_proofs_that_do_not_pass_hold_until_they_do() -> None:
    mends = iter([FAIL] * 3)
    world = World(
        proof=lambda state: {"unexplained": next(mends, PASS) if state.stage is Stage.LIVE else PASS}
    )
    assert world.run().ending is Ending.REACHED
    assert any(why(one) == "unexplained: fail, unexplained is fail" for one in world.looks)
    assert world.steps() == WHOLE


def test_a_person_pauses_and_resumes_from_elsewhere_while_guardrails_stay_armed() -> None:
    world = World()

    def pause(look: Look) -> None:
        if look.step and look.step.name == "reads 100 %" and not look.state.paused and len(world.looks) < 100:
            change(world, "pause", paused="ana: lunch")
        if why(look) == "paused: ana: lunch" and len(world.looks) > 100:
            resume(world)

    world.on_look = pause
    assert world.run().ending is Ending.REACHED
    assert sum(why(one) == "paused: ana: lunch" for one in world.looks) > 10
    assert [step for step in world.steps() if step not in ("pause", "resume")] == WHOLE


def test_a_breach_is_rolled_back_while_a_gate_waits_for_a_person() -> None:
    world = World(course=QUICK.model_copy(update={"gates": (Stage.RAMPDOWN,)}))
    world.vital = lambda _: {
        "x": FAIL if any("cutover resume" in why(one) for one in world.looks[-5:]) else PASS
    }
    assert world.run().ending is Ending.ROLLED_BACK
    assert world.plane.state().stage is Stage.SHADOW


def test_a_gate_opens_once_and_a_postponed_stage_waits_for_its_end() -> None:
    world = World(course=QUICK.model_copy(update={"gates": (Stage.LIVE,)}))

    def open_gates(look: Look) -> None:
        if "when a person says" in why(look):
            resume(world)
        if (
            look.state.stage is Stage.LIVE
            and look.state.postponed is None
            and not any("postponed" in why(one) for one in world.looks)
        ):
            change(world, "postpone", postponed=Stage.RAMPDOWN)
        if "postponed" in why(look):
            change(world, "resume", postponed=None)

    world.on_look = open_gates
    assert world.run().ending is Ending.REACHED
    assert any(why(one) == "rampdown is postponed until `cutover resume`" for one in world.looks)


def test_a_hook_that_says_no_stops_the_run_and_nothing_moved() -> None:
    world = World()
    world.hooks.refusal = HookFailure("freeze", "until Monday")
    with pytest.raises(GuardrailError, match="freeze: until Monday"):
        world.run()
    assert world.plane.state().stage is Stage.OFF


def test_an_old_drill_is_made_again_also_between_two_shares() -> None:
    world = World(course=CutoverPlan(steps=(50, 100), bake_s=40, shadow_s=0, drill_valid_s=100))
    assert world.run().ending is Ending.REACHED
    steps = world.steps()
    assert steps.count("drill") > 1
    for number, step in enumerate(steps):
        if step == "drill back":
            was, to = (control_of(world.done()[number - 1].detail[name]) for name in ("was", "to"))
            back = control_of(world.done()[number].detail["to"])
            assert (back.stage, back.write_weight) == (was.stage, was.write_weight)
            assert to.write_weight >= back.write_weight


def test_a_move_that_doors_do_not_follow_is_waited_for() -> None:
    slow = iter([Outcome.FAIL] * 5)
    world = World(vital=lambda state: {"door_settled": next(slow, PASS) if state.epoch == 5 else PASS})
    assert world.run().ending is Ending.REACHED
    assert sum("every door must route by epoch 5: door_settled" in why(one) for one in world.looks) >= 3
    assert world.steps() == WHOLE, "a slow door is no breach"


def test_a_move_that_no_door_was_seen_to_follow_is_not_confirmed() -> None:
    world = World(vital=lambda _: {"door_settled": Outcome.INCONCLUSIVE})
    run = world.process("ana@desk:1")
    with run.lease.held(), pytest.raises(InconclusiveError, match="route by epoch 1: door_settled") as found:
        run.until(Stage.DUALWRITE, patience_s=30)
    assert "cutover preflight" in str(found.value)
    assert world.steps() == ["dualwrite"]
    assert not [one for one in world.plane.journal() if one.kind is EntryKind.CONFIRMED]
    world.vital = lambda _: {"door_settled": PASS}
    assert world.run().ending is Ending.REACHED


def test_a_way_back_that_is_not_seen_at_the_doors_ends_and_says_so() -> None:
    world = World(
        vital=lambda state: {
            "queue_age": FAIL if writes(state) else PASS,
            "door_settled": Outcome.INCONCLUSIVE if state.paused else PASS,
        }
    )
    look = world.run()
    assert look.ending is Ending.ROLLED_BACK
    assert "written, not seen at the doors yet" in look.why
    last = list(world.plane.journal())[-1]
    assert (last.kind, last.text[:35]) == (EntryKind.NOTED, "written, not seen at the doors yet:")
    again = [one for one in world.plane.journal() if one.step == "rollback"]
    assert EntryKind.CONFIRMED not in [one.kind for one in again]
    world.vital = lambda _: {"door_settled": PASS}
    assert "not seen" not in world.run().why


@pytest.mark.parametrize("stage", [Stage.OFF, Stage.DUALWRITE])
def test_where_nobody_looks_at_doors_nothing_is_said_to_be_seen(stage: Stage) -> None:
    """In stage off they tell nothing; else `door_settled` is off in the plan."""
    world = World(vital=lambda _: {} if stage is not Stage.OFF else {"door_settled": PASS})
    world.run(goal=Stage.SHADOW)
    world.vital = lambda _: {}
    world.roll_back("bob@lap:2", stage)
    assert world.run().ending is Ending.ROLLED_BACK
    last = list(world.plane.journal())[-1]
    assert (last.kind, last.text) == (
        EntryKind.NOTED,
        "the doors' caches are over; nobody looked at the doors",
    )


@pytest.mark.parametrize("stage", [Stage.DUALWRITE, Stage.SHADOW, Stage.LIVE])
@pytest.mark.parametrize("outcome", [Outcome.INCONCLUSIVE, FAIL])
def test_what_mirrors_missed_is_reconciled_by_the_run_itself(stage: Stage, outcome: Outcome) -> None:
    if (stage, outcome) == (Stage.LIVE, FAIL):
        pytest.skip("that rolls back")
    world = World()
    missed: list[int] = []

    def vital(state: State) -> dict[str, Outcome]:
        if state.stage is stage and not missed:
            missed.append(len(world.worked))
        open_ones = missed and "reconcile" not in world.worked[missed[0] :]
        return {"door_settled": PASS, "mirror_misses": outcome if open_ones else PASS}

    world.vital = vital
    assert world.run().ending is Ending.REACHED
    assert world.steps() == WHOLE


def test_a_reconcile_that_does_not_settle_it_is_not_made_again_and_again() -> None:
    world = World(
        vital=lambda state: {
            "door_settled": PASS,
            "mirror_misses": Outcome.INCONCLUSIVE if state.stage is Stage.SHADOW else PASS,
        }
    )
    run = world.process("ana@desk:1")
    with run.lease.held(), pytest.raises(InconclusiveError, match="mirror_misses"):
        run.until(Stage.LIVE, patience_s=150)
    assert world.worked.count("reconcile") == 4, "dualwrite's, shadow's, and two of its own"


def test_who_does_not_hold_the_lease_is_told_who_does() -> None:
    world = World()
    mine, theirs = world.process("ana@desk:1"), world.process("bo@desk:2")
    with (
        mine.lease.held(),
        pytest.raises(ConflictError, match=r"ana@desk:1 moves the migration"),
        theirs.lease.held(),
    ):
        pass


def test_a_holder_that_is_waited_for_is_told_of_once() -> None:
    world = World()
    told: list[Lease] = []
    mine, theirs = world.process("ana@desk:1"), world.process("bo@desk:2")
    with mine.lease.held(), pytest.raises(ConflictError), theirs.lease.held(5.0, told.append):
        pass
    assert [lease.holder for lease in told] == ["ana@desk:1"]


def change(world: World, step: str, **changes: object) -> None:
    was = world.plane.state()
    world.process("bo@desk:2").mover.change(was, was.changed(**changes), step, step)


def resume(world: World) -> None:
    change(world, "resume", paused="")


def test_a_breach_that_was_seen_in_another_state_rolls_nothing_back() -> None:
    """While the decisive look is read, a person goes back, mends it, and goes on with little traffic."""
    world, looks = World(), []

    def vital(state: State) -> dict[str, Outcome]:
        if writes(state) < FULL_WEIGHT or state.stage is not Stage.LIVE:
            return {"error_rate": PASS}
        looks.append(state.epoch)
        if len(looks) == 3:
            bob = world.process("bob@lap:2").mover
            back = bob.back(Control(Stage.SHADOW), "seen it", "rollback")
            assert isinstance(back, Moved)
            mended = bob.change(back.state, back.state.changed(paused=""), "resume", "mended")
            bob.forward(mended, mended.moved(Stage.LIVE, 0, 100), "reads 1 %", "again", None)
        return {"error_rate": FAIL if len(looks) <= 3 else PASS}

    world.vital = vital
    assert world.run().ending is Ending.REACHED
    rollbacks = [one for one in world.done() if one.step == "rollback"]
    assert [one.by for one in rollbacks] == ["bob@lap:2"]


def test_a_drill_is_taken_back_only_by_who_holds_the_lease() -> None:
    """The lease goes to another process at the last moment; the drill is that one's to take back."""
    world = World()

    class Stolen(MemoryControlPlane):
        def move(self, state: State, entry: Entry, lease: Lease | None) -> bool:
            if entry.step == "drill back" and entry.by == "ana@desk:1":
                self.holder = replace(lease_of(world), holder="bob@lap:2", token=99)
                world.clock.sleep(60)  # it stood still before it
            return MemoryControlPlane.move(self, state, entry, lease)

    world.plane = Stolen()
    with pytest.raises(ConflictError, match="took the lease"):
        world.run()
    assert world.steps()[-1] == "drill", "who lost the lease changed something"
