"""`POST /activities` on both sides, and through the door: a request gets the same status, body and headers.

The contract's table row by row, corners that have names, and properties over any request.
"""

from __future__ import annotations

import base64
import itertools
import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import Mock

import pytest
from botocore.exceptions import EndpointConnectionError
from hypothesis import given, settings
from hypothesis import strategies as st

from legacy import ingest as legacy_ingest
from legacy.tables import dynamodb as legacy_dynamodb
from migration.door import ingest as door
from migration.door.mirror import Mirrored
from migration.door.sides import handler_of, pinned
from migration.model.stages import Control, Stage
from pipeline.handlers import ingest as pipeline_ingest
from pipeline.stores import clients
from tests.legacy_aws import VALID, LegacySystem, http_event, rest_event, running_legacy
from tests.near_activities import NOW, bodies, encode, valid_fields
from tests.pipeline_aws import create_tables, scan, table_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Handler = Callable[[dict[str, Any], Any], Any]

FORMS = {"http": http_event, "http base64": http_event, "rest": rest_event, "rest base64": rest_event}
PREFIX = "contract"
RUNS = itertools.count()
RELEVANT = ("content-type", "allow", "retry-after")
BARE = {name: value for name, value in VALID.items() if name != "event_id"}
IDS = ("employee_id", "event_id", "program_id")


class Answer(NamedTuple):
    """What a client can tell two answers apart by."""

    status: int
    body: bytes
    headers: dict[str, str]


class Sides(NamedTuple):
    """Both sides over their own tables, with one stopped clock."""

    legacy: LegacySystem

    def ask(self, body: bytes, method: str = "POST", path: str = "/activities", form: str = "http") -> Answer:
        """Send one request to both sides and return the one answer."""
        event = event_of(body, method, path, form)
        return answered_alike(event)

    def stored(self) -> list[dict[str, Any]]:
        """What both sides stored of every activity."""
        content = (*IDS, "activity_type", "points", "occurred_at")
        sides = (self.legacy.rows("events"), scan(clients.dynamodb(), PREFIX, "facts"))
        legacy, pipeline = (
            sorted(({name: row[name] for name in content} for row in side), key=str) for side in sides
        )
        assert legacy == pipeline
        return legacy


