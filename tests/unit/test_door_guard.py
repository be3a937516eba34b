"""Whatever fails of the door's own, and whatever is asked and answered: the answer is the side's very own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migration.door import control as control_module
from migration.door import counters as counters_module
from migration.door import ingest, mirror, serve, sides
from migration.door.control import CachedControl
from migration.door.counters import DoorCounters
from migration.door.mirror import ForwardMirror, Mirrored
from migration.door.wire import DynamoWire
from migration.model.stages import Control, Stage
from tests.door_world import (
    ACTIVITY,
    SIDES,
    TAKEN,
    FakeDynamoDB,
    deployed_door,
    forget,
    post,
    reply,
    reply_text,
    set_control,
    wire_server,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
AUTHORITY = {
    Stage.OFF: "legacy",
    Stage.DUALWRITE: "legacy",
    Stage.SHADOW: "legacy",
    Stage.RAMPDOWN: "pipeline",
    Stage.COMPLETE: "pipeline",
}
COUNTING = ("route", "answered", "pulsed", "mirrored", "stored", "send")
# What of the door may fail, each by its own; all of it is found where it is used.
PARTS: dict[str, list[tuple[Any, str]]] = {
    "nothing": [],
    "the view of the stage": [(ingest, "control"), (serve, "control"), (counters_module, "control")],
    "reading the stage": [(CachedControl, "_ask")],
    "taking the stage in": [(control_module, "read_control")],
    "the wire": [(DynamoWire, "send")],
    "the wire's answer": [(DynamoWire, "collect")],
    "the request": [(ingest, "read_activity"), (serve, "client_of")],
    "the clock": [(ingest, "now")],
    "the course": [(ingest, "_course"), (serve, "_course")],
    "the pin": [(ingest, "pinned"), (serve, "pinned")],
    "the mirror": [(ingest, "mirror")],
    "the mirror's begin": [(ForwardMirror, "begin")],
    "the mirror's put": [(mirror, "_put")],
    "the mirror's finish": [(ForwardMirror, "finish")],
    "the mirror's answer": [(ForwardMirror, "_collect")],
    "the counters": [(ingest, "counters"), (serve, "counters")],
    **{f"counting, {name}": [(DoorCounters, name)] for name in COUNTING},
    "the counts' item": [(counters_module, "item_of")],
    "metrics": [(ingest, "emit"), (sides, "emit")],
    "stdout": [(sys, "stdout")],
}


class Broken(Exception):  # noqa: N818 - it is no error that anybody knows
    """What the door cannot expect."""


def broken(*_: Any, **__: Any) -> Any:
    raise Broken("at work")


class BrokenStream:
    write = flush = broken


odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.none(), max_size=2),
)
bodies = st.one_of(
    st.just(json.dumps(ACTIVITY)),
    st.builds(lambda name, value: json.dumps({**ACTIVITY, name: value}), st.sampled_from([*ACTIVITY]), odd),
    st.sampled_from(["", "{", "[" * 3_000, '{"points":1e999}', "\ud800", "bm8gYmFzZTY0!"]),
    odd,
)
contexts = st.one_of(
    st.just({"http": {"method": "POST", "sourceIp": "192.0.2.1"}}),
    st.fixed_dictionaries({"http": odd}),
    st.fixed_dictionaries({"identity": odd}),
    odd,
)
requests = st.fixed_dictionaries(
    {},
    optional={
        "rawPath": st.one_of(st.just("/activities"), odd),
        "requestContext": contexts,
        "body": bodies,
        "isBase64Encoded": st.one_of(st.booleans(), odd),
        "headers": odd,
        "httpMethod": st.one_of(st.just("POST"), odd),
        "path": st.one_of(st.just("/activities"), odd),
    },
)
events = st.one_of(bodies.map(lambda body: {**post(""), "body": body}), requests, odd)
answers = st.one_of(
    st.builds(lambda status: {"statusCode": status, "body": "{}"}, st.sampled_from([202, 200, 409, 503])),
    st.builds(lambda status: {"statusCode": status}, odd),
    st.just({"status": "accepted"}),
    odd,
)


@pytest.fixture(scope="module")
def door() -> Iterator[FakeDynamoDB]:
    with pytest.MonkeyPatch.context() as patch, deployed_door(patch) as dynamodb:
        yield dynamodb


@dataclass(frozen=True)
class Case:
    """A request, the answer to it, and what of the door fails meanwhile."""

    event: Any
    answer: Any
    stage: Stage
    part: str
    handler: Any
    raises: bool


cases = st.builds(
    Case,
    events,
    answers,
    st.sampled_from(list(Stage)),
    st.sampled_from(list(PARTS)),
    st.sampled_from([ingest.handler, serve.handler]),
    st.booleans(),
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cases)
def test_a_client_gets_what_the_side_with_authority_gives_and_it_is_asked_once(
    door: FakeDynamoDB, case: Case
) -> None:
    forget()
    set_control(door, Control(case.stage, 5_000, 5_000, epoch=1))
    control_module.control().current()
    SIDES.__init__()  # type: ignore[misc] # as it was
    SIDES.raised = Broken("a side") if case.raises else None
    SIDES.legacy_answer = SIDES.pipeline_answer = case.answer
    with pytest.MonkeyPatch.context() as patch:
        for place, name in PARTS[case.part]:
            patch.setattr(place, name, BrokenStream() if place is sys else broken)
        try:
            given = case.handler(case.event, None)
        except Broken as error:
            given = error
    assert given is (SIDES.raised or case.answer)
    [(side, asked)] = SIDES.asked
    if case.part == "the view of the stage":
        assert side == "legacy", "the baked value says so"
    elif case.stage is not Stage.LIVE:
        assert side == AUTHORITY[case.stage]
    if case.stage is Stage.OFF:
        assert asked is case.event


@pytest.mark.parametrize("part", list(PARTS))
@pytest.mark.parametrize("handler", [ingest.handler, serve.handler])
@pytest.mark.parametrize("answer", [{"statusCode": 202, "body": "odd"}, {"body": None}, None, "ok"])
def test_a_pulse_is_answered_as_the_pipeline_answers_it(
    door: FakeDynamoDB, monkeypatch: pytest.MonkeyPatch, part: str, handler: Any, answer: Any
) -> None:
    forget()
    set_control(door, Control(Stage.DUALWRITE, epoch=1))
    control_module.control().current()
    SIDES.__init__()  # type: ignore[misc] # as it was
    SIDES.pipeline_answer = answer
    for place, name in PARTS[part]:
        monkeypatch.setattr(place, name, BrokenStream() if place is sys else broken)
    given = handler({"pulse": "a"}, None)
    if part == "the view of the stage":
        assert given == {"statusCode": 204}, "the baked value says off"
    else:
        assert given is answer
        assert [side for side, _ in SIDES.asked] == ["pipeline"]


@pytest.mark.parametrize("part", ["the mirror", "the mirror's finish", "the mirror's answer", "the wire"])
def test_a_mirror_that_fails_as_nobody_expected_is_a_miss_and_counted(
    door: FakeDynamoDB, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    forget()
    set_control(door, Control(Stage.DUALWRITE, epoch=1))
    control_module.control().current()
    for place, name in PARTS[part]:
        monkeypatch.setattr(place, name, broken)
    ingest.handler(post(json.dumps(ACTIVITY)), None)
    counts = ingest.counted().counts
    assert counts.mirrored == {Mirrored.MISSED: 1}
    assert counts.missed_at is not None


# Each is JSON of a kind that DynamoDB does not answer with, or none at all.
STRANGE = [
    "[]",
    '"busy"',
    "null",
    "7",
    "",
    "{",
    "[" * 10_000,
    "\x00",
    '{"Item":[]}',
    '{"Item":{"stage":"live"}}',
]
STRANGE += ['{"Item":{"stage":{"S":["off"]}}}', '{"Item":{"stage":{"S":"off"},"write_weight":{"S":"1"}}}']


@pytest.mark.parametrize("status", [200, 400, 503])
@pytest.mark.parametrize("text", STRANGE)
def test_a_strange_answer_about_the_stage_keeps_the_last_one(
    door: FakeDynamoDB, status: int, text: str
) -> None:
    forget()
    set_control(door, Control(Stage.RAMPDOWN, epoch=4))
    cached = control_module.control()
    assert cached.current().stage is Stage.RAMPDOWN
    door.answers["GetItem"] = reply_text(status, text)
    cached._read_at = float("-inf")
    assert cached.current() == Control(Stage.RAMPDOWN, epoch=4)


@pytest.mark.parametrize(
    "text", [*STRANGE, json.dumps({**TAKEN, "Item": []}), json.dumps({**TAKEN, "Item": 5})]
)
def test_a_strange_answer_to_the_mirror_is_a_miss_unless_it_says_stored(
    door: FakeDynamoDB, text: str
) -> None:
    forget()
    set_control(door, Control(Stage.DUALWRITE, epoch=1))
    SIDES.__init__()  # type: ignore[misc] # as it was
    for status in (400, 503):
        door.answers["PutItem"] = reply_text(status, text)
        assert ingest.handler(post(json.dumps(ACTIVITY)), None) is SIDES.legacy_answer
    assert ingest.counted().counts.mirrored == {Mirrored.MISSED: 2}
    door.answers["PutItem"] = reply(200, {})


@pytest.mark.parametrize(
    "gone",
    [
        "CONTROL_TABLE",
        "MIGRATION",
        "FACTS_TABLE",
        "AWS_REGION",
        "BAKED_CONTROL",
        "AWS_ACCESS_KEY_ID",
        "POWERTOOLS",
    ],
)
@pytest.mark.parametrize("stage", ["off", "dualwrite", "rampdown"])
def test_a_door_without_one_of_its_variables_answers_as_the_side_does(
    monkeypatch: pytest.MonkeyPatch, gone: str, stage: str
) -> None:
    with deployed_door(monkeypatch, BAKED_CONTROL=json.dumps({"stage": stage})) as dynamodb:
        set_control(dynamodb, Control(Stage(stage), epoch=1))
        for name in [*os.environ]:
            if name.startswith(gone):
                monkeypatch.delenv(name)
        answer = ingest.handler(post(json.dumps(ACTIVITY)), None)
        assert answer in (SIDES.legacy_answer, SIDES.pipeline_answer)
        assert len(SIDES.asked) == 1
        if gone not in {"CONTROL_TABLE", "AWS_REGION"} or stage != "off":
            assert SIDES.asked[0][0] == AUTHORITY[Stage(stage)]


AS_DOCUMENTED = """
import json, sys, types
club = types.ModuleType("club_visits")
club.handler = lambda event, context: {"statusCode": 202, "body": "{}"}
sys.modules["club_visits"] = club
from migration.door import ingest
print("answered", json.dumps(ingest.handler(json.loads(sys.argv[1]), None)))
"""


@pytest.mark.parametrize("stage", [Stage.OFF, Stage.DUALWRITE])
def test_the_documented_variables_are_all_that_a_door_needs(stage: Stage) -> None:
    documented = {
        "LEGACY_HANDLER": "club_visits.handler",
        "PIPELINE_HANDLER": "pipeline.handlers.ingest.handler",
        "CONTROL_TABLE": "control",
        "MIGRATION": "club",
        "FACTS_TABLE": "facts",
        "BAKED_CONTROL": '{"stage":"off"}',
    }
    lambdas = {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    dynamodb = FakeDynamoDB()
    set_control(dynamodb, Control(stage, epoch=1))
    with wire_server(dynamodb) as url:
        done = subprocess.run(
            [sys.executable, "-c", AS_DOCUMENTED, json.dumps(post(json.dumps(ACTIVITY)))],
            env={**documented, **lambdas, "AWS_ENDPOINT_URL": url, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr
    assert 'answered {"statusCode": 202, "body": "{}"}' in done.stdout
    assert len(dynamodb.of("PutItem")) == (stage is Stage.DUALWRITE)


def test_what_the_door_went_on_without_is_said_once_and_shows_nothing_of_a_client(
    door: FakeDynamoDB, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    forget()
    set_control(door, Control(Stage.RAMPDOWN, epoch=1))

    def fail(*_: Any) -> Any:
        raise KeyError("s3cret of emp-1")

    monkeypatch.setattr(ingest, "read_activity", fail)
    for _ in range(3):
        ingest.handler(post(json.dumps(ACTIVITY)), None)
    said = [line for line in capsys.readouterr().out.splitlines() if "went on without" in line]
    assert len(said) == 1
    assert json.loads(said[0])["error"] == "KeyError"
    assert "emp-1" not in said[0]
