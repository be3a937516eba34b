"""A shadow report: what hours of comparisons come to, what the command prints, and how it exits."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from migration.cli.compare import shadow as command
from migration.cli.compare.shadow_view import bars
from migration.cli.compare.since import since_text
from migration.cli.main import app
from migration.compare.reasons import Judgement
from migration.compare.shadow.report import ShadowReport, spread
from migration.model.errors import UsageError
from migration.wiring.workspace import Workspace
from tests.doubles.comparing import MemoryComparisons
from tests.shadow_world import BEGAN, Story, comparisons

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

    Run = Callable[..., Result]


def report(story: Story | None = None) -> ShadowReport:
    return ShadowReport("test", "activities", comparisons(story=story))


def test_what_was_repaired_since_passes_and_what_is_still_to_repair_does_not() -> None:
    repaired = report()
    assert repaired.having[Judgement.TO_REPAIR] == 11
    assert (repaired.judgement, repaired.passes) == (Judgement.EXPLAINED, True)
    still = report(Story(hours=2, missed=range(100, 120)))
    assert (still.judgement, still.passes) == (Judgement.TO_REPAIR, False)


def test_what_was_ever_unexplained_does_not_pass() -> None:
    found = report(Story(unexplained=range(90, 93)))
    assert found.comparisons[-1].judgement is Judgement.EXPLAINED
    assert (found.judgement, found.passes) == (Judgement.UNEXPLAINED, False)
    worst = found.differences[0]
    assert (worst.latest.judgement, worst.times, worst.latest.employee_id) == (
        Judgement.UNEXPLAINED,
        3,
        "edsger",
    )


def test_a_difference_is_told_once_with_when_and_how_often_it_was_seen() -> None:
    found = report()
    keys = [(one.latest.board, one.latest.employee_id, one.latest.judgement) for one in found.differences]
    assert len(keys) == len(set(keys))
    ada = next(one for one in found.differences if one.latest.employee_id == "ada")
    doubled = [one for one in found.comparisons if any("ev-00000000" in d.why for d in one.differences)]
    assert (ada.times, ada.first, ada.last) == (len(doubled), doubled[0].at, doubled[-1].at)


def test_times_without_comparisons_are_gaps() -> None:
    (gap,) = report().gaps
    assert gap.seconds == pytest.approx(22 * 60, abs=5)
    assert report(Story(hours=1)).gaps == []


def test_a_point_of_a_plot_has_the_worst_of_what_it_stands_for() -> None:
    found = report()
    points = found.moments(20)
    assert len(points) == 20
    assert sum(point.comparisons for point in points) == len(found.comparisons)
    first = found.comparisons[: points[0].comparisons]
    overlap = points[0].agreements["global"]["legacy, pipeline"][1]
    assert overlap == min(one.boards[0].agreements["legacy, pipeline"].rank_biased for one in first)
    assert points[0].ages_s[0] == max(one.legacy.age_s or 0 for one in first)
    assert len(found.moments(10_000)) == len(found.comparisons)


def test_spreads_are_of_what_was_measured() -> None:
    measured = spread([3.0, None, 1.0, 2.0])
    assert measured is not None
    assert (measured.low, measured.median, measured.p95, measured.high, measured.last) == (1, 2, 3, 3, 2)
    assert spread([None]) is None
    found = report()
    assert found.failed_serves[1] == 0
    assert found.failed_serves[0] == sum(one.legacy.latency_ms is None for one in found.comparisons) > 0


def test_bars_show_the_course() -> None:
    assert bars([0.0, 3.5, 7.0, None, 7.0], 0.0) == "▁▅█ █"
    assert bars([0, 0], 0.0) == "▁▁"
    assert bars([5.0, 5.0]) == "██"
    assert bars([None]) == " "


def test_since_is_a_duration_or_a_time() -> None:
    now = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    assert since_text("90m", now) == "2026-03-02T08:00:00.000Z"
    assert since_text("2d", now) == "2026-02-28T09:30:00.000Z"
    assert since_text("2026-03-01T10:00+01:00", now) == "2026-03-01T09:00:00.000Z"
    assert since_text("2026-03-01", now) == "2026-03-01T00:00:00.000Z"
    with pytest.raises(UsageError, match="--since is 'soon'"):
        since_text("soon", now)


@pytest.fixture
def recorded() -> MemoryComparisons:
    kept = MemoryComparisons()
    for one in comparisons():
        kept.add(one, BEGAN)
    return kept


@pytest.fixture
def run(recorded: MemoryComparisons, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    between = SimpleNamespace(control_table="control", comparator_function="comparator")
    answers: list[dict[str, Any]] = [{"compared": False, "why": "the stage is off"}]
    functions = SimpleNamespace(
        invoke=lambda **_: {"Payload": BytesIO(json.dumps(answers.pop()).encode())}, answers=answers
    )
    outputs = SimpleNamespace(stack="test", phase="expand", migration=between)
    stack = SimpleNamespace(outputs=outputs, clients=SimpleNamespace(functions=functions))
    workspace = SimpleNamespace(root=tmp_path, deployed={"local": stack}.__getitem__)
    monkeypatch.setattr(Workspace, "find", lambda: workspace)
    monkeypatch.setattr(command, "comparisons_of", lambda _stack, _migration: recorded)
    monkeypatch.setattr("migration.cli.console.data._width", 200)

    def invoke(*arguments: str, answer: dict[str, Any] | None = None) -> Result:
        if answer is not None:
            answers.append(answer)
        return CliRunner().invoke(app, ["shadow", *arguments])

    return invoke


def test_hours_are_shown_and_pass(run: Run) -> None:
    result = run("report", "--since", "2026-03-01T00:00Z")
    assert result.exit_code == 0, result.output
    assert "459 comparisons in 8.0 h: nothing unexplained." in result.stderr
    assert "legacy counted a retry again" in result.stdout
    assert "▇" in result.stdout


def test_unexplained_ends_with_1_and_says_what_to_run(run: Run, recorded: MemoryComparisons) -> None:
    for one in comparisons(story=Story(unexplained=range(90, 93))):
        recorded.add(one, BEGAN)
    result = run("report", "--since", "2026-03-01", "--output", "json")
    assert result.exit_code == 1
    fields = json.loads(result.stdout)
    assert fields["schema_version"] == 1
    assert fields["comparisons_with"]["unexplained"] == 3
    assert "cutover verify" in fields["next_steps"]


def test_since_leaves_out_what_was_before(run: Run) -> None:
    fields = json.loads(run("report", "--since", "2026-03-02T03:30Z", "--output", "json").stdout)
    assert fields["comparisons"] == 60
    assert fields["first"] >= "2026-03-02T03:30"


def test_no_comparisons_are_an_error_that_says_how_to_get_some(run: Run) -> None:
    result = run("report", "--since", "2026-03-03")
    assert result.exit_code == 2
    assert "cutover shadow compare" in result.stderr


def test_a_page_is_written(run: Run, tmp_path: Path) -> None:
    assert run("report", "--since", "2026-03-01", "--html", str(tmp_path / "s.html")).exit_code == 0
    assert "<title>Shadow report of test" in (tmp_path / "s.html").read_text(encoding="utf-8")


def test_hostile_ids_print_as_they_are(run: Run, recorded: MemoryComparisons) -> None:
    one = comparisons()[-1]
    named = replace(one.differences[0], employee_id="[bold red]x[/]")
    recorded.kept.clear()
    recorded.add(replace(one, differences=(named,)), BEGAN)
    assert "[bold red]x[/]" in run("report", "--since", "2026-03-01").stdout


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (None, 2, "nothing was compared: the stage is off"),
        (
            {"compared": True, "at": "T", "judgement": "explained", "differences": {"explained": 2}},
            0,
            "2 explained",
        ),
        (
            {"compared": True, "at": "T", "judgement": "unexplained", "differences": {"unexplained": 1}},
            1,
            "1 unexpl",
        ),
    ],
)
def test_compare_now_says_what_was_found(
    run: Run, answer: dict[str, Any] | None, code: int, said: str
) -> None:
    result = run("compare", answer=answer)
    assert result.exit_code == code
    assert said in result.stderr
