"""The operator process dies, or stands still, at every call of a whole run; the same command converges.

A run makes some two hundred calls to the control table, and to a switch that must follow it. Each is tried
twice as the last thing that a process does: before it takes effect, and after. Then the same command is given
again, or a rollback; and whenever a command has ended, traffic goes as the state says.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migration.cutover.action import Action
from migration.cutover.looks import Ending
from migration.cutover.mover import AlreadyThere
from migration.cutover.traffic_switch import Foreign
from migration.model.errors import ConflictError
from migration.model.guardrails import Outcome
from migration.model.journal import EntryKind, control_detail, control_of
from migration.model.stages import Control, Stage
from migration.model.transitions import refusal
from tests.cutover_world import KilledError, World

if TYPE_CHECKING:
    from migration.model.state import State

CALLS = 2_000  # more halves of calls than a run makes


def kill(world: World, after: int, name: str) -> bool:
    """Give the command in a process that dies at its n-th half of a call; False when it ended before."""
    with world.killing(after, name) as at:
        try:
            world.run(name, at=at)
        except KilledError:
            return True
    return False


def judge(world: World) -> None:
    """Whatever happened: one history, each epoch once, each move legal, forward only with a drill."""
    done = world.done()
    assert [one.epoch for one in done] == list(range(1, len(done) + 1))
    assert world.plane.state().epoch == len(done)
    now = Control()
    for one in done:
        was, to = control_of(one.detail["was"]), control_of(one.detail["to"])
        assert was == now
        assert replace(was, epoch=to.epoch) == to or refusal(was, to) is None
        now = to
    assert world.plane.state().control == now
    drilled = [one.id for one in world.plane.journal() if one.kind is EntryKind.DRILLED]
    given_away = [one for one in done if one.step.startswith("writes")]
    assert all(any(drill < one.id for drill in drilled) for one in given_away)


def judge_traffic(world: World) -> None:
    """A command has ended: what routes is what the state says."""
    routes = world.switch.read()
    assert not isinstance(routes, Foreign)
    assert routes.follow(world.plane.state().control)


def halves_of_a_run() -> int:
    world, seen = World(), 0

    def at() -> None:
        nonlocal seen
        seen += 1

    world.run(at=at)
    return seen


HALVES = halves_of_a_run()


@pytest.mark.slow
@pytest.mark.parametrize("waits", [False, True], ids=["a known death", "an unknown one"])
def test_killed_at_every_half_of_every_call_the_same_command_converges(waits: bool) -> None:
    for after in range(HALVES):
        world = World()
        assert kill(world, after, "ana@desk:1")
        if waits:
            world.dead.clear()  # on another machine nobody knows; the lease runs out
        assert world.run("bo@lap:2").ending is Ending.REACHED
        judge(world)
        judge_traffic(world)
        assert world.plane.state().stage is Stage.RAMPDOWN


def test_killed_at_every_call_in_turn_a_run_still_ends() -> None:
    """Each process gets a few calls farther than it takes to find out where it is, and dies."""
    world, processes = World(), 0
    while True:
        name = f"ana@desk:{processes}"
        if not kill(world, 24, name):
            break
        processes += 1
        assert processes < CALLS
    judge(world)
    assert processes > 15
    assert world.plane.state().stage is Stage.RAMPDOWN


def test_a_rollback_converges_wherever_the_run_was_killed_and_forward_again() -> None:
    for after in range(0, HALVES, 3):
        world = World()
        kill(world, after, "ana@desk:1")
        back = world.roll_back("bo@lap:2", Stage.SHADOW)
        assert isinstance(back, AlreadyThere) or back.state.stage is Stage.SHADOW
        judge_traffic(world)
        if (state := world.plane.state()).paused:
            world.process("bo@lap:2").mover.change(state, state.changed(paused=""), "resume", "resume")
        assert world.run("bo@lap:2").ending is Ending.REACHED
        judge(world)
        judge_traffic(world)


def test_a_rollback_that_is_killed_is_done_by_the_same_command() -> None:
    for after in range(16):
        world = World()
        world.run()
        with world.killing(after, "ana@desk:9") as at:
            try:
                world.roll_back("ana@desk:9", Stage.SHADOW, at)
                assert after > 12, "it makes seven calls"
            except KilledError:
                world.roll_back("ana@desk:10", Stage.SHADOW)
        assert world.plane.state().stage is Stage.SHADOW
        judge(world)
        judge_traffic(world)


@pytest.mark.slow
@settings(max_examples=150)
@given(st.lists(st.integers(0, HALVES), min_size=1, max_size=12), st.data())
def test_kills_rollbacks_and_breaches_in_any_order(kills: list[int], data: st.DataObject) -> None:
    world = World()
    breaches = data.draw(st.sets(st.integers(5, 30), max_size=3))
    world.vital = lambda state: {"x": Outcome.FAIL if state.epoch in breaches else Outcome.PASS}
    for number, after in enumerate(kills):
        name = f"ana@desk:{number}"
        kill(world, after, name)
        if data.draw(st.booleans()):
            target = data.draw(st.sampled_from([Stage.SHADOW, Stage.DUALWRITE, Stage.OFF]))
            world.roll_back(name, target)
            judge_traffic(world)
        if (state := world.plane.state()).paused:
            world.process(name).mover.change(state, state.changed(paused=""), "resume", "resume")
        judge(world)
    world.vital = lambda _: {"x": Outcome.PASS}
    if (state := world.plane.state()).paused:
        world.process("ana").mover.change(state, state.changed(paused=""), "resume", "resume")
    assert world.run("ana@desk:99").ending is Ending.REACHED
    judge(world)
    judge_traffic(world)


def test_of_two_operators_one_acts_wherever_the_other_stands_still() -> None:
    """A's process is suspended at any call, longer than its lease; B takes over and finishes; A wakes up."""
    for after in range(0, HALVES, 2):
        world, left = World(), [after]

        def at(world: World = world, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == 0:
                world.clock.sleep(60)
                world.run("bo@lap:2")
                left.append(len(world.done()))

        try:
            ending = world.run("ana@desk:1", at=at)
            assert ending.ending is Ending.REACHED
        except ConflictError:
            pass
        if len(left) > 1:
            assert len(world.done()) == left[1], "who lost the lease changed something"
        judge(world)
        judge_traffic(world)


def test_a_rollback_beside_a_run_wins_and_the_run_sees_it() -> None:
    for after in range(0, HALVES, 3):
        world, left = World(), [after]

        def at(world: World = world, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == 0:
                left.append(isinstance(world.roll_back("bo@lap:2", Stage.DUALWRITE), AlreadyThere))

        try:
            look = world.run("ana@desk:1", at=at)
            assert look.ending is Ending.ROLLED_BACK or left[-1] is not False or left[0] > -3
        except ConflictError:
            pass
        if left[-1] is False:
            assert world.steps()[-1] == "rollback", "it went on after it was rolled back"
        judge(world)
        judge_traffic(world)


def test_the_judge_would_notice() -> None:
    world = World()
    world.run(goal=Stage.SHADOW)
    state = world.plane.state()
    mover = world.process("ana").mover
    mover.plane.move(  # around the mover's own checks
        state.moved(Stage.COMPLETE),
        mover.note(
            EntryKind.DONE, Action.MOVE, "x", state.epoch + 1, _detail(state, state.moved(Stage.COMPLETE))
        ),
        None,
    )
    with pytest.raises(AssertionError):
        judge(world)


def _detail(was: State, to: State) -> dict[str, object]:
    return {"was": control_detail(was.control), "to": control_detail(to.control)}
