"""A state that is gone, or set back, while the journal has moves: everybody names it, nobody starts over."""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from migration.aws.stack.door_switch import DoorSwitch
from migration.aws.tables.checkpoint_table import CheckpointTable
from migration.cli.main import app
from migration.cutover.footing import read_footing
from migration.cutover.looks import Ending
from migration.cutover.mover import Moved
from migration.cutover.notice import NoticeKind
from migration.cutover.watchdog import Watchdog
from migration.cutover.watching import Watch
from migration.model.errors import CutoverError, RemoteError, StateLostError, UsageError
from migration.model.guardrails import Outcome
from migration.model.stages import FULL_WEIGHT, Control, Stage
from migration.model.state import State
from tests.contract.test_control_plane_ports import entry, table
from tests.cutover_world import KilledError, Scripted, World
from tests.doctor_world import ask, converge, follow
from tests.recorded_account import PREFIX, account
from tests.recorded_moments import bring_to
from tests.unit.test_recorded_commands import acknowledged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from migration.model.control_plane import ControlPlane
    from migration.model.journal import Entry

SHADOW = Control(Stage.SHADOW)
CALLS = 400  # more halves of calls than a run makes


def ran(goal: Stage = Stage.RAMPDOWN) -> World:
    world = World()
    world.switch = DoorSwitch(world.plane)  # type: ignore[assignment] # the doors obey the state itself
    world.run(goal=goal)
    return world


def gone(world: World) -> None:
    world.plane.current = State()


def set_back(world: World) -> None:
    """Put an early state in its place, as from a backup, or by hand."""
    world.plane.current = State(Control(Stage.DUALWRITE, epoch=1))


LOSSES = pytest.mark.parametrize("lose", [gone, set_back])


def highest(world: World) -> int:
    return max(one.epoch for one in world.done())


def completed() -> World:
    world = ran()
    state = world.plane.state()
    world.process("ana").mover.forward(state, state.moved(Stage.COMPLETE), "complete", "done", None)
    return world


@LOSSES
def test_a_run_names_it_and_does_nothing(lose: Callable[[World], None]) -> None:
    world = ran()
    lose(world)
    moves, worked = world.steps(), list(world.worked)
    with pytest.raises(StateLostError, match="moves up to epoch 9") as found:
        world.run("eve@desk:3", Stage.SHADOW)
    assert (found.value.exit_code, found.value.next_command) == (1, "cutover doctor")
    assert (world.steps(), world.worked) == (moves, worked)


@LOSSES
def test_a_rollback_ends_in_its_target_above_every_epoch_by_itself(lose: Callable[[World], None]) -> None:
    world = ran()
    lose(world)
    went = world.roll_back("bob@desk:2", Stage.SHADOW)
    assert isinstance(went, Moved)
    assert world.plane.state().control == Control(Stage.SHADOW, epoch=10)
    assert (went.was.control, went.was.plan) == (Control(Stage.RAMPDOWN, epoch=9), "plan")
    assert [one.name for one in ask(world)] == ["rolled_back"], "doctor finds one history"
    converge(world)
    assert world.run("bob@desk:2").ending is Ending.REACHED


@LOSSES
def test_a_rollback_to_where_it_was_writes_it_again_and_gives_no_more(lose: Callable[[World], None]) -> None:
    world = ran(Stage.DUALWRITE)
    world.process("ana").mover.change(world.plane.state(), world.plane.state().changed(), "agree", "again")
    lose(world)
    assert isinstance(world.roll_back("bob@desk:2", Stage.SHADOW), Moved)
    assert world.plane.state().control == Control(Stage.DUALWRITE, epoch=3)


@LOSSES
def test_after_complete_authority_never_goes_back(lose: Callable[[World], None]) -> None:
    world = completed()
    lose(world)
    with pytest.raises(UsageError, match="no way back") as found:
        world.roll_back("bob@desk:2", Stage.SHADOW)
    assert found.value.next_command == "cutover repair --to complete --apply"
    for goal in (Stage.DUALWRITE, Stage.RAMPDOWN):
        with pytest.raises(StateLostError):
            world.run("eve@desk:3", goal)
    [first, *_] = ask(world)
    assert first.command == "cutover repair --to complete --apply"
    follow(world, first.command)
    assert world.plane.state().control == Control(Stage.COMPLETE, epoch=11)


@LOSSES
def test_what_holds_it_is_not_changed_either(lose: Callable[[World], None]) -> None:
    world = ran()
    was = world.plane.state()
    lose(world)
    with pytest.raises(StateLostError):
        world.process("ana").mover.change(was, was.changed(paused="ana"), "pause", "paused")
    assert world.steps()[-1] == "rampdown"


@LOSSES
def test_the_watchdog_tells_once_and_still_rolls_a_breach_back(lose: Callable[[World], None]) -> None:
    world = ran()
    lose(world)
    mover = world.process("watchdog").mover
    bad = iter([Outcome.PASS] * 5)
    guardrails = Scripted(world.clock, lambda _: {"error_rate": next(bad, Outcome.FAIL)})
    left = iter(range(4))
    dog = Watchdog(world.plane, guardrails, world.clock, mover, Watch(), 2.0, 0.0)
    for _ in range(2):
        left = iter(range(4))
        dog.turn(lambda left=left: next(left, None) is not None)  # type: ignore[misc] # bound now
    told = [one.kind for one in mover.notices.told]  # type: ignore[attr-defined] # the memory's
    assert told == [NoticeKind.LOST, NoticeKind.TRANSITION, NoticeKind.BREACH]
    assert world.plane.state().control == Control(Stage.SHADOW, epoch=10)


