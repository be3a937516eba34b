"""The command line without a local AWS: help, usage errors, what goes to which stream, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from migration.cli.main import app
from migration.model.errors import (
    ConflictError,
    CredentialsError,
    CutoverError,
    GuardrailError,
    IntegrityError,
    RemoteError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typer.testing import Result

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("CUTOVER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def refused(result: Result, *texts: str) -> None:
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert "\nhint:  " in result.stderr
    for text in texts:
        assert text in result.stderr


def test_without_arguments_it_lists_the_commands() -> None:
    result = run()
    assert {"demo", "ledger", "local"} <= set(result.output.split())


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (["local", "load"], ["give --file, or --rate with --duration"]),
        (["local", "load", "--rate", "5"], ["give --file, or --rate with --duration"]),
        (
            ["local", "load", "--file", "/none.jsonl"],
            ["/none.jsonl cannot be read", "cutover local generate"],
        ),
        (["local", "load", "--file", "/"], ["/ cannot be read: Is a directory"]),
        (["local", "load", "--file", "Makefile", "--duration", "5"], ["a file ends by itself"]),
        (["local", "load", "--file", "Makefile"], ["no local AWS runs", "cutover local up"]),
        (["local", "reset"], ["no local AWS runs"]),
        (["local", "generate", "--count", "1", "--out", "/none/file"], ["/none/file cannot be written"]),
        (["ledger", "check"], ["no acknowledgement ledger", "cutover local load"]),
        (["ledger", "check", "--ledger", "Makefile"], ["Makefile is not an acknowledgement ledger"]),
        (["demo", "--file", "/dev/null"], ["/dev/null holds no activities", "cutover local generate"]),
        (["demo", "--file", "/none.jsonl"], ["/none.jsonl cannot be read", "cutover local generate"]),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_remedy(arguments: Sequence[str], texts: Sequence[str]) -> None:
    refused(run(*arguments), *texts)


def test_outside_of_a_project_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    refused(run("local", "status"), "no Pulumi.yaml")


@pytest.mark.parametrize(
    "arguments", [["local", "up", "--phase", "sideways"], ["local", "load", "--rate", "-1"]]
)
def test_a_wrong_value_is_a_usage_error(arguments: Sequence[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_status_of_nothing_is_an_answer() -> None:
    table, text = run("local", "status"), run("local", "status", "--output", "json")
    assert (table.exit_code, table.stdout) == (0, "The local AWS is not running.\n")
    assert json.loads(text.stdout) == {
        "schema_version": 1,
        "state": "down",
        "next_steps": ["cutover local up"],
    }


def test_down_can_be_repeated() -> None:
    assert [run("local", "down").exit_code for _ in range(2)] == [0, 0]


def test_generate_writes_the_same_bytes_to_a_file_and_to_stdout(tmp_path: Path) -> None:
    arguments = ["local", "generate", "--count", "50", "--seed", "3", "--now", "2026-03-01T09:30:00Z"]
    out = tmp_path / "activities.jsonl"
    command = [sys.executable, "-m", "migration.cli.main", *arguments]
    printed = subprocess.run(command, capture_output=True, check=True)
    result = run(*arguments, "--out", str(out))
    assert result.exit_code == 0
    assert result.stdout == ""
    assert printed.stdout == out.read_bytes()
    assert printed.stdout.count(b"\n") == 50


def test_help_is_quick_because_pulumi_and_the_local_aws_are_not_imported() -> None:
    code = (
        "import sys; from migration.cli.main import app; app(['--help'], standalone_mode=False);"
        "print([name for name in ('pulumi', 'ministack') if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_no_colour_where_it_is_not_wanted() -> None:
    environment = {**os.environ, "NO_COLOR": "1", "FORCE_COLOR": ""}
    command = [sys.executable, "-m", "migration.cli.main", "ledger", "check"]
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert done.returncode == 2
    assert b"\x1b" not in done.stderr


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (UsageError, 2),
        (CredentialsError, 3),
        (RemoteError, 4),
        (GuardrailError, 10),
        (ConflictError, 12),
        (IntegrityError, 1),
    ],
)
def test_each_kind_of_error_has_its_exit_code(
    kind: type[CutoverError], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        raise kind("it went wrong", hint="mend it", next_command="cutover local status")

    monkeypatch.setattr("migration.cli.local.local.Workspace.find", fails)
    result = run("local", "status")
    assert result.exit_code == code
    assert result.stderr == "error: it went wrong\nhint:  mend it\nnext:  cutover local status\n"


def test_an_interrupt_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("migration.cli.local.local.Workspace.find", interrupted)
    assert run("local", "status").exit_code == 130
