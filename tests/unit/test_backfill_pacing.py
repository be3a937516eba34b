"""How fast a backfill writes: what slows it down, what it says about that, and that the rate really holds."""

from __future__ import annotations

import pytest

from migration.backfill.pacer import Pacer
from migration.backfill.pacing import FLOOR, START, PaceLimits, PaceSigns, WritePace
from migration.model.facts import Spent
from migration.model.live_lane import LiveState
from tests.doubles.backfill import MemoryLiveLane
from tests.doubles.clock import MemoryClock

QUIET = PaceSigns()
LIMITS = PaceLimits(latency_ms=100, queued=1_000, lag_s=60)


def test_it_starts_slowly_and_speeds_up_to_the_ceiling() -> None:
    pace = WritePace.begin(1_000)
    assert pace.rate == 1_000 * START
    rates = [(pace := pace.after(QUIET, LIMITS)).rate for _ in range(30)]
    assert rates == sorted(rates)
    assert (pace.rate, pace.reason) == (1_000, "at the ceiling of 1,000 write units/s")


@pytest.mark.parametrize(
    ("signs", "reason"),
    [
        (PaceSigns(retries=3), "DynamoDB throttled or failed 3 writes"),
        (PaceSigns(latency_ms=101), "a write takes 101 ms (limit 100)"),
        (PaceSigns(queued=1_001), "1,001 live messages are queued (limit 1,000)"),
        (PaceSigns(lag_s=61), "the live lane is 61 s behind (limit 60)"),
        (
            PaceSigns(retries=1, queued=5_000),
            "DynamoDB throttled or failed 1 writes; 5,000 live messages are queued (limit 1,000)",
        ),
    ],
)
def test_every_sign_of_trouble_halves_the_rate_and_is_named(signs: PaceSigns, reason: str) -> None:
    pace = WritePace(1_000, 800, "").after(signs, LIMITS)
    assert (pace.rate, pace.reason) == (400, f"held back: {reason}")


@pytest.mark.parametrize("signs", [PaceSigns(latency_ms=100), PaceSigns(queued=1_000), PaceSigns(lag_s=60)])
def test_at_its_limit_a_sign_is_no_trouble(signs: PaceSigns) -> None:
    assert WritePace(1_000, 800, "").after(signs, LIMITS).reason == "speeding up"


def test_lasting_trouble_never_stops_it_and_its_end_is_noticed() -> None:
    pace = WritePace(1_000, 800, "")
    for _ in range(50):
        pace = pace.after(PaceSigns(retries=1), LIMITS)
    assert pace.rate == 1_000 * FLOOR
    assert pace.after(QUIET, LIMITS).rate > pace.rate


def test_a_lower_ceiling_holds_at_once_and_a_higher_one_is_grown_into() -> None:
    pace = WritePace(1_000, 1_000, "")
    assert pace.under(100).rate == 100
    assert pace.under(5_000).rate == 1_000


def pacer(rate: float, state: LiveState | None = None) -> Pacer:
    return Pacer(MemoryClock(), MemoryLiveLane(state or LiveState()), WritePace(1_000, rate, ""), LIMITS)


@pytest.mark.parametrize("units", [1.0, 3.0])
def test_writes_take_as_long_as_their_units_allow(units: float) -> None:
    held = pacer(50)
    began = held.clock.elapsed()
    for _ in range(100):
        held.spend(lambda: (None, Spent(units)))
    # The first goes at once, and the last one's units beyond the first hold back only what follows.
    assert held.clock.elapsed() - began == pytest.approx((99 * units) / 50, rel=0.01)
    assert held.units == 100 * units


def test_what_writes_met_decides_the_next_pace_and_is_forgotten_then() -> None:
    held = pacer(100)
    held.look(1_000)
    held.spend(lambda: (None, Spent(1, 0.01, retries=2)))
    assert held.look(1_000).reason == "held back: DynamoDB throttled or failed 2 writes"
    assert held.look(1_000).reason == "speeding up"
    held.spend(lambda: (None, Spent(1, 0.1)))
    held.spend(lambda: (None, Spent(1, 0.5)))
    assert held.look(1_000).reason == "held back: a write takes 300 ms (limit 100)"


def test_the_live_lanes_lag_counts_only_while_something_is_queued() -> None:
    now = MemoryClock().now()
    behind, idle = LiveState(5, now - 90), LiveState(0, now - 90)
    held = pacer(100, behind)
    held.look(1_000)
    assert held.look(1_000).reason == "held back: the live lane is 90 s behind (limit 60)"
    assert idle.lag_s(now) == LiveState(5, None).lag_s(now) == 0
    assert behind.lag_s(now) == 90


def test_it_looks_once_a_second() -> None:
    held = pacer(100)
    assert held.due()
    held.look(1_000)
    assert not held.due()
    held.clock.sleep(1)
    assert held.due()
