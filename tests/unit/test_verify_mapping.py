"""Legacy items of any shape become activities and rows, or are named with what is wrong in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from migration.model.fold import Activity, Fold, Row
from migration.model.legacy.layout import (
    ConstantNumber,
    ConstantText,
    LegacyEmployeeProgress,
    LegacyEvents,
    LegacyProgramProgress,
)
from migration.model.legacy.mapping import UnmappableError, activity_mapper, row_mapper
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
    assert activity_mapper(LegacyEvents())(REFERENCE) == Activity(
        "e-1", "ev-1", "p-1", "task_completed", 5, "2026-03-01T09:30:00.000Z"
    )
    item = {"employee_id": {"S": "e-1"}, "program_id": {"S": "p-1"}, "points": {"N": "5"}}
    assert row_mapper(LegacyEmployeeProgress())(item) == (Row("e-1", "p-1"), Fold(5, 0))
    programs = LegacyProgramProgress()
    assert row_mapper(programs)({**item, "events": {"N": "2"}}) == (Row(None, "p-1"), Fold(5, 2))


def test_another_teams_items_are_mapped_by_a_plan_file(tmp_path: Path) -> None:
    (tmp_path / "cutover.toml").write_text(GYM_PLAN)
    legacy = load_plan(tmp_path / "cutover.toml").legacy
    assert activity_mapper(legacy.events)(GYM_VISIT) == Activity(
        "12", "v#77", "north", "program_check_in", 1, "1970-01-01T00:00:01.500Z"
    )
    member = {
        "member": {"N": "12"},
        "club": {"S": "north"},
        "stats": {"M": {"score": {"N": "30"}, "visits": {"N": "3E+1"}}},
    }
    assert row_mapper(legacy.employee_progress)(member) == (Row("12", "north"), Fold(30, 30))
    club = {"club": {"S": "north"}, "score": {"N": "7"}, "visits": {"N": "4"}}
    assert row_mapper(legacy.program_progress)(club) == (Row(None, "north"), Fold(7, 4))


@pytest.mark.parametrize(
    ("time_format", "value", "expected"),
    [
        ("iso", {"S": "2026-03-01T09:30:00Z"}, "2026-03-01T09:30:00.000Z"),
        ("iso", {"S": "2026-03-01 09:30:00.1239"}, "2026-03-01T09:30:00.123Z"),
        ("epoch_s", {"N": "1772357400"}, "2026-03-01T09:30:00.000Z"),
        ("epoch_s", {"S": "1772357400.25"}, "2026-03-01T09:30:00.250Z"),
        ("epoch_ms", {"N": "1772357400123"}, "2026-03-01T09:30:00.123Z"),
        ("epoch_ms", {"N": "-1"}, "1969-12-31T23:59:59.999Z"),
    ],
)
def test_times_are_read_in_every_format(
    time_format: Literal["iso", "epoch_s", "epoch_ms"], value: dict[str, str], expected: str
) -> None:
    layout = LegacyEvents(time_format=time_format)
    assert activity_mapper(layout)({**REFERENCE, "occurred_at": value}).occurred_at == expected


@pytest.mark.parametrize(
    ("changes", "layout", "named"),
    [
        ({"points": {"N": "5.5"}}, LegacyEvents(), "points is '5.5'"),
        ({"points": {"S": "many"}}, LegacyEvents(), "points is 'many'"),
        ({"points": {"N": "1E+99999999999999999999"}}, LegacyEvents(), "points is"),
        ({"points": {"L": []}}, LegacyEvents(), "points is"),
        ({"occurred_at": {"S": "yesterday"}}, LegacyEvents(), "occurred_at is no time in the format iso"),
        ({"occurred_at": {"S": "x"}}, LegacyEvents(time_format="epoch_s"), "format epoch_s"),
        ({"occurred_at": {"N": "9E+30"}}, LegacyEvents(time_format="epoch_ms"), "format epoch_ms"),
        ({}, LegacyEvents(program_id="detail.program"), "detail.program is missing"),
        ({}, LegacyEvents(program_id="points.program"), "points.program is missing"),
    ],
)
def test_an_item_that_does_not_fit_is_named(
    changes: dict[str, Any], layout: LegacyEvents, named: str
) -> None:
    with pytest.raises(UnmappableError, match="e-1") as raised:
        activity_mapper(layout)(REFERENCE | changes)
    assert named in str(raised.value)
    with pytest.raises(UnmappableError, match="employee_id is missing"):
        row_mapper(LegacyEmployeeProgress())({"points": {"N": "1"}})


def test_constants_need_no_attribute() -> None:
    layout = LegacyEvents(
        program_id=ConstantText(constant="p"),
        activity_type=ConstantText(constant="t"),
        points=ConstantNumber(constant=3),
    )
    item = {name: REFERENCE[name] for name in ("employee_id", "event_id", "occurred_at")}
    mapped = activity_mapper(layout)(item)
    assert (mapped.program_id, mapped.activity_type, mapped.points) == ("p", "t", 3)


@given(
    st.text(min_size=1),
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="."), min_size=1), min_size=1, max_size=4
    ),
)
def test_any_path_finds_what_was_put_there(text: str, path: list[str]) -> None:
    assume(path[0] not in REFERENCE)
    value: dict[str, Any] = {"S": text}
    for name in reversed(path[1:]):
        value = {"M": {name: value}}
    item = {**REFERENCE, path[0]: value}
    assert activity_mapper(LegacyEvents(program_id=".".join(path)))(item).program_id == text
