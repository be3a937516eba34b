"""The fillers refuse a ministack that they were not written for, and the documentation names each of them."""

from __future__ import annotations

import queue
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from migration.local.emulator import gaps
from migration.local.emulator.gaps import expressions, seam, worker_log

GAPS = Path(gaps.__file__).parent
DOCS = GAPS.parents[3] / "docs" / "local-aws.md"
MARK = worker_log._MARK


def test_another_version_of_ministack_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    seam.require_version()
    monkeypatch.setattr(seam, "version", lambda _: "1.5.34")
    with pytest.raises(seam.DriftError, match=r"installed is 1\.5\.34"):
        seam.require_version()


def test_a_private_function_that_is_gone_is_refused() -> None:
    module = SimpleNamespace(__name__="sqs")
    with pytest.raises(seam.DriftError, match=r"no sqs\._collect_msgs"):
        seam.replace(module, "_collect_msgs", lambda there: there)


@pytest.mark.parametrize("text", ["nothing of it", "old and old"])
def test_program_text_that_changed_is_refused(text: str) -> None:
    module = SimpleNamespace(__name__="runtime", SCRIPT=text)
    with pytest.raises(seam.DriftError, match="exactly one 'old'"):
        seam.rewrite(module, "SCRIPT", "old", "new")
    assert text == module.SCRIPT


def printed(*lines: str) -> queue.Queue[str]:
    filled: queue.Queue[str] = queue.Queue()
    for line in lines:
        filled.put(line)
    return filled


def test_output_ends_at_the_mark() -> None:
    assert worker_log._lines_before_the_mark(printed(MARK)) == ""
    assert worker_log._lines_before_the_mark(printed("a", "", "b", MARK)) == "a\n\nb"
    assert worker_log._lines_before_the_mark(printed("no line break" + MARK)) == "no line break"


def test_output_of_a_worker_that_died_ends_with_silence() -> None:
    assert worker_log._lines_before_the_mark(printed("a", "b")) == "a\nb"


def test_a_mark_that_came_too_late_does_not_end_the_next_output() -> None:
    lines = printed("a")
    assert worker_log._lines_before_the_mark(lines) == "a"
    for line in ("late", MARK, "b", MARK):
        lines.put(line)
    assert worker_log._lines_before_the_mark(lines) == "late\nb"


def test_the_documentation_names_every_filler() -> None:
    modules = {path.stem for path in GAPS.glob("*.py")} - {"__init__", "seam"}
    named = set(re.findall(r"`gaps/(\w+)\.py`", DOCS.read_text())) - {"__init__"}
    assert named == modules


def test_every_test_that_the_documentation_names_exists() -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", DOCS.read_text()))
    assert named
    assert {name for name in named if f"def {name}(" not in tests} == set()


def test_a_text_is_split_once_and_nobody_changes_what_is_kept() -> None:
    asked: list[str] = []

    def split(text: str) -> list[str]:
        asked.append(text)
        return text.split()

    kept = expressions._split_once(split)
    kept("a = :a").clear()
    assert kept("a = :a") == ["a", "=", ":a"]
    assert kept("b = :b") == ["b", "=", ":b"]
    assert asked == ["a = :a", "b = :b"]
