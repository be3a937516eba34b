"""Nothing of the door's raises into a request, whatever comes in, goes out or breaks: as in stage `off`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migration.door import concluding, conflicts, ingest, serve, sides, spared
from migration.door import counters as counters_module
from migration.door.control import CachedControl
from migration.door.counters import DoorCounters
from migration.door.counts import DoorCounts, Role
from migration.door.mirror import ForwardMirror, Mirrored
from migration.door.sides import status_of
from migration.door.wire import MissedError, WireAnswer
from migration.model.routing import route_read, route_write
from migration.model.side import Side
from migration.model.stages import FULL_WEIGHT, Control, Stage
from tests.unit.test_door_handlers import ACTIVITY, FakeDynamoDB, forget, post, reply, wire_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
ANSWERED = {"statusCode": 202, "body": "{}"}
VALID = post(json.dumps(ACTIVITY))
CONTROLS = [
    *(Control(stage, epoch=3) for stage in Stage),
    Control(Stage.LIVE, FULL_WEIGHT, FULL_WEIGHT, 3),
    Control(Stage.LIVE, 5_000, 5_000, 3),
]
STAGES = pytest.mark.parametrize("control", CONTROLS, ids=lambda one: f"{one.stage} {one.write_weight}")


class _Wire:
    """One that answers everything with the same."""

    def __init__(self, answer: WireAnswer | None = None) -> None:
        self.answer, self.sent = answer, list[Any]()

    def send(self, _operation: str, parameters: dict[str, Any]) -> None:
        self.sent.append(parameters)

    def collect(self, _within_s: float) -> WireAnswer:
        if self.answer is None:
            raise MissedError("timeout")
        return self.answer


class World:
    """The door in one stage, both sides of which give one answer, and remember what they were asked."""

    def __init__(self, control: Control, answer: object = ANSWERED) -> None:
        self.control, self.answer = control, answer
        self.asked: list[tuple[Side, Any]] = []
        self.wire = _Wire(WireAnswer({}, ""))
        wire: Any = self.wire
        self.known = CachedControl("control", "m", wire, control)
        self.known._read_at = float("inf")  # it is known
        self.counted = {
            role: DoorCounters("control", "m", wire, DoorCounts("i", role, -1, 0.0, 0.0)) for role in Role
        }
        self.mirror = ForwardMirror("facts", wire)

    def handler_of(self, side: Side) -> Callable[[Any, object], Any]:
        def handler(event: Any, _context: object) -> Any:
            self.asked.append((side, event))
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

        return handler

    def patch(self, patch: pytest.MonkeyPatch) -> World:
        for module in (ingest, serve):
            patch.setattr(module, "control", lambda: self.known)
            patch.setattr(module, "counters", lambda role: self.counted[role])
        patch.setattr(counters_module, "control", lambda: self.known)
        patch.setattr(ingest, "mirror", lambda: self.mirror)
        patch.setattr(sides, "handler_of", self.handler_of)
        return self


@pytest.fixture(autouse=True)
def no_pin() -> Iterator[None]:
    forget()
    yield
    forget()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
statuses = json_values | st.sampled_from([200, 202, 400, 409, 503, "202", "no", 202.0, True, -1, 10**400])
answers = json_values | st.fixed_dictionaries({}, optional={"statusCode": statuses, "body": json_values})
bodies = (
    json_values
    | st.binary(max_size=8)
    | st.just("\ud800")
    | st.fixed_dictionaries({}, optional=dict.fromkeys(ACTIVITY, json_values)).map(json.dumps)
    | st.just(json.dumps(ACTIVITY))
)
http = st.fixed_dictionaries({}, optional={"method": st.just("POST") | json_values, "sourceIp": json_values})
events = json_values | st.fixed_dictionaries(
    {},
    optional={
        "body": bodies,
        "isBase64Encoded": json_values,
        "rawPath": st.just("/activities") | json_values,
        "path": st.just("/activities") | json_values,
        "httpMethod": st.just("POST") | json_values,
        "headers": json_values,
        "requestContext": json_values | st.fixed_dictionaries({}, optional={"http": http | json_values}),
    },
)


@STAGES
@given(event=events, answer=answers)
def test_an_odd_request_gets_the_odd_answer_of_the_side_with_authority(
    control: Control, event: Any, answer: Any
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        loud = Mock()
        patch.setattr(spared, "tell", loud)
        world = World(control, answer).patch(patch)
        assert ingest.handler(event, None) is answer
        assert serve.handler(event, None) is answer
    (_, brought), (_, asked) = world.asked
    assert asked is event
    if not (isinstance(event, dict) and isinstance(brought, dict) and "activity" in brought):
        assert brought is event or json.loads(brought["body"])["event_id"]


@STAGES
@pytest.mark.parametrize("answer", [{"status": "accepted"}, "accepted", {"statusCode": "202"}, None, [], 7])
def test_an_answer_without_a_number_is_the_clients_as_it_is(
    monkeypatch: pytest.MonkeyPatch, control: Control, answer: Any
) -> None:
    world = World(control, answer).patch(monkeypatch)
    for handler in (ingest.handler, serve.handler):
        assert handler(VALID, None) is answer
        handler({"pulse": "a"}, None)
    assert all(one.counts.sides.keys() <= set(Side) for one in world.counted.values())


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"statusCode": 202}, 202),
        ({"statusCode": "503"}, 503),
        ({"statusCode": "no"}, 200),
        ({"status": 500}, 200),
        (None, 200),
        ("ok", 200),
        ({"statusCode": float("inf")}, 200),
    ],
)
def test_an_answer_that_names_no_status_is_a_success_as_a_function_url_has_it(
    answer: Any, status: int
) -> None:
    assert status_of(answer) == status


def broken(*_: object, **__: object) -> Any:
    raise RuntimeError("a fault of the door's own")


FAULTS: dict[str, tuple[object, str]] = {
    "no control": (ingest, "control"),
    "no control of boards": (serve, "control"),
    "the stage": (CachedControl, "current"),
    "no counters": (ingest, "counters"),
    "no counters of boards": (serve, "counters"),
    "the epoch": (DoorCounters, "route"),
    "an answer's count": (DoorCounters, "answered"),
    "a pulse's count": (DoorCounters, "pulsed"),
    "a mirror's count": (DoorCounters, "mirrored"),
    "a witness": (DoorCounters, "stored"),
    "telling": (DoorCounters, "send"),
    "metrics": (concluding, "emit"),
    "the request": (ingest, "read_activity"),
    "the client": (serve, "client_of"),
    "the pin": (ingest, "pinned"),
    "the pin of boards": (serve, "pinned"),
    "no mirror": (ingest, "mirror"),
    "the mirror begins": (ForwardMirror, "begin"),
    "the mirror ends": (ForwardMirror, "finish"),
    "the clock": (ingest, "now"),
    "the status": (sides, "status_of"),
    "the path": (ingest, "is_posted"),
    "what is said of it": (spared, "tell"),
}


@STAGES
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("event", [VALID, {"rawPath": "/"}, None], ids=["valid", "odd", "none"])
def test_a_fault_of_the_doors_own_leaves_the_answer_of_the_side_with_authority(
    monkeypatch: pytest.MonkeyPatch, control: Control, fault: str, event: Any
) -> None:
    monkeypatch.setenv("BAKED_CONTROL", json.dumps({"stage": control.stage, "epoch": 3}))
    world = World(control).patch(monkeypatch)
    monkeypatch.setattr(*FAULTS[fault], broken)
    assert ingest.handler(event, None) is ANSWERED
    assert serve.handler(event, None) is ANSWERED
    (wrote, _), (read, _) = world.asked
    if control.stage is not Stage.LIVE:
        assert (wrote, read) == (route_write(control, "").authority, route_read(control, ""))


@STAGES
@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_what_a_side_raises_stays_what_it_is(
    monkeypatch: pytest.MonkeyPatch, control: Control, fault: str | None
) -> None:
    monkeypatch.setenv("BAKED_CONTROL", json.dumps({"stage": control.stage, "epoch": 3}))
    own = LookupError("the side's own")
    World(control, own).patch(monkeypatch)
    if fault is not None:
        monkeypatch.setattr(*FAULTS[fault], broken)
    for handler in (ingest.handler, serve.handler):
        with pytest.raises(LookupError) as raised:
            handler(VALID, None)
        assert raised.value is own


def test_a_mirror_that_could_not_even_begin_is_a_missed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(Control(Stage.DUALWRITE, epoch=3)).patch(monkeypatch)
    monkeypatch.setattr(ingest, "mirror", broken)
    ingest.handler(VALID, None)
    assert world.counted[Role.INGEST].counts.mirrored == {Mirrored.MISSED: 1}


def test_what_failed_is_told_with_its_place_and_nothing_of_the_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    World(Control(Stage.DUALWRITE, epoch=3)).patch(monkeypatch)

    def leak(*_: object) -> None:
        raise ValueError("emp-1 did this")

    monkeypatch.setattr(ingest, "read_activity", leak)
    ingest.handler(VALID, None)
    out = capsys.readouterr().out
    [line] = [json.loads(line) for line in out.splitlines() if "own work" in line]
    assert line["error"] == "ValueError"
    assert line["at"].startswith("ingest.py:")
    assert "emp-1" not in out


def test_a_fault_that_every_request_meets_is_told_at_once_and_then_once_a_while_with_how_often(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: at[0])
    for number in range(7):
        spared.spared(None, broken)
        if number == 2:
            spared.spared(None, len, 3)
            at[0] += spared.EVERY_S
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["error"], line["times"]) for line in told] == [
        ("RuntimeError", 1),
        ("TypeError", 1),
        ("RuntimeError", 3),
    ]


def test_a_botocore_that_calls_otherwise_fails_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conflicts, "_install", broken)
    World(Control(Stage.DUALWRITE, epoch=3)).patch(monkeypatch)
    assert ingest.handler(VALID, None) is ANSWERED
    assert serve.handler(VALID, None) is ANSWERED
    assert not conflicts._running


ANSWER = '{"statusCode": 202, "body": "{}"}'
CALL = f"""
import json, os, sys, types
if os.environ.get("STDOUT") == "none":
    sys.stdout = None
