"""`cutover certificate` on a control plane in memory: what it prints and writes, and how it exits."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from migration.certificate.certificate import HASH, certificate_fields, content_hash
from migration.cli.certificate import certificate as command
from migration.cli.main import app
from migration.model.stages import Control, Stage
from migration.model.state import State
from migration.report.certificate_page import certificate_page
from tests.certificate_world import PLAN, certificate, journal
from tests.doubles.control_plane import MemoryControlPlane

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

    Run = Callable[..., Result]


@pytest.fixture
def plane() -> MemoryControlPlane:
    return MemoryControlPlane()


@pytest.fixture
def run(plane: MemoryControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    helm = SimpleNamespace(
        plane=plane,
        plan=SimpleNamespace(migration="activities"),
        stack=SimpleNamespace(outputs=SimpleNamespace(stack="test"), ledger=tmp_path / "none.jsonl"),
    )
    monkeypatch.setattr(command, "steering", lambda _plan: helm)
    monkeypatch.setattr(command, "_comparisons", lambda *_: [])
    return lambda *arguments: CliRunner().invoke(app, ["certificate", *map(str, arguments)])


def arrive(plane: MemoryControlPlane, *, complete: bool) -> None:
    plane.entries = {entry.id: entry for entry in journal(complete=complete)}
    plane.current = State(Control(Stage.COMPLETE if complete else Stage.SHADOW, epoch=20), plan=PLAN)


def test_before_anything_was_done_there_is_a_draft(run: Run) -> None:
    result = run()
    assert result.exit_code == 0, result.output
    assert "DRAFT" in result.stdout
    assert "the journal has no move" in result.stdout


def test_a_draft_ends_with_0_and_is_written_as_both(
    run: Run, plane: MemoryControlPlane, tmp_path: Path
) -> None:
    arrive(plane, complete=False)
    page, text = tmp_path / "c.html", tmp_path / "c.json"
    result = run("--html", page, "--json", text, "--output", "json")
    assert result.exit_code == 0
    told, written = json.loads(result.stdout), json.loads(text.read_text(encoding="utf-8"))
    assert told["draft"]
    assert told[HASH] == written[HASH] == content_hash(written)
    assert "cutover verify" in told["next_steps"]
    assert run("check", page).exit_code == run("check", text).exit_code == 0


def test_a_final_one_that_does_not_prove_all_ends_with_1(run: Run, plane: MemoryControlPlane) -> None:
    arrive(plane, complete=True)
    result = run()
    assert result.exit_code == 1
    assert "DRAFT" not in result.stdout
    assert "no acknowledgement ledger was given" in result.stdout


def test_a_ledger_that_was_named_and_is_not_there_is_an_error(run: Run, tmp_path: Path) -> None:
    result = run("--ledger", tmp_path / "gone.jsonl")
    assert result.exit_code == 2
    assert "there is no acknowledgement ledger at" in result.stderr


@pytest.mark.parametrize("kind", ["html", "json"])
def test_an_altered_copy_is_noticed(kind: str, run: Run, tmp_path: Path) -> None:
    fields = certificate_fields(certificate())
    text = certificate_page(fields) if kind == "html" else json.dumps(fields)
    copy = tmp_path / f"copy.{kind}"
    copy.write_text(text, encoding="utf-8")
    assert run("check", copy).exit_code == 0
    copy.write_text(text.replace("1,180", "9,180"), encoding="utf-8")
    result = run("check", copy, "--output", "json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["genuine"] is False


@pytest.mark.parametrize("text", ["", "{}", "[]", "<html>", '{"kind": "diff"}'])
def test_what_is_no_certificate_is_said_to_be_none(text: str, run: Run, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text(text, encoding="utf-8")
    result = run("check", other)
    assert result.exit_code == 2
    assert "is no certificate" in result.stderr


def test_a_file_that_is_not_there_is_an_error(run: Run, tmp_path: Path) -> None:
    assert run("check", tmp_path / "gone").exit_code == 2
