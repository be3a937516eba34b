"""Wherever a process dies, and whatever a hand does to the state: doctor's advice, followed literally, ends.

Doctor is asked, its first command is given, and it is asked again, until it names nothing. Then one run
reaches its end, as if nothing had happened.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migration.cutover.looks import Ending
from migration.doctor.reading import read_state
from migration.doctor.records import trouble
from migration.model.guardrails import Outcome
from migration.model.journal import EntryKind, control_of
from migration.model.stages import FULL_WEIGHT, Control, Stage
from migration.model.state import State
from tests.cutover_world import KilledError, World
from tests.doctor_world import ask, converge

ANA = "ana@desk:1"


def halves_of_a_run() -> int:
    seen = 0

    def at() -> None:
        nonlocal seen
        seen += 1

    World().run(at=at)
    return seen


HALVES = halves_of_a_run()


def killed(after: int, world: World | None = None, name: str = ANA) -> World:
    world = world or World()
    with world.killing(after, name) as at, suppress(KilledError):
        world.run(name, at=at)
    return world


def mended(world: World) -> list[str]:
    """Follow doctor to the end, then run on; whatever happened is over then."""
    ran = converge(world)
    if world.plane.state().stage is not Stage.COMPLETE:
        assert world.run("bo@lap:2").ending is Ending.REACHED
        assert ask(world) == []
    assert trouble(world.plane.state(), list(world.plane.journal())) is None
    return ran


@pytest.mark.slow
@pytest.mark.parametrize(
    "known",
    [
        pytest.param(True, id="a known death", marks=pytest.mark.slow),
        pytest.param(False, id="an unknown one"),
    ],
)
def test_killed_at_any_call_doctor_s_first_command_is_enough(known: bool) -> None:
    named = set()
    for after in range(0, HALVES, 1 if known else 3):
        world = killed(after)
        if not known:
            world.dead.clear()
            assert after < 4 or world.plane.holder is not None
            world.clock.sleep(60)  # its lease is over
        named |= {one.name for one in ask(world)}
        assert set(mended(world)) <= {"cutover run"}
        assert world.plane.state().stage is Stage.RAMPDOWN
    assert named == {"holder_gone", "not_confirmed", "decided_not_done", "drill_open", "drill_unjudged"}


@pytest.mark.slow
def test_killed_again_while_it_is_mended_it_is_mended_all_the_same() -> None:
    for after in range(0, HALVES, 5):
        mended(killed(after // 2, killed(after), "bo@lap:9"))


def test_a_repair_that_dies_at_any_call_is_done_by_asking_again() -> None:
    for after in range(8):
        world = World()
        world.run(goal=Stage.LIVE)
        world.plane.current = State(Control(Stage.OFF, epoch=40))
        with world.killing(after, ANA) as at, suppress(KilledError):
            was = State(Control(Stage.OFF, epoch=40))
            to = State(Control(Stage.LIVE, 0, 500, 41), paused="repaired")
            world.process(ANA, at).mover.restore(was, to, 40, "repair", "by hand")
        mended(world)
        assert len([one for one in world.done() if one.step == "repair"]) == 1


controls = st.builds(
    Control,
    st.sampled_from([stage for stage in Stage if stage is not Stage.COMPLETE]),
    st.integers(0, FULL_WEIGHT),
    st.integers(0, FULL_WEIGHT),
    st.integers(0, 60),
)


@pytest.mark.slow
@settings(max_examples=100)
@given(st.integers(0, HALVES), controls, st.sets(st.integers(0, 40), max_size=3), st.booleans())
def test_a_hand_at_any_moment_is_seen_and_mended(
    after: int, control: Control, lost: set[int], keeps_entry: bool
) -> None:
    """The state is overwritten, or entries are deleted, or both, at any moment of a run."""
    world = killed(after)
    entry = world.plane.current.entry if keeps_entry else ""
    world.plane.current = replace(State(control), entry=entry)
    ids = sorted(world.plane.entries)
    for number in lost:
        if number < len(ids):
            world.plane.entries.pop(ids[number])
    moves = [one for one in world.plane.journal() if one.kind is EntryKind.DONE]
    newest = max(moves, key=lambda one: one.epoch, default=None)
    recorded = Control() if newest is None else control_of(newest.detail["to"])
    if control != recorded:
        assert trouble(read_state(world.plane), moves) is not None
    mended(world)


@pytest.mark.slow
@settings(max_examples=50)
@given(st.lists(st.integers(0, HALVES), min_size=1, max_size=4), st.sets(st.integers(5, 30), max_size=3))
def test_kills_and_breaches_in_any_order_are_mended(kills: list[int], breaches: set[int]) -> None:
    world = World()
    world.vital = lambda state: {"x": Outcome.FAIL if state.epoch in breaches else Outcome.PASS}
    for number, after in enumerate(kills):
        killed(after, world, f"ana@desk:{number}")
    world.vital = lambda _: {"x": Outcome.PASS}
    mended(world)
