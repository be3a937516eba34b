"""The demo stretches its limits on a slow machine, and gives up with the guardrail's last word."""

from __future__ import annotations

import pytest

from migration.cli.demo import pace
from migration.cli.demo.pace import LONGEST, REFERENCE_MS, Pace, StepDeadline
from migration.cutover.action import Action
from migration.cutover.course import Step
from migration.cutover.looks import Hold, Look, Waits
from migration.load.report import LoadReport
from migration.model.errors import GuardrailError, IntegrityError
from migration.model.percentiles import percentiles
from migration.model.side import Side
from migration.model.state import State

STEP = Step("writes 25 %", Action.MOVE)


def load(*waited_ms: float) -> LoadReport:
    return LoadReport(Side.LEGACY, 1, 1, 0, 0, 0, 0, {}, {}, percentiles(waited_ms), 1.0, 1.0)


def test_limits_are_as_they_are_until_the_machine_is_clearly_slow() -> None:
    assert Pace.of([load(REFERENCE_MS * 1.4)]).seconds(4.0) == 4.0
    assert Pace.of([load(REFERENCE_MS / 3)]).seconds(4.0) == 4.0
    assert Pace.of([]).seconds(4.0) == 4.0
    assert Pace.of([load(REFERENCE_MS * 3)]).seconds(4.0) == 12.0
    assert Pace.of([load(REFERENCE_MS * 50)]).stretch == LONGEST
    assert not Pace(1.4).told()
    assert "3.0 times slower" in Pace(3.0).told()


def test_a_failure_is_the_machines_only_where_that_is_slow() -> None:
    slow = Pace(3.0).failed("rolled back: lag failed")
    assert isinstance(slow, GuardrailError)
    assert slow.exit_code == 10
    assert "too slow" in str(slow)
    assert "lag failed" in str(slow)
    assert isinstance(Pace(1.0).failed("rolled back: lag failed"), IntegrityError)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    seconds = [100.0]
    monkeypatch.setattr(pace, "monotonic", lambda: seconds[0])
    return seconds


def look(step: Step = STEP, hold: Hold | None = None) -> Look:
    return Look(State(), step, hold)


def test_who_stands_too_long_before_a_step_is_given_up_whatever_is_done_meanwhile(now: list[float]) -> None:
    deadline = StepDeadline(Pace(3.0), 60.0)
    held = Hold(Waits.GUARDRAIL, "mirror_lag: fail, 193 facts did not get fewer")
    for hold in (held, Hold(Waits.WORK, "everything is compared again"), None):
        deadline.seen(look(hold=hold))
        now[0] += 25
    with pytest.raises(GuardrailError, match="writes 25 % was not reached in 60 s: mirror_lag: fail, 193"):
        deadline.seen(look(hold=Hold(Waits.WORK, "everything is compared again")))


def test_each_step_and_a_long_backfill_have_time_of_their_own(now: list[float]) -> None:
    deadline = StepDeadline(Pace(3.0), 60.0)
    for step in (STEP, Step("writes 100 %", Action.MOVE), *[Step("backfill", Action.BACKFILL)] * 3):
        deadline.seen(look(step=step))
        now[0] += 50
