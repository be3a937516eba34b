"""Legacy's layout: one definition for the plan file, for functions, and for what the version before wrote."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migration.model.errors import UsageError
from migration.model.legacy.layout import LegacyEvents, LegacyPlan, LegacyProgramProgress, read_layout
from migration.plan.plan import Plan

# As f40d0ce wrote the reference system's layout, and as a stack had it that was deployed then.
WRITTEN_BEFORE = (
    '{"event": {"employee_id": "employee_id", "event_id": "event_id", "program_id": "program_id", '
    '"activity_type": "activity_type", "points": "points", "occurred_at": "occurred_at"}, '
    '"employee_progress": {"employee_id": "employee_id", "program_id": "program_id", "points": "points", '
    '"events": "events"}, "program_progress": {"employee_id": "employee_id", "program_id": "program_id", '
    '"points": "points", "events": "events"}}'
)
SET_BEFORE = '{"event":{"points":"score"},"program_progress":{"events":"n"}}'
# Another team's plan, with a value in every place that it can have.
FIELDS: dict[str, Any] = {
    "migration": "gym",
    "legacy": {
        "events": {
            "table": "visits",
            "points": {"constant": 3},
            "program_id": {"constant": "p"},
            "occurred_at": "d.at",
            "time_format": "epoch_ms",
        },
        "leaderboard": {"format": "list"},
    },
    "cutover": {"steps": [10, 100], "gates": ["live", "complete"], "bake_s": 3},
}
NAMES = st.text(st.characters(exclude_characters=".", exclude_categories=["Cs"]), min_size=1)


@pytest.mark.parametrize("text", [WRITTEN_BEFORE, "{}"])
def test_what_the_version_before_wrote_is_still_read(text: str) -> None:
    assert read_layout(text) == LegacyPlan()


def test_what_was_set_for_the_version_before_is_still_read() -> None:
    expected = LegacyPlan(
        events=LegacyEvents(points="score"), program_progress=LegacyProgramProgress(events="n")
    )
    assert read_layout(SET_BEFORE) == expected
    assert read_layout(SET_BEFORE.replace('"event"', '"events"')) == expected


@given(st.builds(LegacyEvents, points=NAMES), st.builds(LegacyProgramProgress, events=NAMES))
def test_a_layout_survives_the_functions_environment(
    events: LegacyEvents, programs: LegacyProgramProgress
) -> None:
    layout = LegacyPlan(events=events, program_progress=programs)
    assert read_layout(layout.model_dump_json()) == layout
    assert read_layout(layout.model_dump_json(exclude_unset=True)) == layout


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("points", "Expecting value"),
        ("[]", "this is no JSON object"),
        ('{"board":{}}', "board: Extra inputs are not permitted"),
        ('{"events":{"point":"x"}}', "events.point: Extra inputs are not permitted"),
        ('{"employee_progress":{"points":""}}', "employee_progress.points: String should match"),
        ('{"employee_progress":{"points":1}}', "employee_progress.points: Input should be a valid string"),
    ],
)
def test_what_is_no_layout_is_named(text: str, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        read_layout(text)


def test_a_name_with_a_dot_leads_into_a_map_everywhere() -> None:
    """The version before read it so in the plan, and wrote it as one name of its own in the mirror."""
    with pytest.raises(UsageError, match=r"legacy.events.points is detail.points"):
        read_layout('{"event":{"points":"detail.points"}}').written()


def test_a_plan_that_was_agreed_to_before_is_the_same_plan_now() -> None:
    """A migration begun with f40d0ce has this hash in its state, and would have to be agreed to again."""
    assert Plan().hash == "63f8a036b004"
    assert Plan.model_validate(FIELDS).hash == "3c43b05df500"


def test_the_schema_of_the_plan_is_as_before() -> None:
    text = json.dumps(Plan.model_json_schema(), indent=2) + "\n"
    assert hashlib.sha256(text.encode()).hexdigest() == (
        "3aee6e9d583256f660e48907970e3d19aa83a3799c7b81f17e93031b3e46341f"
    )
