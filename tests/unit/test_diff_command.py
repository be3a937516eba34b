"""`cutover diff` on sides in memory: what it prints where, the page it writes, and how it exits."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from migration.aws.transport.clock import SystemClock
from migration.cli.compare import diff as command
from migration.cli.main import app
from migration.model.answers import Answer, SendOutcome
from migration.model.errors import UsageError
from migration.model.legacy.layout import LegacyPlan
from migration.model.side import Side
from migration.plan.outputs import EntryOutputs, StackOutputs
from migration.plan.plan import Plan
from migration.wiring.sources import diff_sides
from migration.wiring.workspace import Workspace
from tests.diff_world import World
from tests.doubles.sending import MemoryLedger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from typer.testing import Result

    from migration.model.fold import Activity, Fold, Row

    Run = Callable[..., Result]

HOSTILE = "[bold red]</script><script>alert(1)</script>"


@pytest.fixture
def world() -> World:
    world = World()
    for number, name in enumerate(("ada", "grace", HOSTILE)):
        world.add(name, f"v-{number}", 10 * number + 5)
    return world


@pytest.fixture
def run(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    outputs = SimpleNamespace(stack="test", phase="expand")
    ledger = tmp_path / "ledger.jsonl"
    stack = SimpleNamespace(clients=None, outputs=outputs, legacy_tables=lambda _plan: None, ledger=ledger)
    workspace = SimpleNamespace(root=tmp_path, deployed=lambda _name: stack)
    monkeypatch.setattr(Workspace, "find", lambda: workspace)
    monkeypatch.setattr(command, "diff_sides", lambda *_: world.sides())
    monkeypatch.setattr(SystemClock, "now", lambda _clock: 1_772_357_400.0)
    monkeypatch.setenv("COLUMNS", "160")
    return lambda *arguments: CliRunner().invoke(app, ["diff", *arguments])


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("migration.cli.console.data._width", 250)  # no line of a table is cut


def test_sides_that_are_the_same_end_with_0(run: Run) -> None:
    result = run()
    assert result.exit_code == 0, result.output
    assert result.stderr == "The same.\n"
    assert "employee in program          3        0" in result.stdout


def test_legacys_own_errors_end_with_0(world: World, run: Run) -> None:
    world.count(world.seen[0])
    result = run()
    assert result.exit_code == 0
    assert "legacy counted a retry again: v-0 [legacy +5]" in result.stdout
    assert "0 unexplained" in result.stderr


def test_what_is_to_be_repaired_ends_with_1_and_says_what_to_run(world: World, run: Run) -> None:
    world.fold(world.seen[1], -1)
    result = run("--output", "json", "--board", "global", "--k", "2,1,2")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert (report["schema_version"], report["judgement"], report["fails"]) == (1, "to_repair", True)
    assert report["next_steps"] == ["cutover verify"]
    assert [board["board"] for board in report["boards"]] == ["global"]
    assert list(report["boards"][0]["agreement"]["legacy, pipeline"]["overlap_at"]) == ["1", "2"]
    (row,) = (row for row in report["aggregates"]["differences"] if row["level"] == "employee in program")
    assert (row["employee_id"], row["program_id"]) == ("grace", "p")
    assert row["truth"]["fingerprint"] == str(int(row["truth"]["fingerprint"]))
    (reason,) = row["reasons"]
    assert (reason["cause"], reason["events"], reason["points"]) == ("lost", ["v-1"], -15)


def test_ids_are_text_in_tables_and_data_in_the_page(world: World, run: Run, tmp_path: Path) -> None:
    world.fold(world.seen[2], -1)
    page = tmp_path / "diff.html"
    result = run("--html", str(page))
    assert "[bold red]" in result.stdout
    assert f"The page is {page}." in result.stderr
    text = page.read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert r"\u003cscript\u003ealert(1)" in text
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in text


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--k", "0"], "--k is '0'"),
        (["--k", "ten"], "--k is 'ten'"),
        (["--p", "1"], "--p is 1.0, not between 0 and 1"),
        (["--board", "nothing"], "neither side has a board 'nothing'"),
        (["--ledger", "/none"], "there is no acknowledgement ledger at /none"),
        (["--html", "/none/diff.html"], "/none/diff.html cannot be written"),
    ],
)
def test_what_cannot_be_done_is_refused(run: Run, arguments: list[str], error: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert error in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("phase", "said", "command"),
    [
        ("legacy", "phase legacy has one side only", "cutover local up --phase expand"),
        ("contract", "phase contract has the pipeline only", "cutover certificate"),
    ],
)
def test_one_side_alone_is_not_compared(phase: Any, said: str, command: str) -> None:
    entry = EntryOutputs(ingest_url="", serve_url="", ingest_function="", serve_function="")
    outputs = StackOutputs(stack="local", phase=phase, region="us-east-1", entry=entry)
    clients: Any = None
    with pytest.raises(UsageError, match=said) as error:
        diff_sides(clients, outputs, Plan().legacy, SystemClock())
    assert error.value.next_command == command


def test_a_ledger_names_what_legacy_counted_again(world: World, tmp_path: Path) -> None:
    world.seen.clear()
    twins = [world.add("ada", event, 5, at="2026-03-01T09:00:00.000Z") for event in ("one", "two")]
    world.count(twins[1])
    ledger, body = (
        MemoryLedger(),
        {"employee_id": "ada", "program_id": "p", "activity_type": "task_completed"},
    )
    for event in ("one", "two", "two"):
        fields = {**body, "event_id": event, "points": 5, "occurred_at": "2026-03-01T09:00:00Z"}
        send = ledger.sending(Side.LEGACY, json.dumps(fields).encode(), 1.0)
        ledger.answered(send, Answer(SendOutcome.ACKNOWLEDGED, 202, "ada", event), ["202"], 1.1, 9.0)
    path = tmp_path / "ledger.jsonl"
    header = {"kind": "acknowledgement ledger", "schema_version": 1}
    path.write_text("\n".join([json.dumps(header), *ledger.lines]) + "\n")
    stack = SimpleNamespace(legacy_tables=lambda _plan: _LegacyTables(world))
    suspects = command._suspects(stack, LegacyPlan(), path, required=True)  # type: ignore[arg-type] # as above
    assert {str(row): list(events) for row, events in suspects.items()} == {
        "ada x p": ["two"],
        "p": ["ada two"],
    }


class _LegacyTables:
    def __init__(self, world: World) -> None:
        self._sides = world.sides()

    def activities(self) -> Iterator[Activity]:
        return iter(self._sides.events.values())

    def folds(self) -> Mapping[Row, Fold]:
        return self._sides.legacy_rows
