"""The estimate before a backfill, and the layout that reconciling writes legacy in."""

from __future__ import annotations

from datetime import timedelta

import pytest

from migration.backfill.estimate import ONE_PROCESS_PER_S, TableSize, estimate, is_better_elsewhere, too_late
from migration.model.errors import UsageError
from migration.model.legacy.layout import ConstantText, LegacyEvents, LegacyPlan, LegacyProgramProgress


def test_a_million_small_events_cost_a_write_unit_each() -> None:
    needed = estimate(TableSize(1_000_000, 200_000_000), 50_000, 100, 500)
    assert (needed.copy_units, needed.rows, needed.install_units) == (1_000_000, 100_100, 300_100)
    assert needed.duration == timedelta(seconds=2_601)
    assert needed.dollars == pytest.approx(0.83, abs=0.05)


def test_a_large_item_costs_more_and_one_process_is_a_ceiling_too() -> None:
    needed = estimate(TableSize(1_000, 2_000_000), 0, 0, 1e9)
    assert (needed.copy_units, needed.per_s) == (3_000, ONE_PROCESS_PER_S)


def test_functions_copy_faster_and_exports_take_and_cost_something() -> None:
    size = TableSize(1_000_000_000, 200_000_000_000)
    here, there = (estimate(size, 10_000_000, 1_000, 40_000, functions) for functions in (0, 100))
    assert (here.per_s, there.per_s) == (ONE_PROCESS_PER_S, 30_000)
    assert there.duration == timedelta(seconds=33_334 + 13_333 + 3_600)
    assert there.read_units < here.read_units / 3
    # 520 GB exported and folded, 100 functions for 9 hours.
    assert there.dollars - here.dollars == pytest.approx(52 + 0.8 + 22.2 - 15.9, abs=1)
    assert is_better_elsewhere(here, there)
    assert not is_better_elsewhere(estimate(size, 0, 0, 500), estimate(size, 0, 0, 500, 100))


def test_nothing_costs_nothing() -> None:
    needed = estimate(TableSize(0, 0), 0, 0, 500)
    assert (needed.copy_units, needed.read_units, needed.dollars) == (0, 0, 0)


def test_what_does_not_end_in_time_says_its_arithmetic() -> None:
    needed = estimate(TableSize(1_000_000, 200_000_000), 0, 0, 500)
    assert too_late(needed, timedelta(hours=1)) is None
    assert too_late(needed, timedelta(minutes=30)) == (
        "copying and installing take about 0:33:20, and 0:30:00 are left: "
        "1,000,000 write units at 500 a second"
    )


def test_legacys_own_layout_is_written_as_it_is_read() -> None:
    assert LegacyPlan().written().events["points"] == "points"
    renamed = LegacyPlan(program_progress=LegacyProgramProgress(points="total"))
    assert renamed.written().program_progress["points"] == "total"


@pytest.mark.parametrize(
    ("events", "key"),
    [
        (LegacyEvents(points="detail.points"), "legacy.events.points is detail.points"),
        (LegacyEvents(activity_type=ConstantText(constant="x")), "legacy.events.activity_type"),
        (LegacyEvents(time_format="epoch_ms"), "legacy.events.time_format is epoch_ms"),
    ],
)
def test_a_layout_that_can_be_read_only_is_refused_by_name(events: LegacyEvents, key: str) -> None:
    with pytest.raises(UsageError, match=key):
        LegacyPlan(events=events).written()
