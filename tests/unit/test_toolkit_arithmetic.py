"""Percentiles and arrivals: small arithmetic that reports rest on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from migration.load.arrivals import BURST_PERIOD_S, Profile, arrivals
from migration.model.percentiles import Percentiles, percentiles


def test_percentiles_are_measured_values_by_nearest_rank() -> None:
    assert percentiles([float(value) for value in range(100, 0, -1)]) == Percentiles(50.0, 90.0, 99.0, 100.0)
    assert percentiles([3.0]) == Percentiles(3.0, 3.0, 3.0, 3.0)
    assert percentiles([1.0, 2.0]) == Percentiles(1.0, 2.0, 2.0, 2.0)
    assert percentiles([]) is None


def test_a_steady_rate_spreads_arrivals_evenly() -> None:
    assert arrivals(4, timedelta(seconds=1), Profile.STEADY) == [0.0, 0.25, 0.5, 0.75]
    assert arrivals(0.5, timedelta(seconds=1), Profile.STEADY) == []


def test_a_burst_keeps_the_count_and_puts_most_into_a_fifth_of_the_time() -> None:
    moments = arrivals(100, timedelta(seconds=20), Profile.BURST)
    assert len(moments) == 2_000
    assert moments == sorted(moments)
    early = [moment for moment in moments if moment % BURST_PERIOD_S < BURST_PERIOD_S / 5]
    assert len(early) == pytest.approx(1_600, abs=10)