if os.environ.get("STDOUT") == "full":
    sys.stdout = open("/dev/full", "w", buffering=1)
club = types.ModuleType("club_visits")
club.handler = lambda event, context: {ANSWER}
sys.modules["club_visits"] = club
from migration.door import ingest, serve
event = json.loads(sys.argv[1])
assert ingest.handler(event, None) == {ANSWER}
assert serve.handler(event, None) == {ANSWER}
assert "aws_lambda_powertools" not in sys.modules
os._exit(0)
"""


def documented() -> dict[str, str]:
    """The door's variables, as the page for other teams lists them, and nothing else."""
    page = (ROOT / "docs" / "bringing-your-own-legacy.md").read_text()
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \| ", page, re.MULTILINE)
    return {name: "x" for row in rows for name in re.findall(r"[A-Z_]+", row)}


def call(environment: dict[str, str], without: str = "") -> None:
    plain = {
        "PATH": os.defpath,
        "PYTHONPATH": str(ROOT),
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    run = subprocess.run(
        [sys.executable, "-c", CALL, json.dumps(VALID)],
        env={name: value for name, value in {**plain, **environment}.items() if name != without},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


@pytest.fixture
def club() -> Iterator[dict[str, str]]:
    dynamodb = FakeDynamoDB()
    item = {"stage": "dualwrite", "write_weight": "0", "read_weight": "0", "epoch": "1"}
    dynamodb.answers["GetItem"] = reply(
        200, {"Item": {name: {"S" if name == "stage" else "N": value} for name, value in item.items()}}
    )
    with wire_server(dynamodb) as url:
        yield {
            **documented(),
            "LEGACY_HANDLER": "club_visits.handler",
            "BAKED_CONTROL": '{"stage":"off"}',
            "AWS_ENDPOINT_URL": url,
        }


def test_the_door_as_documented_for_other_teams_answers_every_request(club: dict[str, str]) -> None:
    assert {"LEGACY_HANDLER", "CONTROL_TABLE", "MIGRATION", "FACTS_TABLE", "BAKED_CONTROL"} <= club.keys()
    call(club)


@pytest.mark.parametrize("stdout", ["none", "full"])
def test_a_log_that_takes_nothing_fails_no_request(club: dict[str, str], stdout: str) -> None:
    call({**club, "STDOUT": stdout})


NEEDED = ("FACTS_TABLE", "CONTROL_TABLE", "MIGRATION", "BAKED_CONTROL", "AWS_REGION", "AWS_ACCESS_KEY_ID")


@pytest.mark.parametrize("without", NEEDED)
def test_a_variable_that_is_missing_fails_no_request(club: dict[str, str], without: str) -> None:
    call(club, without)
