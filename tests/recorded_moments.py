"""Moments of a migration, written to the control table by the toolkit: what another version finds there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from migration.aws.stack.door_switch import DoorSwitch
from migration.aws.tables.checkpoint_table import CheckpointTable
from migration.aws.tables.comparison_table import ComparisonTable
from migration.aws.tables.control_plane_table import ControlPlaneTable
from migration.cutover.action import Action
from migration.cutover.course import CutoverPlan, Step
from migration.door.count_item import item_of
from migration.model.backfill import BackfillPhase, Job, Pulse, Segment
from migration.model.fold import Fold
from migration.model.guardrails import Outcome
from migration.model.moments import moment_text
from migration.model.stages import Control, Stage
from migration.plan.plan import Plan
from tests.cutover_world import KilledError, World
from tests.guarding_world import answers, door
from tests.recorded_account import PREFIX
from tests.shadow_world import comparisons

if TYPE_CHECKING:
    from collections.abc import Callable

    from migration.cutover.looks import Look
    from migration.model.state import State
    from tests.recorded_account import Account

CONTROL: Final = f"{PREFIX}-control"
MIGRATION: Final = "activities"
STACK_PLAN: Final = Plan(stack="test")


@dataclass
class TableWorld(World):
    """The world of a cutover, on the control table."""

    def _backfill(self) -> str:
        self.worked.append("backfill")
        started = moment_text(self.clock.now())
        job = Job(1, 1, 500, started, BackfillPhase.COPYING)
        assert self.checkpoints.save_job(job)
        self.checkpoints.save_pulse(Pulse("ana@desk:1", self.clock.now(), 480.0, "at the ceiling"))
        assert self.checkpoints.save_segment(Segment(1, 0, done=True, read=12, history=12, revision=1))
        done = replace(job, revision=2, phase=BackfillPhase.INSTALLED, history=Fold(186, 12, 99))
        assert self.checkpoints.save_job(done)
        return "12 facts of history are folded and installed, 31 write units"


def world_in(account: Account, **changes: Any) -> TableWorld:
    """Make a world whose records are in the account's control table."""
    plane: Any = ControlPlaneTable(account.client, CONTROL, MIGRATION)
    checkpoints: Any = CheckpointTable(account.client, CONTROL, MIGRATION)
    switch: Any = DoorSwitch(plane)
    course = CutoverPlan(steps=(25, 100), bake_s=3, shadow_s=5)
    world = TableWorld(course, plane=plane, checkpoints=checkpoints, switch=switch, **changes)
    world.plan = STACK_PLAN.hash
    return world


def _until(goal: Stage) -> Callable[[TableWorld], None]:
    def act(world: TableWorld) -> None:
        world.run(goal=goal)

    return act


def _killed_at(control: Control) -> Callable[[TableWorld], None]:
    """Kill the run when it sees traffic there; the epoch means nothing."""

    def saw(look: Look) -> None:
        if replace(look.state.control, epoch=0) == control:
            raise KilledError

    def act(world: TableWorld) -> None:
        world.on_look = saw
        try:
            world.run()
        except KilledError:
            return
        raise AssertionError(f"it never was at {control}")

    return act


def _breached(world: TableWorld) -> None:
    def says(state: State) -> dict[str, Outcome]:
        failing = state.control.write_weight > 0
        return {"door_settled": Outcome.PASS, "error_rate": Outcome.FAIL if failing else Outcome.PASS}

    world.vital = says
    world.run()


def _complete(world: TableWorld) -> None:
    world.run()
    finish(world)


def finish(world: World) -> None:
    """Do what `cutover complete` does."""
    run = world.process("ana@desk:1")
    with run.lease.held(patience_s=60):
        run.do(Step("complete", Action.MOVE, Control(Stage.COMPLETE), proofs=True), patience_s=60)


MOMENTS: Final[dict[str, Callable[[TableWorld], None]]] = {
    "dualwrite": _until(Stage.DUALWRITE),
    "shadow": _until(Stage.SHADOW),
    "drilling": _killed_at(Control(Stage.LIVE, 100, 100)),
    "live_25": _killed_at(Control(Stage.LIVE, 2_500, 10_000)),
    "rolled_back": _breached,
    "rampdown": _until(Stage.RAMPDOWN),
    "complete": _complete,
}


def bring_to(account: Account, moment: str) -> None:
    """Bring the account's migration to a moment, with what doors and the comparator leave."""
    world = world_in(account)
    MOMENTS[moment](world)
    for comparison in comparisons()[:5]:
        until = datetime.fromtimestamp(world.clock.now(), UTC) + timedelta(days=30)
        ComparisonTable(account.client, CONTROL, MIGRATION).add(comparison, until)
    now, epoch = world.clock.now(), world.plane.state().epoch
    told = door(answers(120), answers(40, errors=1), epoch=epoch, since=now - 30, at=now)
    item: Any = item_of(told, MIGRATION, now + 86_400)
    account.client.put_item(TableName=CONTROL, Item=item)
