"""The demo as a person runs it, and a stack's life around it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from migration.cli.demo.demo import make_room
from migration.load.activities import generate
from migration.wiring.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    assert cutover(tmp_path / "home", "local", "down").returncode == 0


def cutover(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "migration.cli.main", *arguments],
        cwd=ROOT,
        env={**os.environ, "CUTOVER_HOME": str(home), "NO_COLOR": "1", "COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def told_by(home: Path, *arguments: str) -> Any:
    answer = cutover(home, *arguments, "--output", "json")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return json.loads(answer.stdout)


def state(home: Path) -> str:
    return str(told_by(home, "local", "status")["state"])


def test_the_demo_moves_everything_and_what_it_leaves_proves_it_again(home: Path) -> None:
    file = home.parent / "mine.jsonl"
    file.write_bytes(b"".join(line + b"\n" for line in generate(150, 7, datetime.now(UTC))) + b"not json\n")
    told = cutover(home, "demo", "--file", str(file), "--keep")
    assert told.returncode == 0, told.stdout + told.stderr
    for heading in ("1  Legacy", "2  Expand", "3  Cut over", "4  Again", "5  Complete", "6  Proof"):
        assert f"\n{heading}  " in told.stdout
    for fault in ("the forward mirror's answers drip in", "the pipe stops delivering facts"):
        assert f"⚡ fault injected: {fault}" in told.stderr
    contended = re.search(r"^ refused, and made again +([\d,]+) *$", told.stdout, re.MULTILINE)
    assert contended is not None
    assert int(contended[1].replace(",", "")) > 0, "nothing contended"
    assert "✓ The fault was caught and rolled back by itself" in told.stdout
    assert "✓ pipeline is exact" in told.stdout
    for number in ("failed requests", "lost", "doubled"):
        assert re.search(rf"^ {number} +0 *$", told.stdout, re.MULTILINE)
    assert "\x1b" not in told.stdout + told.stderr
    assert "Traceback" not in told.stderr

    certificate = cutover(home, "certificate", "check", str(home / "certificate.html"))
    assert "final" in certificate.stdout + certificate.stderr, certificate.stderr
    assert certificate.returncode == 0
    assert cutover(home, "ledger", "check").returncode == 0
    assert told_by(home, "shadow", "report")["comparisons"]
    moves = told_by(home, "journal", "--kind", "done", "--newest", "0")
    steps = [one["step"] for one in moves["entries"]]
    back = steps.index("rollback")
    assert steps[:back][-1] == "writes 25 %"
    assert steps[back:][:2] == ["rollback", "resume"]
    assert steps[-2:] == ["rampdown", "complete"]

    assert told_by(home, "status")["next_steps"][-1] == "cutover local up --phase contract"
    assert cutover(home, "local", "up", "--phase", "contract", "--yes").returncode == 0
    over = told_by(home, "status")
    assert (over["stage"], over["write_percent"], over["read_percent"]) == ("complete", 100, 100)
    assert over["next_steps"] == ["cutover certificate"]
    assert told_by(home, "doctor")["healthy"]
    assert told_by(home, "verify")["clean"]
    for moving in (("run", "--yes"), ("rollback", "--yes"), ("diff",)):
        refused = cutover(home, *moving)
        assert (refused.returncode, "next:  cutover certificate" in refused.stderr) == (2, True)
    assert cutover(home, "certificate").returncode == 0

    # Kept is not for ever: the next demo takes it down.
    make_room(Workspace(ROOT, home))
    assert state(home) == "down"


def test_the_demo_never_throws_a_persons_own_stack_away(home: Path) -> None:
    assert cutover(home, "local", "up", "--phase", "legacy").returncode == 0
    refused = cutover(home, "demo")
    assert refused.returncode == 2
    assert "nothing was changed" in refused.stderr
    assert state(home) == "up"


def test_a_stacks_life_phase_by_phase(home: Path) -> None:
    preview = cutover(home, "local", "preview", "--phase", "legacy")
    assert preview.returncode == 0, preview.stderr
    assert "to create" in preview.stdout
    assert state(home) == "down"

    assert "created" in cutover(home, "local", "up", "--phase", "legacy").stderr
    assert cutover(home, "local", "load", "--rate", "20", "--duration", "1", "--seed", "7").returncode == 0
    assert (
        cutover(home, "local", "load", "--rate", "1", "--duration", "1", "--to", "pipeline").returncode == 2
    )

    assert cutover(home, "local", "up", "--phase", "expand").returncode == 0
    assert cutover(home, "local", "load", "--rate", "20", "--duration", "1", "--seed", "8").returncode == 0

    asked = cutover(home, "local", "up", "--phase", "contract")
    assert asked.returncode == 2
    assert "--yes" in asked.stderr
    assert cutover(home, "local", "up", "--phase", "contract", "--yes").returncode == 0
    assert list(told_by(home, "ledger", "check")["sides"]) == ["pipeline"]

    assert cutover(home, "local", "reset", "--yes").returncode == 0
    assert not (home / "ledger.jsonl").exists()
    assert state(home) == "up"
