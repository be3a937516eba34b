"""Traffic follows the state: after a race, from behind a crash, against a hand; or it is said why not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from migration.aws.stack.door_switch import DoorSwitch
from migration.cutover.following import LOOK_AGAIN_S, Following
from migration.cutover.looks import Ending
from migration.cutover.traffic_switch import LostRace, Routed, Routes
from migration.model.errors import ConflictError, RemoteError
from migration.model.guardrails import Outcome
from migration.model.routing import Shares
from migration.model.stages import FULL_WEIGHT, Control, Stage
from migration.model.state import State
from tests.cutover_world import World
from tests.doubles.traffic_switch import MemoryTrafficSwitch

if TYPE_CHECKING:
    from collections.abc import Callable

    from migration.cutover.looks import Look

LIVE = State(Control(Stage.LIVE, 2_500, 5_000, epoch=5))


@dataclass
class Unreachable(MemoryTrafficSwitch):
    """A switch that AWS fails to read, so many times."""

    failures: int = 10**9
    reads: int = field(default=0)

    def read(self) -> Routes:
        self.reads += 1
        if self.reads <= self.failures:
            raise RemoteError("AWS failed while reading alias f:live: 503", hint="try again")
        return self.routes


def at(state: State) -> World:
    world = World()
    world.plane.current = state
    return world


def following(world: World, at: Callable[[], None] = lambda: None) -> Following:
    return world.process("ana@desk:1", at).following


def test_it_goes_where_the_state_says_and_every_epoch_leaves_a_mark() -> None:
    world = at(LIVE)
    assert following(world).see(5) is None
    assert world.switch.routes.shares == Shares(2_500, 5_000)
    before = world.switch.routes
    world.plane.current = LIVE.changed(paused="ana: lunch")
    assert following(world).see(6) is None
    assert world.switch.routes.shares == before.shares
    assert {before.writes.revision, before.reads.revision}.isdisjoint(
        {world.switch.routes.writes.revision, world.switch.routes.reads.revision}
    ), "a process that has seen the setting of epoch 5 must find another one"


@pytest.mark.parametrize("also_applied", [True, False])
def test_whoever_stood_still_with_an_old_state_cannot_apply_it(also_applied: bool) -> None:
    """A is suspended at each half of its calls; meanwhile B goes back, also to what routed before A."""
    for stands in range(1, 9):
        world, left = at(LIVE), [stands]

        def pause(world: World = world, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == 0:
                world.plane.current = LIVE.moved(Stage.SHADOW)
                if also_applied:
                    assert following(world).see(6) is None

        assert following(world, pause).see(5) is None
        assert left[0] <= 0, "it was suspended"
        routes = world.switch.routes
        if also_applied:
            assert routes.follow(world.plane.current.control)
            assert routes.shares == Shares(0, 0)
        else:  # B died before it applied: the next look does
            assert following(world).see(6) is None
            assert world.switch.routes.shares == Shares(0, 0)


def test_a_late_update_of_an_old_state_is_refused_by_its_revision() -> None:
    world = at(LIVE)
    seen = world.switch.read()
    assert isinstance(seen, Routes)
    world.plane.current = LIVE.moved(Stage.SHADOW)
    following(world).see(6)
    assert world.switch.routes.shares == seen.shares, "A had seen the same shares as B left"
    assert isinstance(world.switch.apply(LIVE.control, seen), LostRace)


def test_what_somebody_turned_by_hand_is_turned_back_at_the_next_look() -> None:
    world = at(LIVE)
    one = following(world)
    one.see(5)
    world.switch.set_by_hand(writes=FULL_WEIGHT, reads=0)
    assert one.see(5) is None
    assert world.switch.routes.shares == Shares(FULL_WEIGHT, 0), "it was looked at a moment ago"
    world.clock.sleep(LOOK_AGAIN_S)
    assert one.see(5) is None
    assert world.switch.routes.shares == Shares(2_500, 5_000)


def test_a_third_version_is_left_alone_and_named() -> None:
    world = at(LIVE)
    world.switch.foreign = "alias f:live routes to version 9"
    before = world.switch.routes
    held = following(world).see(5)
    assert held is not None
    assert (held.outcome, world.switch.routes) == (Outcome.FAIL, before)
    assert "version 9" in held.why
    with pytest.raises(ConflictError, match="version 9"):
        following(world).check(LIVE.control)


def test_a_state_that_is_older_than_what_routes_is_never_applied() -> None:
    """The control table was lost, or restored from a backup."""
    world = at(LIVE)
    following(world).see(5)
    world.plane.current = State()
    held = following(world).see(0)
    assert held is not None
    assert "epoch 5" in held.why
    assert world.switch.routes.shares == Shares(2_500, 5_000)


def test_a_switch_that_others_turn_all_the_time_is_not_said_to_follow() -> None:
    world = at(LIVE)

    class Turned(MemoryTrafficSwitch):
        def apply(self, control: Control, seen: Routes) -> Routed | LostRace:
            self.set_by_hand(writes=1, reads=1)
            return super().apply(control, seen)

    world.switch = Turned()
    held = following(world).see(5)
    assert held is not None
    assert held.outcome is Outcome.INCONCLUSIVE


def test_the_door_follows_by_itself() -> None:
    world = at(LIVE)
    assert Following(DoorSwitch(world.plane), world.plane, world.clock).see(5) is None


def test_a_run_waits_for_a_switch_that_cannot_be_reached_and_goes_on_when_it_can() -> None:
    world = World(switch=Unreachable(failures=3))
    assert world.run(goal=Stage.SHADOW).ending is Ending.REACHED
    assert [one.hold is not None and "503" in one.hold.why for one in world.looks[:4]] == [True] * 3 + [False]
    assert world.looks[2].state == State(), "nothing was moved while nobody knew"


def test_guardrails_roll_the_state_back_also_while_the_switch_cannot_be_reached() -> None:
    world = World(vital=lambda state: {"x": Outcome.FAIL if state.stage is Stage.LIVE else Outcome.PASS})
    down = Unreachable(failures=0)
    world.switch = down

    def breaks(look: Look) -> None:
        if look.state.stage is Stage.LIVE:
            down.failures = down.reads + 8

    world.on_look = breaks
    look = world.run()
    assert look.ending is Ending.ROLLED_BACK
    rolled_back = [one for one in world.looks if one.state.stage is Stage.SHADOW and one.state.paused]
    assert len(rolled_back) > 2, "it is not over before traffic follows"
    assert [one.ending for one in rolled_back[:-1]] == [None] * (len(rolled_back) - 1)
    assert down.routes.follow(world.plane.state().control)


def test_a_breach_turns_the_switch_in_the_same_turn_that_writes_the_state() -> None:
    world = World(vital=lambda state: {"x": Outcome.FAIL if state.stage is Stage.LIVE else Outcome.PASS})
    followed: list[bool] = []

    def look(look: Look) -> None:
        if look.state.paused:
            followed.append(world.switch.routes.follow(look.state.control))

    world.on_look = look
    assert world.run().ending is Ending.ROLLED_BACK
    assert followed
    assert all(followed)


def test_a_rollback_that_somebody_else_wrote_and_did_not_apply_is_applied_by_whoever_looks_next() -> None:
    world = World()
    world.run(goal=Stage.LIVE)
    was = world.plane.state()
    world.process("watchdog").mover.back(Control(Stage.SHADOW), "breached", "watchdog")
    assert world.switch.routes.newest == was.epoch
    assert world.run().ending is Ending.ROLLED_BACK
    assert world.switch.routes.follow(world.plane.state().control)


def test_a_hand_on_the_switch_while_it_bakes_is_undone_before_the_next_step() -> None:
    world = World()
    turned: list[int] = []

    def turn(look: Look) -> None:
        if look.step and look.step.name == "reads 100 %" and not turned:
            turned.append(look.state.epoch)
            world.switch.set_by_hand(writes=FULL_WEIGHT, reads=FULL_WEIGHT)

    world.on_look = turn
    world.course = world.course.model_copy(update={"bake_s": 30})
    seen: list[Shares] = []

    def vital(state: State) -> dict[str, Outcome]:
        if state.epoch in turned:
            seen.append(world.switch.routes.shares)
        return {"x": Outcome.PASS}

    world.vital = vital
    assert world.run(goal=Stage.RAMPDOWN).ending is Ending.REACHED
    assert Shares(FULL_WEIGHT, FULL_WEIGHT) in seen
    assert seen[-1] == Shares(0, 500)
