"""What doctor makes of each half-done state, and that doing literally what it says mends it."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from migration.cutover.hooks import HookFailure
from migration.doctor.diagnose import diagnose
from migration.doctor.diagnosis import Danger
from migration.doctor.reading import read_records
from migration.doctor.records import Unreadable
from migration.doctor.repair_state import RepairState, find_way
from migration.doctor.repairing import GoBack, Nothing, NoWay, Restore, way_to
from migration.doctor.scene import Gathered, Records, Scene, TroubleSigns
from migration.model.backfill import BackfillPhase, Job, Pulse
from migration.model.errors import ConflictError, GuardrailError, IntegrityError, UsageError
from migration.model.guardrails import Outcome
from migration.model.journal import EntryKind, control_of
from migration.model.moments import moment_text
from migration.model.stages import FULL_WEIGHT, Control, Stage
from migration.model.state import Lease, State
from migration.preflight.deployed import Missing, Unread
from tests.cutover_world import QUICK, KilledError, World
from tests.doctor_world import ask, converge, follow, names, records_of

if TYPE_CHECKING:
    from collections.abc import Callable

LIVE = Control(Stage.LIVE, 500, FULL_WEIGHT)


def ran(goal: Stage = Stage.SHADOW) -> World:
    world = World()
    world.run(goal=goal)
    return world


def by_hand(world: World, control: Control) -> None:
    """Put a state as somebody would in a console: no entry, no history."""
    world.plane.current = State(control)


def test_untouched_and_wherever_a_run_ended_nothing_is_half_done() -> None:
    assert names(World()) == []
    for goal in (Stage.DUALWRITE, Stage.SHADOW, Stage.LIVE, Stage.RAMPDOWN):
        assert names(ran(goal)) == [], goal


# The state against the journal


@pytest.mark.parametrize(
    ("breaks", "name"),
    [
        (lambda world: by_hand(world, Control(Stage.OFF, epoch=99)), "state_by_hand"),
        (lambda world: by_hand(world, Control(Stage.RAMPDOWN, epoch=3)), "state_by_hand"),
        (lambda world: by_hand(world, Control()), "state_lost"),
        (lambda world: world.plane.entries.pop(world.done()[1].id), "journal_gap"),
        (lambda world: world.plane.entries.pop(world.done()[-1].id), "state_by_hand"),
        (lambda world: world.plane.entries.clear(), "state_by_hand"),
    ],
)
def test_a_hand_in_the_control_table_is_seen_and_repaired(
    breaks: Callable[[World], object], name: str
) -> None:
    world = ran(Stage.LIVE)
    breaks(world)
    [first, *_] = ask(world)
    assert first.name == name
    assert first.command.startswith("cutover repair --to ")
    before = world.plane.epoch()
    converge(world)
    assert world.plane.state().epoch > before
    assert [one.step for one in world.done() if one.step == "repair"] == ["repair"]


def test_traffic_that_goes_otherwise_than_recorded_is_dangerous_now() -> None:
    world = ran()
    by_hand(world, Control(Stage.RAMPDOWN, epoch=40))
    [found] = ask(world)
    assert (found.danger, found.command) == (Danger.NOW, "cutover repair --to shadow --apply")
    assert "the state says rampdown, epoch 40, written with entry none" in found.what
    assert "the journal ends with shadow, epoch 2" in found.what
    assert "traffic goes as the state says, rampdown" in found.state


def test_a_weight_that_was_changed_with_the_entry_left_alone_is_seen() -> None:
    world = ran(Stage.LIVE)
    state = world.plane.state()
    world.plane.current = replace(state, control=replace(state.control, write_weight=1))
    assert names(world) == ["state_by_hand"]


def test_a_state_that_cannot_be_read_is_a_diagnosis_not_a_crash() -> None:
    world = ran()
    there = world.plane

    class Broken:
        def __getattr__(self, name: str) -> object:
            return getattr(there, name)

        def state(self) -> State:
            raise IntegrityError("stage is 'shadwo'", hint="-")

        def epoch(self) -> int:
            return 7

    plane = Broken()
    records = read_records(plane, world.checkpoints, world.clock, lambda _: False)  # type: ignore[arg-type] # the rest is the memory's
    assert records.state == Unreadable("stage is 'shadwo'", 7)
    [found] = diagnose(Scene(records, QUICK, "plan"))
    assert (found.name, found.command) == ("state_unreadable", "cutover repair --to shadow --apply")
    assert found.danger is Danger.NOW
    way = way_to(Stage.SHADOW, records.state, records.entries)
    assert way == Restore(Control(Stage.SHADOW, epoch=2), Control(Stage.SHADOW, epoch=8), 7, found.what)


def test_an_old_copy_of_the_state_does_not_pass_for_the_state() -> None:
    world = ran()
    old = world.plane.state()
    world.run(goal=Stage.LIVE)
    world.plane.current = old
    assert names(world) == ["state_by_hand"]


def test_records_that_change_while_they_are_read_are_read_again() -> None:
    world = ran()

    class Moving:
        left = 2

        def __getattr__(self, name: str) -> object:
            return getattr(world.plane, name)

        def lease(self) -> Lease | None:
            if self.left:
                self.left -= 1
                world.process("bo").mover.change(
                    world.plane.state(), world.plane.state().changed(paused="x"), "pause", "x"
                )
            return world.plane.lease()

    plane = Moving()
    records = read_records(plane, world.checkpoints, world.clock, lambda _: False)  # type: ignore[arg-type] # as above
    assert records.known.epoch == world.plane.state().epoch == 4
    plane.left = 100
    with pytest.raises(ConflictError, match="keeps changing"):
        read_records(plane, world.checkpoints, world.clock, lambda _: False)  # type: ignore[arg-type] # as above


# What a process left behind


def killed_at(step: str, goal: Stage = Stage.RAMPDOWN) -> World:
    """Let a run die right after the journal says so much."""
    for after in range(10_000):
        world = World()
        with world.killing(after, "ana@desk:1") as at, suppress(KilledError):
            world.run("ana@desk:1", goal, at)
        if step in names(world):
            return world
    raise AssertionError(f"no kill leaves {step}")


@pytest.mark.parametrize(
    "name", ["holder_gone", "decided_not_done", "not_confirmed", "drill_open", "drill_unjudged"]
)
def test_what_a_dead_process_had_begun_is_named_and_the_run_goes_on(name: str) -> None:
    world = killed_at(name)
    found = {one.name: one for one in ask(world)}
    assert found[name].command == "cutover run"
    assert found[name].danger is (Danger.GROWS if name == "drill_open" else Danger.NONE)
    assert converge(world) == ["cutover run"]
    assert world.plane.state().stage is Stage.RAMPDOWN


def test_what_a_living_process_has_begun_is_not_half_done() -> None:
    world = killed_at("drill_open")
    world.dead.clear()
    assert names(world) == [], "its lease is not over: it may only be slow"
    world.clock.sleep(60)
    assert "holder_gone" in names(world)
    assert "did not let go of the lease" in next(one.what for one in ask(world) if one.name == "holder_gone")


def test_a_breach_that_rolled_it_back_waits_for_a_person() -> None:
    world = World()
    world.vital = lambda state: {"error_rate": Outcome.FAIL if state.stage is Stage.LIVE else Outcome.PASS}
    world.run()
    [found] = ask(world)
    assert (found.name, found.command) == ("rolled_back", "cutover resume")
    assert "error_rate" in found.what
    follow(world, found.command)
    world.vital = lambda _: {"error_rate": Outcome.PASS}
    converge(world)


@pytest.mark.parametrize(
    ("changes", "name"),
    [({"paused": "lunch"}, "paused"), ({"postponed": Stage.LIVE}, "postponed")],
)
def test_what_a_person_holds_back_is_theirs_to_let_go(changes: dict[str, object], name: str) -> None:
    world = ran()
    state = world.plane.state()
    world.process("bo").mover.change(state, state.changed(**changes), name, name)
    assert names(world) == [name]
    assert converge(world) == ["cutover resume"]


def test_a_gate_that_waits_is_named() -> None:
    world = World(course=QUICK.model_copy(update={"gates": (Stage.SHADOW,)}))
    world.run(goal=Stage.DUALWRITE)
    world.worked.clear()
    world._backfill()
    world.process("bo").mover.note(EntryKind.CONFIRMED, "reconcile", "reconciled", 1)
    [found] = ask(world)
    assert (found.name, found.command) == ("at_a_gate", "cutover resume")
    assert converge(world) == ["cutover resume"]


def test_a_plan_that_nobody_agreed_to_is_named() -> None:
    assert names(ran(), plan="another") == ["plan_differs"]
    assert ask(ran(), plan="another")[0].command == "cutover plan agree"
    assert names(World(), plan="another") == [], "nothing was moved by any plan"


def test_the_plan_is_agreed_to_before_a_run_that_would_refuse_it() -> None:
    world = killed_at("drill_open")
    found = ask(world, plan="another")
    assert found[0].name == "drill_open"
    assert {one.command for one in found} == {"cutover plan agree"}


def test_a_backfill_without_anybody_at_work_is_named() -> None:
    world = ran(Stage.DUALWRITE)
    started = moment_text(world.clock.now())
    world.checkpoints.stored_job = Job(3, 1, 100, started, BackfillPhase.COPYING)
    assert "nobody has" in ask(world)[0].what
    world.checkpoints.last_pulse = Pulse("bo@lap:3", world.clock.now() - 10, 1, "")
    assert names(world) == []
    world.clock.sleep(120)
    [found] = ask(world)
    assert (found.name, found.command) == ("backfill_stalled", "cutover backfill start")
    assert "bo@lap:3 last did, 130 s ago" in found.what
    world.checkpoints.stored_job = replace(world.checkpoints.stored_job, paused="bo: lunch")
    assert ask(world)[0].command == "cutover backfill resume"


# What the stack shows


def queue(messages: int) -> Gathered:
    return Gathered("some-dlq", "arn:aws:sqs:eu-west-1:1:some-dlq", messages)


@pytest.mark.parametrize(
    ("signs", "name", "command"),
    [
        (
            TroubleSigns(folds_given_up=queue(3)),
            "folds_given_up",
            "aws sqs start-message-move-task --source-arn",
        ),
        (TroubleSigns(mirrors_given_up=queue(1)), "mirrors_given_up", "aws sqs start-message-move-task"),
        (TroubleSigns(never_queued=(queue(0), queue(2))), "never_queued", "cutover verify"),
        (
            TroubleSigns(pipes=(("capture", "STOPPED"),)),
            "pipe_stopped",
            "aws pipes start-pipe --name capture",
        ),
        (TroubleSigns(pipes=(("mirror", Missing("pipe mirror")),)), "pipe_stopped", "cutover preflight"),
        (TroubleSigns(mirror_queue=queue(5_000)), "mirror_behind", "cutover status"),
    ],
)
def test_trouble_in_the_stack_is_named_also_while_somebody_is_at_work(
    signs: TroubleSigns, name: str, command: str
) -> None:
    world = ran(Stage.LIVE)
    world.plane.holder = Lease("bo@lap:2", 9, world.clock.now() + 10)
    [found] = ask(world, signs)
    assert (found.name, found.danger) == (name, Danger.GROWS)
    assert found.command.startswith(command)


def test_nothing_in_the_queues_and_what_could_not_be_read_is_no_trouble() -> None:
    unread = Unread("AccessDenied")
    quiet = TroubleSigns(
        pipes=(("capture", "RUNNING"), ("mirror", unread)),
        folds_given_up=queue(0),
        mirrors_given_up=unread,
        never_queued=(unread,),
        mirror_queue=queue(40),
    )
    assert names(ran(Stage.LIVE), quiet) == []


def test_a_complete_migration_that_left_legacy_wants_the_next_phase() -> None:
    world = ran(Stage.RAMPDOWN)
    state = world.plane.state()
    world.process("bo").mover.forward(state, state.moved(Stage.COMPLETE), "complete", "done", None)
    assert names(world, TroubleSigns()) == []
    [found] = ask(world, TroubleSigns("cutover local up --phase contract"))
    assert (found.name, found.danger) == ("legacy_left", Danger.NONE)
    assert found.command == "cutover local up --phase contract"


def test_the_most_dangerous_comes_first() -> None:
    world = ran()
    by_hand(world, Control(Stage.OFF, epoch=9))
    assert names(world, TroubleSigns(folds_given_up=queue(1))) == ["state_by_hand", "folds_given_up"]


# Repairing


def repair(world: World, stage: Stage) -> State:
    records = records_of(world)
    return RepairState(world.process("eve@desk:5").mover).apply(records, find_way(records, stage))


def test_a_sound_state_goes_back_as_a_rollback_does_and_never_forward() -> None:
    world = ran(Stage.LIVE)
    state = repair(world, Stage.DUALWRITE)
    assert (state.stage, bool(state.paused)) == (Stage.DUALWRITE, True)
    assert isinstance(find_way(records_of(world), Stage.DUALWRITE), Nothing)
    with pytest.raises(UsageError, match="takes guardrails") as refused:
        repair(world, Stage.LIVE)
    assert refused.value.next_command == "cutover run"
    assert names(world) == ["rolled_back"]


def test_what_was_written_by_hand_is_put_back_with_its_weights_in_one_write() -> None:
    world = ran(Stage.RAMPDOWN)
    world.process("bo").mover.back(LIVE, "wanted", "rollback")
    by_hand(world, Control(Stage.OFF, epoch=80))
    state = repair(world, Stage.LIVE)
    assert state.control == replace(LIVE, epoch=81)
    assert world.plane.state() == state
    assert "repaired by eve@desk:5" in state.paused
    last = world.done()[-1]
    assert (last.step, control_of(last.detail["was"])) == ("repair", Control(Stage.OFF, epoch=80))
    assert last.detail["rollback"] is False


def test_a_stage_before_the_recorded_one_may_be_taken_instead() -> None:
    world = ran(Stage.RAMPDOWN)
    by_hand(world, Control(Stage.COMPLETE, epoch=80))
    assert repair(world, Stage.SHADOW).control == Control(Stage.SHADOW, epoch=81)


def test_after_complete_there_is_no_way_back_by_repair_either() -> None:
    world = ran(Stage.RAMPDOWN)
    state = world.plane.state()
    world.process("bo").mover.forward(state, state.moved(Stage.COMPLETE), "complete", "done", None)
    by_hand(world, Control(Stage.LIVE, epoch=80))
    way = way_to(Stage.LIVE, world.plane.state(), world.done())
    assert isinstance(way, NoWay)
    assert "no way back" in way.why
    assert way.next_command == "cutover repair --to complete --apply"
    assert repair(world, Stage.COMPLETE).stage is Stage.COMPLETE


def test_it_waits_for_a_process_that_is_at_work() -> None:
    world = ran()
    by_hand(world, Control(Stage.OFF, epoch=9))
    world.plane.holder = Lease("bo@lap:2", 9, world.clock.now() + 10)
    with pytest.raises(ConflictError, match="bo@lap:2 moves it"):
        repair(world, Stage.SHADOW)


def test_what_changed_since_it_was_looked_at_is_left_alone() -> None:
    world = ran()
    by_hand(world, Control(Stage.OFF, epoch=9))
    records = records_of(world)
    way = find_way(records, Stage.SHADOW)
    by_hand(world, Control(Stage.DUALWRITE, epoch=10))
    entries = len(world.plane.entries)
    with pytest.raises(ConflictError):
        RepairState(world.process("eve").mover).apply(records, way)
    assert (world.plane.state().epoch, len(world.plane.entries)) == (10, entries)
    sound = ran(Stage.LIVE)
    seen = records_of(sound)
    sound.process("bo").mover.back(Control(Stage.SHADOW), "wanted", "rollback")
    with pytest.raises(ConflictError, match="somebody else moved it"):
        RepairState(sound.process("eve").mover).apply(seen, GoBack(Control(Stage.OFF), ""))


def test_a_repair_that_gives_the_pipeline_more_than_it_has_asks_the_hooks() -> None:
    world = ran(Stage.LIVE)
    by_hand(world, Control(Stage.OFF, epoch=80))
    world.hooks.refusal = HookFailure("may-we", "not today")
    with pytest.raises(GuardrailError, match="not today"):
        repair(world, Stage.LIVE)
    assert repair(world, Stage.OFF).stage is Stage.OFF


def test_every_diagnosis_is_documented() -> None:
    root = Path(__file__).parents[2]
    document = (root / "docs" / "preflight.md").read_text(encoding="utf-8")
    sources = (root / "migration" / "doctor").glob("*.py")
    named = re.findall(r'(?:Diagnosis|_given_up)\(\s*"(\w+)"|return "(\w+)", ', "".join(map(_text, sources)))
    names_of_kinds = {first or second for first, second in named}
    assert len(names_of_kinds) >= 20
    for kind in (*names_of_kinds, "journal_gap"):
        assert f"`{kind}`" in document, kind


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_records_without_a_lease_or_a_journal_are_calm() -> None:
    assert diagnose(Scene(Records(0.0, State()), QUICK, "plan")) == []
