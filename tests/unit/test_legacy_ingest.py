"""Legacy ingest: what an accepted activity, a repeated one and a refused one leave in the tables."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from legacy import ingest
from legacy.activity import read_activity
from tests.legacy_aws import VALID, LegacySystem, running_legacy

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def legacy() -> Iterator[LegacySystem]:
    with running_legacy() as system:
        yield system


def writes_of(legacy: LegacySystem) -> Counter[str]:
    calls: Counter[str] = Counter()
    legacy.register("before-call.dynamodb.*", lambda model, **_: calls.update([model.name]))
    return calls


def test_an_accepted_activity_is_stored_and_counted_in_three_calls(
    legacy: LegacySystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "now", lambda: datetime(2026, 3, 2, 8, 0, 0, 1_999, UTC))
    calls = writes_of(legacy)
    assert legacy.post() == (202, {"status": "accepted", "employee_id": "emp-1", "event_id": "ev-1"})
    assert calls == {"PutItem": 1, "UpdateItem": 2}
    normalised = {"occurred_at": "2026-03-01T09:30:00.000Z", "received_at": "2026-03-02T08:00:00.001Z"}
    assert legacy.rows("events") == [VALID | normalised]
    assert legacy.rows("program-progress") == [{"program_id": "prog-1", "points": 10, "events": 1}]
    assert legacy.rows("employee-progress") == [
        {"employee_id": "emp-1", "program_id": "prog-1", "points": 10, "events": 1}
    ]


def test_activities_add_up_by_program_and_by_employee_in_a_program(legacy: LegacySystem) -> None:
    legacy.post(event_id="a", points=1)
    legacy.post(event_id="b", points=2, program_id="prog-2")
    legacy.post(event_id="c", points=4, employee_id="emp-2")
    assert legacy.program("prog-1") == (5, 2)
    assert legacy.program("prog-2") == (2, 1)
    assert legacy.employee("emp-1") == (3, 2)
    assert [row["points"] for row in legacy.rows("employee-progress")] == [1, 2, 4]


def test_without_an_event_id_a_retry_is_the_same_event() -> None:
    bare = {name: value for name, value in VALID.items() if name != "event_id"}
    retry = bare | {"occurred_at": "2026-03-01T10:30:00.000+01:00"}
    assert event_id_of(bare) == event_id_of(retry) != event_id_of(bare | {"points": 11})


def event_id_of(fields: dict[str, Any]) -> str:
    activity = read_activity(fields, datetime(2026, 3, 2, tzinfo=UTC))
    assert not isinstance(activity, list)
    return activity.event_id


@pytest.mark.parametrize(
    "change",
    [
        {"points": 11},
        {"program_id": "other"},
        {"activity_type": "program_check_in"},
        {"occurred_at": "2026-03-01T09:30:01Z"},
    ],
)
def test_the_same_event_id_with_other_content_is_a_conflict_and_counts_nothing(
    legacy: LegacySystem, change: dict[str, Any]
) -> None:
    legacy.post()
    before = legacy.rows("events")
    status, body = legacy.post(**change)
    assert (status, body["error"]) == (409, "conflict")
    assert legacy.rows("events") == before
    assert (legacy.program(), legacy.employee()) == ((10, 1), (10, 1))


def test_another_employee_may_use_the_same_event_id(legacy: LegacySystem) -> None:
    assert legacy.post()[0] == legacy.post(employee_id="emp-2", points=3)[0] == 202
    assert legacy.program() == (13, 2)


def test_a_refused_activity_names_its_bad_fields_and_makes_no_call(legacy: LegacySystem) -> None:
    calls = writes_of(legacy)
    status, body = legacy.post(points=True, event_id=None, nickname="Zo", employee_id="#pulse")
    assert (status, body["message"]) == (400, "4 fields break their rule")
    assert [problem["field"] for problem in body["problems"]] == [
        "employee_id",
        "event_id",
        "nickname",
        "points",
    ]
    assert not calls


@pytest.mark.parametrize(("status", "metric"), [(202, "Accepted"), (409, "Conflicts"), (400, "Rejected")])
def test_every_answer_is_one_metric(
    legacy: LegacySystem, capsys: pytest.CaptureFixture[str], status: int, metric: str
) -> None:
    legacy.post(points=1)
    capsys.readouterr()
    change = {202: {"points": 1}, 409: {"points": 2}, 400: {"points": 0}}[status]
    assert legacy.post(**change)[0] == status
    assert f'"{metric}":[1.0]' in capsys.readouterr().out.replace(" ", "")
