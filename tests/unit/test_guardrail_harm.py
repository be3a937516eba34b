"""Legacy is held against itself: what the migration does to it is seen, and never moves clients there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migration.door.counts import Role
from migration.guardrails.harm import LegacyErrors
from migration.guardrails.rates import ErrorRate
from migration.guardrails.vital import VitalLook
from migration.model.guardrails import Outcome
from migration.model.stages import Control, Stage
from migration.model.state import State
from tests.doubles.clock import MemoryClock
from tests.doubles.vitals import MemoryVitals
from tests.guarding_world import NOW, answers, door, guardrail, verdict

if TYPE_CHECKING:
    from migration.door.counts import DoorCounts
    from migration.model.guardrails import GuardrailVerdict


def look(one: LegacyErrors, stage: Stage, epoch: int, *counts: DoorCounts) -> GuardrailVerdict:
    state = State(Control(stage, epoch=epoch))
    return one.verdict(VitalLook(MemoryVitals(doors=list(counts)), state, MemoryClock(NOW)))


def test_a_legacy_that_is_made_worse_is_seen_where_the_comparison_passes() -> None:
    """A quarter of the requests was refused beside the mirror, and the pipeline was no worse."""
    counts = [door(legacy=answers(1_500, 370), pipeline=answers(1_500, 300))]
    assert verdict(guardrail(ErrorRate), counts).outcome is Outcome.PASS
    found = verdict(guardrail(LegacyErrors), counts)
    assert (found.outcome, found.rolls_back) == (Outcome.FAIL, False)
    assert found.why == "ingest: legacy failed 370 of 1,500, held against the plan's limit (margin 2.0%)"


@pytest.mark.parametrize(("errors", "outcome"), [(4, Outcome.PASS), (60, Outcome.FAIL)])
def test_it_is_held_against_what_it_came_to_before(errors: int, outcome: Outcome) -> None:
    one = guardrail(LegacyErrors, error_rate=0.05)
    assert look(one, Stage.SHADOW, 3, door(legacy=answers(1_000, 30), epoch=3)).outcome is Outcome.PASS
    found = look(one, Stage.LIVE, 4, door(legacy=answers(300, errors), epoch=4))
    assert found.outcome is outcome
    assert "30 of 1,000 before the reverse mirror began (margin 1.0%)" in found.why


def test_what_was_bad_already_is_no_measure() -> None:
    one = guardrail(LegacyErrors)
    assert look(one, Stage.SHADOW, 3, door(legacy=answers(1_000, 300), epoch=3)).outcome is Outcome.FAIL
    found = look(one, Stage.LIVE, 4, door(legacy=answers(1_000, 300), epoch=4))
    assert (found.outcome, "the plan's limit" in found.why) == (Outcome.FAIL, True)


def test_a_fault_that_comes_late_is_seen() -> None:
    one, now = guardrail(LegacyErrors), NOW
    good = door(legacy=answers(20_000, 40))
    for _ in range(4):
        now += 6
        assert verdict(one, [good], now).outcome is Outcome.PASS
    assert verdict(one, [door(legacy=answers(20_200, 90))], now + 6).outcome is Outcome.FAIL


def test_boards_and_activities_are_told_apart() -> None:
    counts = [
        door(legacy=answers(100_000)),
        door(legacy=answers(200, 60), instance="b", role=Role.SERVE),
    ]
    assert verdict(guardrail(LegacyErrors), counts).outcome is Outcome.FAIL


def test_nothing_seen_is_no_pass_and_nobody_there_is() -> None:
    one = guardrail(LegacyErrors)
    assert verdict(one, []).outcome is Outcome.INCONCLUSIVE
    found = verdict(one, [door(pipeline=answers(50))])
    assert (found.outcome, found.why) == (Outcome.PASS, "legacy answers nobody by this epoch")
