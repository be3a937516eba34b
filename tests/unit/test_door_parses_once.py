"""Through the door an activity is decoded and checked once, and nobody outside can pass for having done it.

That no client can tell is tests/contract/test_http_contract.py's.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from migration.door import event as door_event
from migration.door import ingest as door
from migration.door.event import read_activity
from migration.door.mirror import Mirrored
from migration.door.sides import handler_of, pinned
from migration.model.side import Side
from migration.model.stages import Control, Stage
from pipeline.domain import activity as rules
from pipeline.domain.activity import PARSED, Activity
from pipeline.handlers import ingest as pipeline_ingest
from tests.legacy_aws import VALID, http_event, rest_event, running_legacy
from tests.near_activities import NOW
from tests.pipeline_aws import scan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

BARE = {name: value for name, value in VALID.items() if name != "event_id"}
BODIES = [json.dumps(VALID), json.dumps(BARE, indent=2), '{"points":1,' + json.dumps(VALID)[1:]]


def events_of(body: str) -> Iterator[dict[str, Any]]:
    encoded = base64.b64encode(body.encode()).decode()
    for form in (http_event, rest_event):
        yield form("POST", "/activities", body)
        yield form("POST", "/activities", encoded, base64=True)


EVENTS = [event for body in BODIES for event in events_of(body)]


class Reading:
    """How often an activity was decoded, in whatever text it was, and checked by the pipeline's rules."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.decoded = self.checked = 0
        loads, parse = json.loads, rules.parse_activity

        def count_decoded(text: Any, **how: Any) -> Any:
            value = loads(text, **how)
            self.decoded += isinstance(value, dict) and value.get("activity_type") == "task_completed"
            return value

        def count_checked(*arguments: Any) -> Any:
            self.checked += 1
            return parse(*arguments)

        patch.setattr(json, "loads", count_decoded)
        for module in (door_event, pipeline_ingest):
            patch.setattr(module, "parse_activity", count_checked)


@pytest.fixture
def reading(pipeline_aws: DynamoDBClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reading]:
    monkeypatch.setenv("LEGACY_HANDLER", "legacy.ingest.handler")
    monkeypatch.setenv("PIPELINE_HANDLER", "pipeline.handlers.ingest.handler")
    monkeypatch.setattr(door, "mirror", lambda: Mock(finish=lambda: Mirrored.STORED))
    monkeypatch.setattr(door, "counters", lambda _role: Mock())
    for cached in (handler_of, pinned):
        cached.cache_clear()
    yield Reading(monkeypatch)
    for cached in (handler_of, pinned):
        cached.cache_clear()


def ask(stage: Stage, event: dict[str, Any]) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(door, "control", lambda: Mock(current=lambda: Control(stage)))
        return int(door.handler(event, None)["statusCode"])


@pytest.mark.parametrize("event", EVENTS)
def test_an_activity_for_the_pipeline_is_decoded_and_checked_once(
    reading: Reading, event: dict[str, Any]
) -> None:
    assert ask(Stage.COMPLETE, event) == 202
    assert (reading.decoded, reading.checked) == (1, 1)


@pytest.mark.parametrize("event", EVENTS)
def test_an_activity_for_legacy_is_decoded_by_the_door_once_and_by_legacy_as_it_always_was(
    reading: Reading, event: dict[str, Any]
) -> None:
    with running_legacy():
        assert ask(Stage.SHADOW, event) == 202
    assert (reading.decoded, reading.checked) == (2, 1)


@pytest.mark.parametrize("event", EVENTS)
def test_both_sides_are_asked_for_the_very_same_activity(event: dict[str, Any]) -> None:
    brought = read_activity(event, NOW)
    assert brought is not None
    for_legacy, for_pipeline = (brought.asked_of(side) for side in (Side.LEGACY, Side.PIPELINE))
    again = read_activity(for_legacy, NOW)
    assert again is not None
    assert again.activity == brought.activity == for_pipeline[PARSED]
    assert again.event is for_legacy
    assert PARSED not in for_legacy
    assert {**for_legacy, PARSED: brought.activity} == for_pipeline


@pytest.mark.parametrize("claimed", [VALID, "ev-1", list(VALID), None, True])
def test_what_came_from_outside_in_that_place_is_parsed_all_the_same(
    pipeline_aws: DynamoDBClient, claimed: object
) -> None:
    refused = http_event("POST", "/activities", json.dumps({**VALID, "points": 0}))
    assert pipeline_ingest.handler({**refused, PARSED: claimed}, None)["statusCode"] == 400
    taken = http_event("POST", "/activities", json.dumps(VALID))
    assert pipeline_ingest.handler({**taken, PARSED: claimed}, None)["statusCode"] == 202
    assert len(scan(pipeline_aws, "unit", "facts")) == 1


def test_what_is_handed_on_is_stored_as_it_is(pipeline_aws: DynamoDBClient) -> None:
    activity = Activity("ev-1", "emp-1", "prog-1", "task_completed", 10, "2026-03-01T09:30:00.000Z")
    answer = pipeline_ingest.handler({PARSED: activity}, None)
    assert json.loads(answer["body"]) == {"status": "accepted", "employee_id": "emp-1", "event_id": "ev-1"}
    [fact] = scan(pipeline_aws, "unit", "facts")
    assert (fact["event_id"], fact["points"]) == ("ev-1", 10)
