"""Whose lease may be taken early: only a process of which it is proven that it is no more."""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from migration.model.state import Lease
from migration.wiring import process
from migration.wiring.process import is_gone, process_mark, worker_name

if TYPE_CHECKING:
    from pathlib import Path

MARK = process_mark()
ME = Lease(worker_name(), 1, 0.0, MARK)
SHOW = (
    "import os; from migration.wiring.process import process_mark, worker_name;"
    " print(worker_name()); print(process_mark())"
)
needs_proc = pytest.mark.skipif(not MARK, reason="this system has no /proc that tells")


def ended() -> Lease:
    """A process that was, and is waited for: its number is free."""
    said = subprocess.run([sys.executable, "-c", SHOW], check=True, capture_output=True, text=True).stdout
    holder, mark = said.splitlines()
    return Lease(holder, 1, 0.0, mark)


@needs_proc
def test_who_lives_is_not_gone_and_who_ended_is() -> None:
    assert not is_gone(ME)
    assert is_gone(ended())


@needs_proc
def test_a_number_that_another_process_has_by_now_is_no_life() -> None:
    surroundings, _, started = MARK.rpartition(" ")
    assert is_gone(replace(ME, process=f"{surroundings} {int(started) - 1}"))


@needs_proc
@pytest.mark.parametrize("part", [0, 1])
def test_without_the_same_boot_and_namespace_nobody_is_known_to_be_gone(part: int) -> None:
    """Another host, a reboot, or another container that has the same name."""
    gone = ended()
    words = gone.process.split(" ")
    words[part] = words[part][::-1]
    assert not is_gone(replace(gone, process=" ".join(words)))


def test_a_lease_that_says_nothing_of_its_process_ends_by_its_time() -> None:
    assert not is_gone(Lease(f"ana@{os.uname().nodename}:999999999", 1, 0.0))
    assert not is_gone(Lease("watchdog", 1, 0.0, MARK))


def test_a_system_that_does_not_tell_has_no_mark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(process, "_PROC", tmp_path)
    assert process_mark() == ""
    assert not is_gone(ME)


@pytest.mark.parametrize("error", [KeyError("getpwuid(): uid not found: 12345"), OSError("No username set")])
def test_a_user_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def nobody() -> str:
        raise error

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert worker_name().startswith(f"uid-{os.getuid()}@")
