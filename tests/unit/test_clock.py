"""The operator's clock: whatever it says, ages are told by AWS's."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from migration.aws.transport.clients import connect, date_of
from migration.aws.transport.clock import AWS_TIME, TOLD_FROM_S, AwsTime, SystemClock, asked

TRUE = 1_772_357_400.0
waits = st.floats(0, 3)


def answered(clock: AwsTime, off_s: float, at: float, there_s: float = 0.0, back_s: float = 0.0) -> None:
    """Have AWS answer at a true time to a machine that is off by so much."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", lambda: at - there_s + off_s)
        patch.setattr(time, "monotonic", lambda: 7.0)
        question = asked()
        patch.setattr(time, "time", lambda: at + back_s + off_s)
        patch.setattr(time, "monotonic", lambda: 7.0 + there_s + back_s)
        clock.dated(formatdate(int(at), usegmt=True), question)


@given(off_s=st.floats(-4_000, 4_000), at=st.floats(TRUE, TRUE + 10), there=waits, back=waits)
def test_after_one_answer_it_is_right_to_the_second_and_the_way(
    off_s: float, at: float, there: float, back: float
) -> None:
    clock = AwsTime()
    answered(clock, off_s, at, there, back)
    assert abs(off_s + clock.shift_s) <= 1 + there + back + 1e-6


@given(st.lists(st.tuples(st.floats(TRUE, TRUE + 99), waits, waits), min_size=1))
def test_a_clock_that_is_right_is_left_alone(answers: list[tuple[float, float, float]]) -> None:
    clock = AwsTime()
    for at, there, back in answers:
        answered(clock, 0.0, at, there, back)
    assert clock.shift_s == pytest.approx(0, abs=1e-6)


@given(st.lists(st.floats(-4_000, 4_000), min_size=1))
def test_a_clock_that_jumps_is_set_right_by_the_next_answer(jumps: list[float]) -> None:
    clock = AwsTime()
    for number, off_s in enumerate(jumps):
        answered(clock, off_s, TRUE + 60 * number, 0.1, 0.1)
        assert abs(off_s + clock.shift_s) <= 1.2 + 1e-6


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Foo 2026"])
def test_an_answer_without_a_readable_date_says_nothing(date: str) -> None:
    clock = AwsTime()
    clock.dated(date, asked())
    assert clock.shift_s == 0


@given(slept_s=st.floats(0, 4_000), counted=st.booleans())
def test_a_machine_that_sleeps_while_an_answer_comes_is_not_thought_to_be_off(
    slept_s: float, counted: bool
) -> None:
    """A function is frozen between two requests, and a laptop is closed: one of the clocks stands still."""
    clock = AwsTime()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", lambda: TRUE)
        patch.setattr(time, "monotonic", lambda: 7.0)
        question = asked()
        patch.setattr(time, "time", lambda: TRUE + slept_s)
        patch.setattr(time, "monotonic", lambda: 7.0 + slept_s * counted)
        clock.dated(formatdate(int(TRUE), usegmt=True), question)
    assert clock.shift_s == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("off_s", "said"), [(-600.0, "behind"), (600.0, "ahead of"), (1.0, "")])
def test_a_clock_that_is_off_is_said_once(off_s: float, said: str) -> None:
    told: list[str] = []
    clock = AwsTime(tell=told.append)
    for number in range(3):
        answered(clock, off_s, TRUE + number)
    assert [said in one for one in told] == [True] * bool(said)
    assert TOLD_FROM_S > 1


@pytest.mark.parametrize("off_s", [-600.0, 0.0, 3_600.0])
@mock_aws
def test_the_first_age_is_not_judged_before_an_answer(off_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    client = connect("us-east-1").dynamodb
    monkeypatch.setattr(time, "time", lambda: real() + off_s)
    monkeypatch.setattr(AWS_TIME, "ask", lambda: date_of(client))
    assert abs(SystemClock().now() - real()) < 3
