"""`cutover verify` and `cutover plan`: what they print, which options they obey, and how they end."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from migration.cli.compare import verify as command
from migration.cli.main import app
from migration.compare.verify.verification import Parts
from migration.model.errors import RemoteError, UsageError
from migration.model.facts import Lane
from migration.model.fold import Fold, Row
from migration.wiring.workspace import Workspace
from tests.doubles.both_sides import MemorySides
from tests.verify_world import MemoryWorld, System, activities, activity
from tests.waiting import hurry

if TYPE_CHECKING:
    from pathlib import Path


class Tables(MemorySides):
    """Memory's tables, with what the command asks of real ones."""

    segments = 4
    pipeline = SimpleNamespace(outputs=SimpleNamespace(facts_table="facts"))


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    system = System(MemoryWorld(Tables()))
    for one in activities():
        system.accept(one)
    workspace = Workspace(tmp_path, tmp_path / "home")
    monkeypatch.setattr(Workspace, "find", lambda: workspace)
    stack = SimpleNamespace(clients=None, outputs=None, home=workspace.home)
    monkeypatch.setattr(Workspace, "deployed", lambda *_: stack)
    monkeypatch.setattr(command, "both_sides", lambda *_: system.world.source())
    hurry(monkeypatch, "migration.aws.transport.clock")
    return system


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


def read_json(result: Any) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(result.stdout)
    return fields


def test_a_clean_verification_ends_with_0_and_says_as_of_when(system: System, tmp_path: Path) -> None:
    result = run("verify")
    assert result.exit_code == 0, result.output
    assert "every fact is folded exactly once" in result.stdout
    assert "Verified as of 20" in result.stdout
    assert "facts: 24 of about 24" in result.stderr
    assert not list((tmp_path / "home" / "verify").glob("*.duckdb"))


def test_differences_end_with_1_each_by_name_with_the_next_step(system: System) -> None:
    lost = activities()[7]
    system.fold(lost, times=-1)
    result = run("verify", "--patience", "1")
    assert result.exit_code == 1
    assert f"lost: event {lost.event_id} of {lost.employee_id}" in result.stdout
    assert "cutover repair" in result.stderr
    fields = read_json(run("verify", "--patience", "1", "--output", "json"))
    assert (fields["schema_version"], fields["clean"], fields["counts"]) == (1, False, {"lost": 1})
    [difference] = fields["differences"]
    assert (difference["kind"], difference["event_id"]) == ("lost", lost.event_id)
    assert fields["next_steps"] == ["cutover repair"]


def test_legacys_own_errors_are_shown_and_end_with_0(system: System) -> None:
    system.legacy_counts(activities()[3])
    result = run("verify")
    assert result.exit_code == 0
    assert "legacy double count" in result.stdout


def test_many_differences_are_shown_in_part_and_all_in_json(system: System) -> None:
    for number in range(30):
        system.store(activity(1000 + number, employee=number), Lane.LIVE)
    result = run("verify", "--patience", "1")
    assert "and 10 more legacy failed; --output json has all" in result.stdout
    fields = read_json(run("verify", "--patience", "1", "--output", "json"))
    assert len(fields["differences"]) == 30


def test_a_row_that_moves_too_fast_ends_with_11(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    moving = iter(range(10**6))
    programs = MemorySides.programs

    def sampled(tables: MemorySides) -> Any:
        rows, row = programs(tables), Row(None, "prog-0")
        return {**rows, row: rows[row] + Parts(Fold(1, 1, 1 + next(moving)))}

    young = activity(100, program=0)
    system.store(young, at="2999-01-01T00:00:00.000Z")
    monkeypatch.setattr(MemorySides, "programs", sampled)
    result = run("verify", "--patience", "0")
    assert result.exit_code == 11, result.output
    assert "undecided   prog-0" in result.stdout


def test_a_failure_keeps_what_was_read_and_names_the_command_that_goes_on(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_tables: MemorySides) -> Any:
        raise RemoteError("AWS failed", hint="try again")

    with monkeypatch.context() as broken:
        broken.setattr(MemorySides, "programs", fails)
        result = run("verify")
    assert result.exit_code == 4
    assert "next:  cutover verify --resume" in result.stderr
    resumed = run("verify", "--resume")
    assert resumed.exit_code == 0
    assert "employee rows" not in resumed.stderr


def test_ctrl_c_keeps_what_was_read(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_tables: MemorySides) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(MemorySides, "programs", interrupted)
    result = run("verify")
    assert result.exit_code == 130
    assert "cutover verify --resume goes on from there" in result.stderr


def test_nothing_to_resume_is_a_usage_error(system: System) -> None:
    result = run("verify", "--resume")
    assert result.exit_code == UsageError.exit_code
    assert "no verification was interrupted" in result.stderr


def test_plan_check_prints_the_whole_plan_and_schema_its_schema(tmp_path: Path) -> None:
    path = tmp_path / "cutover.toml"
    path.write_text('migration = "mine"\n')
    result = run("plan", "check", "--plan", str(path))
    assert result.exit_code == 0
    assert json.loads(result.stdout)["legacy"]["events"]["points"] == "points"
    assert "migration 'mine'" in result.stderr
    path.write_text("migraton = 1\n")
    wrong = run("plan", "check", "--plan", str(path))
    assert wrong.exit_code == 2
    assert "migraton is not a key of a plan" in wrong.stderr
    assert "next:  cutover plan schema" in wrong.stderr
    schema = read_json(run("plan", "schema"))
    assert "LegacyEvents" in schema["$defs"]
