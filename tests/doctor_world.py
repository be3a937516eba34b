"""Asks doctor about a migration in memory, and does literally what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migration.doctor.diagnose import diagnose
from migration.doctor.reading import read_records
from migration.doctor.repair_state import RepairState, find_way
from migration.doctor.scene import Scene, TroubleSigns
from migration.model.stages import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from migration.doctor.diagnosis import Diagnosis
    from migration.doctor.scene import Records
    from tests.cutover_world import World

PLAN = "plan"  # the hash that cutover_world's movers name
MOST_STEPS = 12


def records_of(world: World) -> Records:
    return read_records(world.plane, world.checkpoints, world.clock, world.is_dead)


def ask(world: World, signs: TroubleSigns | None = None, plan: str = PLAN) -> list[Diagnosis]:
    return diagnose(Scene(records_of(world), world.course, plan, signs or TroubleSigns()))


def names(world: World, signs: TroubleSigns | None = None, plan: str = PLAN) -> list[str]:
    return [one.name for one in ask(world, signs, plan)]


def follow(world: World, command: str) -> None:
    """Give the command to the engine, as the command line does."""
    name, _, rest = command.removeprefix("cutover ").partition(" ")
    name = f"{name} {rest}" if name == "backfill" else name
    if name == "repair":
        stage = Stage(rest.removeprefix("--to ").removesuffix(" --apply"))
        records = records_of(world)
        RepairState(world.process("eve@desk:5").mover).apply(records, find_way(records, stage))
        return
    COMMANDS[name](world)


def converge(world: World) -> list[str]:
    """Run what doctor names first until it names nothing; gives what was run."""
    ran: list[str] = []
    while found := ask(world):
        assert len(ran) < MOST_STEPS, f"doctor sends people round in circles: {ran}, {found}"
        ran.append(found[0].command)
        follow(world, found[0].command)
    return ran


def _run(world: World) -> None:
    world.run("eve@desk:5")


def _resume(world: World) -> None:
    state = world.plane.state()
    to = state.changed(paused="", postponed=None)
    world.process("eve@desk:5").mover.change(state, to, "resume", "may go on")


def _agree(world: World) -> None:
    state = world.plane.state()
    world.process("eve@desk:5").mover.change(state, state.changed(), "agree", "agreed to the plan")


COMMANDS: dict[str, Callable[[World], object]] = {
    "run": _run,
    "resume": _resume,
    "plan": _agree,
    "backfill start": lambda world: world._backfill(),
}