def event_of(body: bytes, method: str, path: str, form: str) -> dict[str, Any]:
    """Lay a request out as AWS does: as base64 what is not text, and whatever a gateway takes for binary."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = None
    if text is None or form.endswith("base64"):
        return FORMS[form](method, path, base64.b64encode(body).decode(), base64=True)
    return FORMS[form](method, path, text)


def answer_of(handler: Handler, event: dict[str, Any]) -> Answer:
    response = handler(event, None)
    assert not response["isBase64Encoded"]
    headers = {name.lower(): value for name, value in response["headers"].items()}
    return Answer(
        response["statusCode"],
        response["body"].encode("utf-8"),
        {name: headers[name] for name in RELEVANT if name in headers},
    )


def answered_alike(event: dict[str, Any], *, door_too: bool = True) -> Answer:
    """Ask both sides, each through the door first, and return the one answer."""
    doors = [door_in(stage) for stage in (Stage.SHADOW, Stage.COMPLETE)] if door_too else []
    handlers: list[Handler] = [*doors, legacy_ingest.handler, pipeline_ingest.handler]
    answer, *others = (answer_of(handler, event) for handler in handlers)
    assert others == [answer] * len(others)
    return answer


def door_in(stage: Stage) -> Handler:
    def answer(event: dict[str, Any], context: object) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(door, "control", lambda: Mock(current=lambda: Control(stage)))
            return door.handler(event, context)

    return answer


@pytest.fixture(scope="module")
def sides() -> Iterator[Sides]:
    with running_legacy() as legacy, pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setenv("FACTS_TABLE", table_name(PREFIX, "facts"))
        for module in (legacy_ingest, pipeline_ingest, door):
            patch.setattr(module, "now", lambda: NOW)
        patch.setenv("LEGACY_HANDLER", "legacy.ingest.handler")
        patch.setenv("PIPELINE_HANDLER", "pipeline.handlers.ingest.handler")
        patch.setattr(door, "mirror", lambda: Mock(finish=lambda: Mirrored.STORED))
        patch.setattr(door, "counters", lambda _role: Mock())
        for cached in (clients.dynamodb, pipeline_ingest.facts, handler_of, pinned):
            cached.cache_clear()
            stack.callback(cached.cache_clear)
        create_tables(clients.dynamodb(), PREFIX)
        yield Sides(legacy)


def invalid(*problems: tuple[str, str]) -> str:
    count = len(problems)
    message = "1 field breaks its rule" if count == 1 else f"{count} fields break their rule"
    listed = ",".join(f'{{"field":"{name}","problem":"{text}"}}' for name, text in problems)
    return f'{{"error":"invalid_activity","message":"{message}","problems":[{listed}]}}'


ID_RULE = (
    "must be a text of 1 to 128 printable characters, without a space at either end, not starting with '#'"
)
TYPE_RULE = "must be one of learning_milestone, program_check_in, task_completed"
POINTS_RULE = "must be a whole number from 1 to 10000"
TIME_RULE = (
    "must be an RFC 3339 time with an offset, such as 2026-03-01T09:30:00Z, "
    "from 2000 on and not in the future"
)
UNKNOWN = (
    "is not a known field; the fields are "
    "event_id, employee_id, program_id, activity_type, points, occurred_at"
)
NOT_JSON = '{"error":"invalid_json","message":"the body must be one JSON object"}'
TOO_LARGE = '{"error":"too_large","message":"the body must be at most 8192 bytes"}'
NOT_POST = '{"error":"method_not_allowed","message":"use POST"}'
NOT_HERE = '{"error":"not_found","message":"post activities to /activities"}'
ACCEPTED = '{"status":"accepted","employee_id":"emp-1","event_id":"ev-1"}'

TABLE: list[tuple[tuple[str, str, bytes], int, str]] = [
    (("POST", "/activities", encode(VALID)), 202, ACCEPTED),
    (("POST", "/activities", b"not json"), 400, NOT_JSON),
    (("POST", "/activities", b"[]"), 400, NOT_JSON),
    (("POST", "/activities", b"\xff"), 400, NOT_JSON),
    (("POST", "/activities", b""), 400, NOT_JSON),
    (
        ("POST", "/activities", b"{}"),
        400,
        invalid(*((name, "is missing") for name in sorted(BARE))),
    ),
    (
        ("POST", "/activities", encode(dict.fromkeys(VALID))),
        400,
        invalid(
            ("activity_type", TYPE_RULE),
            ("employee_id", ID_RULE),
            ("event_id", ID_RULE),
            ("occurred_at", TIME_RULE),
            ("points", POINTS_RULE),
            ("program_id", ID_RULE),
        ),
    ),
    (("POST", "/activities", encode({**VALID, "nick": 1})), 400, invalid(("nick", UNKNOWN))),
    (("POST", "/activities", encode(VALID).ljust(8_193)), 413, TOO_LARGE),
    (("POST", "/activities", b"x" * 8_193), 413, TOO_LARGE),
    (("GET", "/activities", b"x" * 8_193), 405, NOT_POST),
    (("OPTIONS", "/activities", b""), 405, NOT_POST),
    (("GET", "/", b"x" * 8_193), 404, NOT_HERE),
    (("POST", "/activities/", encode(VALID)), 404, NOT_HERE),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("request_", "status", "body"), TABLE)
def test_the_contracts_table(
    sides: Sides, form: str, request_: tuple[str, str, bytes], status: int, body: str
) -> None:
    method, path, content = request_
    headers = {"content-type": "application/json"} | ({"allow": "POST"} if status == 405 else {})
    assert sides.ask(content, method, path, form) == (status, body.encode(), headers)


def test_a_retry_is_accepted_and_other_content_is_a_conflict(sides: Sides) -> None:
    first = {**VALID, "employee_id": "emp-conflict"}
    accepted = sides.ask(encode(first))
    assert accepted.status == 202
    assert sides.ask(encode({**first, "occurred_at": "2026-03-01T10:30:00.0009+01:00"})) == accepted
    conflict = (
        b'{"error":"conflict","message":"event_id was already used by this employee '
        b'for a different activity; send a new event_id"}'
    )
    for change in ({"points": 9}, {"program_id": "p"}, {"activity_type": "program_check_in"}):
        assert sides.ask(encode({**first, **change})) == (409, conflict, {"content-type": "application/json"})
    assert sides.ask(encode(first)) == accepted
    sides.stored()


def test_a_failed_dependency_asks_to_send_again(sides: Sides) -> None:
    def fail(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="dynamodb")

    connections = (legacy_dynamodb().meta.client, clients.dynamodb())
    for client in connections:
        client.meta.events.register("before-call.dynamodb.PutItem", fail)
    answer = sides.ask(encode(VALID))
    for client in connections:
        client.meta.events.unregister("before-call.dynamodb.PutItem", fail)
    body = b'{"error":"unavailable","message":"the activity was not accepted; send it again"}'
    assert answer == (503, body, {"content-type": "application/json", "retry-after": "1"})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"\xef\xbb\xbf" + encode(VALID), 400),
        (encode(VALID).decode().encode("utf-16"), 400),
        (encode(VALID) + b" ", 202),
        (encode(VALID) + b"x", 400),
        (encode(VALID).ljust(8_192), 202),
        (b'{"points":1,' + encode(VALID)[1:], 202),  # of equal names the last one counts
        (encode(VALID)[:-1] + b',"points":true}', 400),
        (encode(VALID)[:-1] + b',"points":NaN}', 400),
        (encode(VALID)[:-1] + b',"points":1e1}', 400),
        (encode(VALID)[:-1] + b',"points":' + b"9" * 400 + b"}", 400),
        (encode(VALID)[:-1] + b',"points":' + b"9" * 5_000 + b"}", 400),
        (b"[" * 8_000, 400),
        (b'{"points":' + b"[" * 4_000 + b"]" * 4_000 + b"}", 400),
        (b'{"points":' + b"[" * 100 + b"]" * 100 + b"}", 400),
        (b'{"employee_id":"\\ud800"}', 400),
        (b'{"\\ud800":1}', 400),
        ('{"é\U0001f600":"ü"}'.encode(), 400),
        (encode({"x" * 200: 1, "x" * 201: 2}), 400),
        (encode({**BARE, "employee_id": "Zoë ß 漢"}), 202),
        ('{"employee_id":"Zoë"}'.encode("latin-1"), 400),
    ],
)
def test_corners_that_bodies_have(sides: Sides, body: bytes, status: int) -> None:
    assert sides.ask(body).status == status


def test_a_body_that_no_utf8_text_can_be_is_not_json(sides: Sides) -> None:
    event = http_event("POST", "/activities", '{"employee_id":"\ud800"}')
    assert answered_alike(event).body == NOT_JSON.encode()


@pytest.mark.parametrize("event", [http_event("POST", "/activities"), rest_event("POST", "/activities")])
def test_no_body_is_not_json(sides: Sides, event: dict[str, Any]) -> None:
    assert answered_alike(event).body == NOT_JSON.encode()


any_request = given(
    body=bodies(),
    method=st.sampled_from(["POST"] * 6 + ["GET", "PUT", "HEAD", "OPTIONS", "post", ""]),
    path=st.sampled_from(["/activities"] * 6 + ["/", "/activities/", "//activities", "/Activities"])
    | st.text(),
    form=st.sampled_from([*FORMS]),
)


@pytest.mark.slow
@any_request
@settings(max_examples=100, deadline=None)
def test_any_request_is_answered_alike(sides: Sides, body: bytes, method: str, path: str, form: str) -> None:
    answer = sides.ask(body, method, path, form)
    assert answer.status in {202, 400, 404, 405, 409, 413}
    assert json.loads(answer.body)


@pytest.mark.slow
@any_request
@settings(max_examples=3_000, deadline=None)
def test_very_many_requests_are_answered_alike(
    sides: Sides, body: bytes, method: str, path: str, form: str
) -> None:
    answered_alike(event_of(body, method, path, form), door_too=False)


@given(activities=st.lists(valid_fields, min_size=1, max_size=6))
@settings(max_examples=10, deadline=None)
def test_any_sequence_is_answered_alike_and_stores_the_same(
    sides: Sides, activities: list[dict[str, Any]]
) -> None:
    run = next(RUNS)  # employees of their own, so that no sequence meets what another one stored
    statuses = [
        sides.ask(encode({**fields, "employee_id": f"{fields['employee_id']} {run}"})).status
        for fields in activities
    ]
    assert statuses[0] == 202
    assert set(statuses) <= {202, 409}
    assert sides.stored()