def test_it_vanishes_or_is_set_back_at_any_moment_of_a_run_and_a_rollback_ends_it() -> None:
    for after in range(0, CALLS, 5):
        for lose in (gone, set_back):
            world = World()
            world.switch = DoorSwitch(world.plane)  # type: ignore[assignment] # as above
            with world.killing(after, "ana@desk:1") as at, suppress(KilledError):
                world.run("ana@desk:1", at=at)
            moves = world.done()
            if not moves:
                continue
            lose(world)
            lost = world.plane.epoch() < highest(world)
            before = highest(world)
            if lost:
                with pytest.raises(StateLostError):
                    world.run("eve@desk:3")
                assert world.done() == moves, "it started over"
            world.roll_back("bob@desk:2", Stage.SHADOW)
            control = world.plane.state().control
            assert control.epoch >= before + lost
            assert control.stage in (Stage.DUALWRITE, Stage.SHADOW)
            epochs = [one.epoch for one in world.done()]
            assert len(epochs) == len(set(epochs)), "an epoch was used twice"


def test_it_vanishes_while_a_run_goes_on() -> None:
    for after in range(20, CALLS, 23):
        world, left = World(), [after]
        world.switch = DoorSwitch(world.plane)  # type: ignore[assignment] # as above

        def at(world: World = world, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == 0 and world.done():
                left.append(highest(world))
                gone(world)

        with suppress(CutoverError):
            world.run("ana@desk:1", at=at)
        if len(left) == 1:
            continue
        assert highest(world) == left[1], "it went on"
        world.roll_back("bob@desk:2", Stage.SHADOW)
        assert world.plane.state().epoch > left[1]


def test_where_the_journal_cannot_be_read_a_sound_state_still_goes_back() -> None:
    world = ran()

    class NoJournal:
        def __getattr__(self, name: str) -> object:
            return getattr(world.plane, name)

        def journal(self, since: str = "") -> Iterator[Entry]:
            raise RemoteError("throttled", hint="-")

    plane: ControlPlane = NoJournal()  # type: ignore[assignment] # the rest is the memory's
    assert read_footing(plane).state == world.plane.state()


def test_in_the_table_the_first_move_that_comes_between_both_readings_is_no_loss() -> None:
    with mock_aws():
        plane = table(boto3.client("dynamodb", region_name="us-east-1"), "control")
        checkpoints = CheckpointTable(plane.client, plane.table, plane.migration)
        assert (plane.state(), checkpoints.control()) == (State(), Control())
        moved = replace(State().moved(Stage.LIVE, 100, FULL_WEIGHT), entry=entry(1).id)
        assert plane.move(moved, entry(1), None)
        assert plane.state() == moved
        real, seen = plane.client.get_item, []

        def late(**how: object) -> object:
            seen.append(how)
            return {} if len(seen) == 1 else real(**how)  # type: ignore[arg-type] # as it was called

        plane.client.get_item = late  # type: ignore[method-assign,assignment] # a slow reading
        assert plane.state() == moved
        plane.client.get_item = real  # type: ignore[method-assign]
        plane.client.delete_item(
            TableName="control", Key={"migration": {"S": "activities"}, "record": {"S": "state"}}
        )
        for read in (plane.state, checkpoints.control):
            with pytest.raises(StateLostError, match="the control table has no state"):
                read()


NAMES_IT = (
    "status",
    "run --yes",
    "pause lunch",
    "resume",
    "postpone live",
    "switch writes --to 50 --yes --patience 0",
    "complete --name activities --patience 0",
    "plan agree --yes",
    "backfill start --yes",
    "reconcile --yes",
    "repair --apply --yes --patience 2",
    "certificate",
    "ledger check --ledger ledger.jsonl --wait 0",
    "doctor",
    "preflight --output json",
)


@pytest.mark.slow
@pytest.mark.parametrize("lose", ["gone", "older"])
def test_every_command_names_it(lose: str, tmp_path: Path) -> None:
    with account(tmp_path) as there:
        acknowledged(there)
        bring_to(there, "live_25")
        key = {"migration": {"S": "activities"}, "record": {"S": "state"}}
        was = there.client.get_item(TableName=f"{PREFIX}-control", Key=key)["Item"]
        there.client.delete_item(TableName=f"{PREFIX}-control", Key=key)
        if lose == "older":
            old = {**was, "stage": {"S": "shadow"}, "epoch": {"N": "2"}, "since": {"S": ""}}
            there.client.put_item(TableName=f"{PREFIX}-control", Item=old)
        silent = []
        for line in NAMES_IT:
            said = CliRunner().invoke(app, shlex.split(line))
            names = re.search("moves up to epoch|state_by_hand|state_lost", said.stderr + said.stdout)
            if said.exit_code not in (1, 10) or not names:
                silent.append((line, said.exit_code, said.stderr[-300:]))
        assert not silent, silent
