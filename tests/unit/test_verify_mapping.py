"""Legacy items of any shape become activities and rows, or are named with what is wrong in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from migration.model.fold import Activity, Fold, Row
from migration.model.mapping import (
    Constant,
    EventLayout,
    ProgressLayout,
    TimeFormat,
    UnmappableError,
    activity_mapper,
    row_mapper,
)
from migration.plan.plan import load_plan

if TYPE_CHECKING:
    from pathlib import Path

REFERENCE = {
    "employee_id": {"S": "e-1"},
    "event_id": {"S": "ev-1"},
    "program_id": {"S": "p-1"},
    "activity_type": {"S": "task_completed"},
    "points": {"N": "5"},
    "occurred_at": {"S": "2026-03-01T11:30:00+02:00"},
    "received_at": {"S": "2026-03-01T09:31:00.000Z"},
}
# Another team's system: gym visits, one map inside another, numbers as ids, seconds since 1970.
GYM_PLAN = """
migration = "gym"

[legacy.events]
table = "gym-visits"
employee_id = "visit.member.number"
event_id = "pk"
program_id = "visit.club"
activity_type = { constant = "program_check_in" }
points = { constant = 1 }
occurred_at = "visit.at"
time_format = "epoch_s"

[legacy.employee_progress]
table = "gym-members"
employee_id = "member"
program_id = "club"
points = "stats.score"
events = "stats.visits"

[legacy.program_progress]
table = "gym-clubs"
program_id = "club"
points = "score"
events = "visits"
"""
GYM_VISIT: dict[str, Any] = {
    "pk": {"S": "v#77"},
    "visit": {"M": {"member": {"M": {"number": {"N": "12"}}}, "club": {"S": "north"}, "at": {"N": "1.5"}}},
}


def test_the_reference_systems_items_need_no_mapping() -> None:
    assert activity_mapper(EventLayout())(REFERENCE) == Activity(
        "e-1", "ev-1", "p-1", "task_completed", 5, "2026-03-01T09:30:00.000Z"
    )
    item = {"employee_id": {"S": "e-1"}, "program_id": {"S": "p-1"}, "points": {"N": "5"}}
    assert row_mapper(ProgressLayout())(item) == (Row("e-1", "p-1"), Fold(5, 0))
    programs = ProgressLayout(employee_id=None)
    assert row_mapper(programs)({**item, "events": {"N": "2"}}) == (Row(None, "p-1"), Fold(5, 2))


def test_another_teams_items_are_mapped_by_a_plan_file(tmp_path: Path) -> None:
    (tmp_path / "cutover.toml").write_text(GYM_PLAN)
    legacy = load_plan(tmp_path / "cutover.toml").legacy
    assert activity_mapper(legacy.events.layout)(GYM_VISIT) == Activity(
        "12", "v#77", "north", "program_check_in", 1, "1970-01-01T00:00:01.500Z"
    )
    member = {
        "member": {"N": "12"},
        "club": {"S": "north"},
        "stats": {"M": {"score": {"N": "30"}, "visits": {"N": "3E+1"}}},
    }
    assert row_mapper(legacy.employee_progress.layout)(member) == (Row("12", "north"), Fold(30, 30))
    club = {"club": {"S": "north"}, "score": {"N": "7"}, "visits": {"N": "4"}}
    assert row_mapper(legacy.program_progress.layout)(club) == (Row(None, "north"), Fold(7, 4))


@pytest.mark.parametrize(
    ("time_format", "value", "expected"),
    [
        (TimeFormat.ISO, {"S": "2026-03-01T09:30:00Z"}, "2026-03-01T09:30:00.000Z"),
        (TimeFormat.ISO, {"S": "2026-03-01 09:30:00.1239"}, "2026-03-01T09:30:00.123Z"),
        (TimeFormat.EPOCH_S, {"N": "1772357400"}, "2026-03-01T09:30:00.000Z"),
        (TimeFormat.EPOCH_S, {"S": "1772357400.25"}, "2026-03-01T09:30:00.250Z"),
        (TimeFormat.EPOCH_MS, {"N": "1772357400123"}, "2026-03-01T09:30:00.123Z"),
        (TimeFormat.EPOCH_MS, {"N": "-1"}, "1969-12-31T23:59:59.999Z"),
    ],
)
def test_times_are_read_in_every_format(
    time_format: TimeFormat, value: dict[str, str], expected: str
) -> None:
    layout = EventLayout(time_format=time_format)
    assert activity_mapper(layout)({**REFERENCE, "occurred_at": value}).occurred_at == expected


@pytest.mark.parametrize(
    ("changes", "layout", "named"),
    [
        ({"points": {"N": "5.5"}}, EventLayout(), "points is '5.5'"),
        ({"points": {"S": "many"}}, EventLayout(), "points is 'many'"),
        ({"points": {"N": "1E+99999999999999999999"}}, EventLayout(), "points is"),
        ({"points": {"L": []}}, EventLayout(), "points is"),
        ({"occurred_at": {"S": "yesterday"}}, EventLayout(), "occurred_at is no time in the format iso"),
        ({"occurred_at": {"S": "x"}}, EventLayout(time_format=TimeFormat.EPOCH_S), "format epoch_s"),
        ({"occurred_at": {"N": "9E+30"}}, EventLayout(time_format=TimeFormat.EPOCH_MS), "format epoch_ms"),
        ({}, EventLayout(program_id="detail.program"), "detail.program is missing"),
        ({}, EventLayout(program_id="points.program"), "points.program is missing"),
    ],
)
def test_an_item_that_does_not_fit_is_named(changes: dict[str, Any], layout: EventLayout, named: str) -> None:
    with pytest.raises(UnmappableError, match="e-1") as raised:
        activity_mapper(layout)(REFERENCE | changes)
    assert named in str(raised.value)
    with pytest.raises(UnmappableError, match="employee_id is missing"):
        row_mapper(ProgressLayout())({"points": {"N": "1"}})


def test_constants_need_no_attribute() -> None:
    layout = EventLayout(program_id=Constant("p"), activity_type=Constant("t"), points=Constant("3"))
    item = {name: REFERENCE[name] for name in ("employee_id", "event_id", "occurred_at")}
    mapped = activity_mapper(layout)(item)
    assert (mapped.program_id, mapped.activity_type, mapped.points) == ("p", "t", 3)


@given(
    st.text(min_size=1),
    st.lists(st.text(st.characters(exclude_characters="."), min_size=1), min_size=1, max_size=4),
)
def test_any_path_finds_what_was_put_there(text: str, path: list[str]) -> None:
    assume(path[0] not in REFERENCE)
    value: dict[str, Any] = {"S": text}
    for name in reversed(path[1:]):
        value = {"M": {name: value}}
    item = {**REFERENCE, path[0]: value}
    assert activity_mapper(EventLayout(program_id=".".join(path)))(item).program_id == text
