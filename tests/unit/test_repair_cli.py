"""`cutover repair`: what it prints, that it changes nothing unless it is told to, and how it ends."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from migration.cli.main import app
from migration.cli.repair import repair as command
from migration.compare.verify.verification import Parts
from migration.model.fold import Fold, Row
from tests.doubles.both_sides import MemorySides
from tests.repair_world import RepairWorld
from tests.verify_world import activities, activity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migration.repair.repair import Repair
    from migration.wiring.repairing import RepairOptions

pytestmark = pytest.mark.slow  # each verifies twice or more

LOST, DOUBLED, TWICE = activities()[7], activities()[8], activities()[9]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RepairWorld:
    world = RepairWorld()
    for one in activities():
        world.accept(one)

    @contextmanager
    def repairing(_: RepairOptions) -> Iterator[Repair]:
        store = world.store(tmp_path)
        yield world.repair(store)
        store.close(keep=False)

    monkeypatch.setattr(command, "repairing", repairing)
    return world


def damage(world: RepairWorld) -> None:
    world.lose(LOST)
    world.system.fold(DOUBLED)
    world.system.legacy_counts(TWICE)


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["repair", *arguments], env={"COLUMNS": "200"})


def read_json(result: Any) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(result.stdout)
    return fields


def test_a_sound_system_ends_with_0_and_nothing_to_agree_to(world: RepairWorld) -> None:
    for arguments in ((), ("--apply",)):
        result = run(*arguments)
        assert result.exit_code == 0, result.output
        assert "nothing is left to repair" in result.stdout
    fields = read_json(run("--output", "json"))
    assert (fields["plan"], fields["applied"], fields["next_steps"]) == ([], False, [])


def test_without_apply_it_says_what_it_would_do_and_changes_nothing(world: RepairWorld) -> None:
    damage(world)
    was = world.snapshot()
    result = run()
    assert result.exit_code == 1
    assert "1 lost: redrive" in result.stdout
    assert (
        f"event {LOST.event_id} of {LOST.employee_id} in {LOST.program_id}: no row holds it" in result.stdout
    )
    assert "1 legacy double count: leave" in result.stdout
    [row] = [line for line in result.stdout.splitlines() if f"{DOUBLED.employee_id} x #total" in line]
    assert row.split()[3:] == ["live", f"-{DOUBLED.points}", "-1"]
    assert "2 differences to be repaired, or seen to" in result.stdout
    assert "cutover repair --apply" in result.stderr
    assert (world.snapshot(), world.control.entries, world.folds.queue) == (was, {}, [])


def test_without_a_terminal_it_wants_a_yes(world: RepairWorld) -> None:
    damage(world)
    was = world.snapshot()
    result = run("--apply")
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert world.snapshot() == was


@pytest.mark.parametrize("whole", [(), ("--whole",)])
def test_it_repairs_and_verifies_and_ends_with_0(world: RepairWorld, whole: tuple[str, ...]) -> None:
    was = world.snapshot()
    damage(world)
    result = run("--apply", "--yes", *whole)
    assert result.exit_code == 0, result.output
    assert f"done: redrive {LOST.employee_id} {LOST.event_id}" in result.stdout
    assert f"done: compensate #repair {DOUBLED.employee_id} #total 1" in result.stdout
    assert "nothing is left to repair" in result.stdout
    assert "cutover verify" in result.stderr
    assert world.snapshot()["rows"] == was["rows"]


def test_what_is_left_is_named_and_ends_with_1(world: RepairWorld) -> None:
    damage(world)
    world.system.add(Row("ghost", "prog-1"), Fold(3, 1, 12345))
    result = run("--apply", "--yes")
    assert result.exit_code == 1
    assert "1 differences left" in result.stdout
    assert "unexplained: ghost prog-1" in result.stdout
    fields = read_json(run("--apply", "--yes", "--output", "json"))
    assert [one["kind"] for one in fields["left"]] == ["unexplained"]
    assert [one["action"] for one in fields["plan"] if one["kind"] == "unexplained"] == ["leave"]
    assert (fields["deeds"], fields["next_steps"]) == ([], ["cutover diff --html diff.html"])


def test_json_has_the_plan_the_rows_and_the_deeds(world: RepairWorld) -> None:
    damage(world)
    planned = read_json(run("--output", "json"))
    assert planned["next_steps"] == ["cutover repair --apply"]
    assert {(one["event_id"], one["action"]) for one in planned["plan"]} == {
        (LOST.event_id, "redrive"),
        (DOUBLED.event_id, "compensate"),
        (TWICE.event_id, "leave"),
    }
    assert {one["delta"]["points"] for one in planned["rows"]} == {-DOUBLED.points}
    fields = read_json(run("--apply", "--yes", "--output", "json"))
    assert (fields["applied"], fields["left"], fields["next_steps"]) == (True, [], ["cutover verify"])
    assert {one["outcome"] for one in fields["deeds"]} == {"done"}


def test_rows_that_move_too_fast_end_with_11(world: RepairWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    moving = iter(range(10**6))
    programs = MemorySides.programs

    def sampled(tables: MemorySides) -> Any:
        rows, row = programs(tables), Row(None, "prog-0")
        return {**rows, row: rows[row] + Parts(Fold(1, 1, 1 + next(moving)))}

    world.system.store(activity(100, program=0), at="2999-01-01T00:00:00.000Z")
    monkeypatch.setattr(MemorySides, "programs", sampled)
    result = run()
    assert result.exit_code == 11, result.output
    assert "1 rows moved too fast" in result.stdout
