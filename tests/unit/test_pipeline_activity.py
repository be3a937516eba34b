"""What clients may send."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.activity import MISSING, RULES, UNKNOWN, Activity, canonical_time, parse_activity

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
VALID = {
    "event_id": "ev-1",
    "employee_id": "emp-1",
    "program_id": "prog-1",
    "activity_type": "task_completed",
    "points": 10,
    "occurred_at": "2026-03-01T09:30:00Z",
}


def problems(**changes: object) -> dict[str, str]:
    result = parse_activity({**VALID, **changes}, NOW)
    return {} if isinstance(result, Activity) else {p.field: p.problem for p in result}


def test_a_valid_activity_is_read() -> None:
    assert parse_activity(VALID, NOW) == Activity(
        "ev-1", "emp-1", "prog-1", "task_completed", 10, "2026-03-01T09:30:00.000Z"
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("employee_id", ""),
        ("employee_id", 7),
        ("employee_id", None),
        ("employee_id", "x" * 129),
        ("employee_id", "#pulse"),
        ("employee_id", " a"),
        ("employee_id", "a\nb"),
        ("employee_id", "a\u200bb"),
        ("employee_id", "\ud800"),
        ("event_id", None),
        ("program_id", []),
        ("activity_type", "TASK_COMPLETED"),
        ("activity_type", ["task_completed"]),
        ("points", 0),
        ("points", -1),
        ("points", 10_001),
        ("points", 10.0),
        ("points", "10"),
        ("points", True),
        ("points", float("nan")),
        ("occurred_at", "2026-03-01"),
        ("occurred_at", "2026-03-01T09:30:00"),
        ("occurred_at", "2026-13-01T09:30:00Z"),
        ("occurred_at", "1999-12-31T23:59:59Z"),
        ("occurred_at", "0001-01-01T00:00:00+14:00"),
        ("occurred_at", "2026-03-01T12:05:01Z"),
        ("occurred_at", 1772357400),
    ],
)
def test_a_broken_rule_is_named_with_its_remedy(field: str, value: object) -> None:
    assert problems(**{field: value}) == {field: RULES[field]}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("employee_id", "é 🎉 <b>"),
        ("employee_id", "x" * 128),
        ("points", 1),
        ("points", 10_000),
        ("occurred_at", "2026-03-01T12:05:00Z"),
        ("occurred_at", "2000-01-01T00:00:00Z"),
        ("occurred_at", "2026-03-01T09:30:00.123456+05:30"),
    ],
)
def test_the_edges_of_the_rules_are_allowed(field: str, value: object) -> None:
    assert problems(**{field: value}) == {}


def test_every_bad_field_is_named_at_once_sorted() -> None:
    result = parse_activity({"points": 0, "extra": 1, "event_id": "#x"}, NOW)
    assert isinstance(result, list)
    assert [(p.field, p.problem) for p in result] == [
        ("activity_type", MISSING),
        ("employee_id", MISSING),
        ("event_id", RULES["event_id"]),
        ("extra", UNKNOWN),
        ("occurred_at", MISSING),
        ("points", RULES["points"]),
        ("program_id", MISSING),
    ]


def test_without_an_event_id_the_same_content_is_the_same_event() -> None:
    def event_id(**changes: object) -> str:
        fields = {**VALID, **changes}
        del fields["event_id"]
        result = parse_activity(fields, NOW)
        assert isinstance(result, Activity)
        return result.event_id

    assert event_id() == event_id(occurred_at="2026-03-01T10:30:00.000+01:00")
    assert len({event_id(), event_id(points=11), event_id(employee_id="emp-2")}) == 3


@given(
    st.datetimes(
        min_value=datetime(2000, 1, 2),  # noqa: DTZ001 - hypothesis wants naive bounds
        max_value=datetime(2026, 2, 1),  # noqa: DTZ001
    ),
    st.integers(-14 * 60, 14 * 60),
)
def test_canonical_times_sort_as_text(naive: datetime, offset_minutes: int) -> None:
    moment = naive.replace(tzinfo=UTC)
    shifted = moment + timedelta(minutes=offset_minutes)
    sign = "-" if offset_minutes < 0 else "+"
    hours, minutes = divmod(abs(offset_minutes), 60)
    text = (
        shifted.replace(tzinfo=None).isoformat(timespec="microseconds") + f"{sign}{hours:02d}:{minutes:02d}"
    )
    assert canonical_time(text) == canonical_time(moment.isoformat())
    later = canonical_time((moment + timedelta(milliseconds=1)).isoformat())
    assert canonical_time(text) < later
