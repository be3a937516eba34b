"""The door in a client's request: legacy's answer untouched, whatever the other side does."""

from __future__ import annotations

import base64
import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from migration.door import control as control_module
from migration.door import counters as counters_module
from migration.door import ingest, serve, spared
from migration.door import mirror as mirror_module
from migration.door.concluding import connect_early
from migration.door.count_item import counts_of
from migration.door.counts import DoorCounts, Role, Witness
from migration.door.mirror import Mirrored
from migration.door.sides import handler_of, pinned
from migration.model.side import Side
from migration.model.stages import Control, Stage

if TYPE_CHECKING:
    import socketserver
    from collections.abc import Callable, Iterator

ACTIVITY = {
    "employee_id": "emp-1",
    "program_id": "prog-1",
    "activity_type": "task_completed",
    "points": 10,
    "occurred_at": "2026-03-01T09:30:00Z",
}


@dataclass
class FakeDynamoDB:
    """DynamoDB on the wire: answers scripted per operation, what came in is kept."""

    answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)
    received: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    endpoint: str = ""

    def of(self, operation: str) -> list[dict[str, Any]]:
        return [body for name, body in self.received if name == operation and body["TableName"] != "control"]

    @property
    def reads(self) -> int:
        """How often the stage was read."""
        return sum(name == "GetItem" for name, _ in self.received)

    def told(self) -> list[DoorCounts]:
        """What the door told of its counts."""
        items = [body for name, body in self.received if name == "PutItem" and body["TableName"] == "control"]
        assert all(item["Item"]["migration"] == {"S": "activities#door"} for item in items)
        return [counts_of(item["Item"]) for item in items]


def reply(status: int, body: Any) -> Callable[[BaseHTTPRequestHandler], None]:
    def write(request: BaseHTTPRequestHandler) -> None:
        content = json.dumps(body).encode()
        request.send_response(status)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    return write


def hang(request: BaseHTTPRequestHandler) -> None:
    time.sleep(2 * PATIENT_S)
    request.close_connection = True


def hang_up(request: BaseHTTPRequestHandler) -> None:
    request.close_connection = True


def garbage(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"no http at all\r\n\r\n")
    request.close_connection = True


# No answer is late because this machine is busy.
PATIENT_S = 1.5
TAKEN = {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}
THROTTLED = {"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException"}


@contextmanager
def wire_server(fake: FakeDynamoDB) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or every answer waits for the receipt of its head

        def do_POST(self) -> None:
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.received = body
            fake.received.append((operation, body))
            fake.answers.get(operation, reply(200, {}))(self)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that gave up is what some tests are about."""

    server: socketserver.TCPServer = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


class Sides:
    """Both sides' handlers, recording what they were asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.pipeline_answer: dict[str, Any] = {"statusCode": 202, "body": "pipeline"}
        self.legacy_answer: dict[str, Any] = {"statusCode": 202, "body": "legacy", "headers": {"X": "1"}}

    def legacy(self, event: dict[str, Any], _context: object) -> dict[str, Any]:
        self.asked.append(("legacy", event))
        if self.legacy_answer.get("raise"):
            raise RuntimeError("legacy broke")
        return self.legacy_answer

    def pipeline(self, event: dict[str, Any], _context: object) -> dict[str, Any]:
        self.asked.append(("pipeline", event))
        return self.pipeline_answer


SIDES = Sides()


def legacy_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return SIDES.legacy(event, context)


def pipeline_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return SIDES.pipeline(event, context)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDynamoDB]:
    dynamodb = FakeDynamoDB()
    SIDES.__init__()  # type: ignore[misc] # the handlers are found by name, so they share one object
    with wire_server(dynamodb) as endpoint:
        dynamodb.endpoint = endpoint
        for name, value in {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": "us-east-1",
            "CONTROL_TABLE": "control",
            "MIGRATION": "activities",
            "BAKED_CONTROL": '{"stage":"off"}',
            "FACTS_TABLE": "facts",
            "LEGACY_HANDLER": f"{__name__}.legacy_handler",
            "PIPELINE_HANDLER": f"{__name__}.pipeline_handler",
        }.items():
            monkeypatch.setenv(name, value)
        for module, timeout in (
            (control_module, "READ_TIMEOUT_S"),
            (counters_module, "TIMEOUT_S"),
            (ingest, "TIMEOUT_S"),
            (mirror_module, "TIMEOUT_S"),
        ):
            monkeypatch.setattr(module, timeout, PATIENT_S)
        forget()
        yield dynamodb
        forget()


def forget() -> None:
    for cached in (control_module.control, counters_module.counters, ingest.mirror, handler_of, pinned):
        cached.cache_clear()
    spared._faults.clear()


def set_control(fake: FakeDynamoDB, control: Control) -> None:
    item = {
        "stage": {"S": control.stage},
        "write_weight": {"N": str(control.write_weight)},
        "read_weight": {"N": str(control.read_weight)},
        "epoch": {"N": str(control.epoch)},
    }
    fake.answers["GetItem"] = reply(200, {"Item": item})


def post(body: str, *, encoded: bool = False) -> dict[str, Any]:
    return {
        "rawPath": "/activities",
        "requestContext": {"http": {"method": "POST"}},
        "body": base64.b64encode(body.encode()).decode() if encoded else body,
        "isBase64Encoded": encoded,
    }


def send(**changes: Any) -> Any:
    return ingest.handler(post(json.dumps({**ACTIVITY, **changes})), None)


def outcomes(capsys: pytest.CaptureFixture[str]) -> list[str]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [name for line in lines for name in line if name in set(Mirrored)]


def test_off_is_legacy_alone_byte_for_byte(fake: FakeDynamoDB) -> None:
    set_control(fake, Control(Stage.OFF))
    event = post("not json, and none of the door's business", encoded=True)
    assert ingest.handler(event, None) is SIDES.legacy_answer
    assert SIDES.asked == [("legacy", event)]
    assert fake.of("PutItem") == []


def test_dualwrite_mirrors_the_named_activity_and_answers_what_legacy_answered(
    fake: FakeDynamoDB, capsys: pytest.CaptureFixture[str]
) -> None:
    set_control(fake, Control(Stage.DUALWRITE))
    assert send() is SIDES.legacy_answer
    [put] = fake.of("PutItem")
    [(_, seen)] = SIDES.asked
    assert json.loads(seen["body"])["event_id"] == put["Item"]["event_id"]["S"]
    assert put["ConditionExpression"] == "attribute_not_exists(event_id)"
    assert {name: put["Item"][name] for name in ("side", "lane", "points", "occurred_at")} == {
        "side": {"S": "legacy"},
        "lane": {"S": "live"},
        "points": {"N": "10"},
        "occurred_at": {"S": "2026-03-01T09:30:00.000Z"},
    }
    assert outcomes(capsys) == [Mirrored.STORED]


def test_an_activity_with_an_event_id_reaches_legacy_as_it_was_sent(fake: FakeDynamoDB) -> None:
    set_control(fake, Control(Stage.DUALWRITE))
    event = post(json.dumps({**ACTIVITY, "event_id": "mine"}, indent=3), encoded=True)
    ingest.handler(event, None)
    assert SIDES.asked == [("legacy", event)]


@pytest.mark.parametrize("body", ["", "[]", "{", json.dumps({**ACTIVITY, "points": 0}), "[" * 5000])
def test_what_legacy_refuses_is_not_mirrored(fake: FakeDynamoDB, body: str) -> None:
    set_control(fake, Control(Stage.DUALWRITE))
    event = post(body)
    ingest.handler(event, None)
    assert SIDES.asked == [("legacy", event)]
    assert fake.of("PutItem") == []


@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [
        (hang, Mirrored.MISSED),
        (hang_up, Mirrored.MISSED),
        (garbage, Mirrored.MISSED),
        (reply(400, THROTTLED), Mirrored.MISSED),
        (reply(500, {}), Mirrored.MISSED),
        (reply(400, {**TAKEN, "Item": {"points": {"N": "99"}}}), Mirrored.CONFLICT),
    ],
)
def test_no_trouble_of_the_mirror_changes_legacys_answer(
    fake: FakeDynamoDB, capsys: pytest.CaptureFixture[str], trouble: Any, outcome: Mirrored
) -> None:
    set_control(fake, Control(Stage.DUALWRITE))
    fake.answers["PutItem"] = trouble
    assert send() is SIDES.legacy_answer
    assert outcomes(capsys) == [outcome]
    fake.answers["PutItem"] = reply(200, {})
    assert send() is SIDES.legacy_answer
    assert outcomes(capsys) == [Mirrored.STORED]


def test_a_mirror_that_is_there_already_with_the_same_content_is_a_duplicate(
    fake: FakeDynamoDB, capsys: pytest.CaptureFixture[str]
) -> None:
    set_control(fake, Control(Stage.DUALWRITE))
    send()
    [put] = fake.of("PutItem")
    fake.answers["PutItem"] = reply(400, {**TAKEN, "Item": put["Item"]})
    send()
    assert outcomes(capsys) == [Mirrored.STORED, Mirrored.DUPLICATE]


@pytest.mark.parametrize("there", [False, True], ids=["stored", "a duplicate"])
@pytest.mark.parametrize(
    ("status", "counted"), [(409, Mirrored.CONTRADICTED), (429, None), (400, None), (503, None)]
)
def test_a_mirror_of_what_legacy_refused_is_counted_and_nothing_else_is_done(
    fake: FakeDynamoDB,
    capsys: pytest.CaptureFixture[str],
    status: int,
    counted: Mirrored | None,
    there: bool,
) -> None:
    set_control(fake, Control(Stage.DUALWRITE))
    send()
    [put] = fake.of("PutItem")
    if there:
        fake.answers["PutItem"] = reply(400, {**TAKEN, "Item": put["Item"]})
    SIDES.legacy_answer = {"statusCode": status, "body": "{}"}
    assert send() is SIDES.legacy_answer
    plain = Mirrored.DUPLICATE if there else Mirrored.STORED
    assert outcomes(capsys) == [Mirrored.STORED, counted or plain]
    assert len(fake.of("PutItem")) == 2


def test_both_sides_refusing_alike_is_a_conflict_and_no_contradiction(
    fake: FakeDynamoDB, capsys: pytest.CaptureFixture[str]
) -> None:
    set_control(fake, Control(Stage.DUALWRITE))
    SIDES.legacy_answer = {"statusCode": 409, "body": "{}"}
    fake.answers["PutItem"] = reply(400, {**TAKEN, "Item": {"points": {"N": "99"}}})
    send()
    assert outcomes(capsys) == [Mirrored.CONFLICT]


def test_a_dead_mirror_is_left_alone_after_three_misses(
    fake: FakeDynamoDB, capsys: pytest.CaptureFixture[str]
) -> None:
    set_control(fake, Control(Stage.DUALWRITE))
    fake.answers["PutItem"] = hang_up
    for _ in range(5):
        assert send() is SIDES.legacy_answer
    assert outcomes(capsys) == [Mirrored.MISSED] * 3 + [Mirrored.SKIPPED] * 2
    assert len(fake.of("PutItem")) == 3


def test_legacys_own_failure_is_the_clients_and_the_mirror_is_still_collected(
    fake: FakeDynamoDB, capsys: pytest.CaptureFixture[str]
) -> None:
    set_control(fake, Control(Stage.DUALWRITE))
    SIDES.legacy_answer["raise"] = True
    with pytest.raises(RuntimeError, match="legacy broke"):
        send()
    assert outcomes(capsys) == [Mirrored.STORED]


def test_live_routes_by_cohort_and_mirrors_forward_only_what_legacy_decides(fake: FakeDynamoDB) -> None:
    set_control(fake, Control(Stage.LIVE, write_weight=5_000))
    for number in range(40):
        send(employee_id=f"emp-{number}")
    sides = [side for side, _ in SIDES.asked]
    assert 10 < sides.count("pipeline") < 30
    assert len(fake.of("PutItem")) == sides.count("legacy")


@pytest.mark.parametrize("side", list(Side))
def test_a_pinned_door_leaves_the_choice_in_live_to_the_alias_that_chose_it(
    fake: FakeDynamoDB, monkeypatch: pytest.MonkeyPatch, side: Side
) -> None:
    monkeypatch.setenv("PINNED_SIDE", side)
    set_control(fake, Control(Stage.LIVE, 5_000, 5_000, epoch=4))
    for number in range(8):
        send(employee_id=f"emp-{number}")
        serve.handler({"requestContext": {"http": {"sourceIp": f"192.0.2.{number}"}}}, None)
    assert {name for name, _ in SIDES.asked} == {side}
    mirrored = len(fake.of("PutItem"))
    assert mirrored == (8 if side is Side.LEGACY else 0), "what legacy decides, the pipeline hears of"


@pytest.mark.parametrize(
    ("stage", "asked"),
    [
        (Stage.OFF, Side.LEGACY),
        (Stage.DUALWRITE, Side.LEGACY),
        (Stage.SHADOW, Side.LEGACY),
        (Stage.RAMPDOWN, Side.PIPELINE),
        (Stage.COMPLETE, Side.PIPELINE),
    ],
)
def test_a_pinned_door_obeys_every_other_stage_so_one_write_rolls_back_before_any_alias_does(
    fake: FakeDynamoDB, monkeypatch: pytest.MonkeyPatch, stage: Stage, asked: Side
) -> None:
    for side in Side:
        monkeypatch.setenv("PINNED_SIDE", side)
        forget()
        set_control(fake, Control(stage))
        send()
        serve.handler({"requestContext": {"http": {"sourceIp": "192.0.2.1"}}}, None)
    assert [name for name, _ in SIDES.asked] == [asked] * 4


def test_rampdown_asks_the_pipeline_alone(fake: FakeDynamoDB) -> None:
    set_control(fake, Control(Stage.RAMPDOWN))
    assert send()["body"] == "pipeline"
    assert fake.of("PutItem") == []


def test_reads_are_routed_and_stick_to_the_client(fake: FakeDynamoDB) -> None:
    set_control(fake, Control(Stage.LIVE, read_weight=5_000))

    def read(address: str) -> str:
        http = {"method": "GET", "sourceIp": address, "userAgent": "test"}
        answer = serve.handler({"rawPath": "/leaderboard", "requestContext": {"http": http}}, None)
        return str(answer["body"])

    once = [read(f"10.0.0.{n}") for n in range(40)]
    assert {"legacy", "pipeline"} == set(once)
    assert [read(f"10.0.0.{n}") for n in range(40)] == once


def test_the_control_item_is_read_once_a_second_and_its_loss_keeps_the_last_value(
    fake: FakeDynamoDB,
) -> None:
    set_control(fake, Control(Stage.RAMPDOWN))
    clock = [0.0]
    cached = control_module.control()
    cached.elapsed = lambda: clock[0]
    assert cached.current().stage is Stage.RAMPDOWN
    fake.answers["GetItem"] = hang_up
    clock[0] = 0.9
    assert cached.current().stage is Stage.RAMPDOWN
    assert fake.reads == 1
    clock[0] = 1.1
    assert cached.current().stage is Stage.RAMPDOWN
    assert fake.reads == 2
    set_control(fake, Control(Stage.SHADOW))
    clock[0] = 2.2
    assert cached.current().stage is Stage.SHADOW


@pytest.mark.parametrize("answer", [reply(200, {}), hang_up, reply(200, {"Item": {"stage": {"S": "?"}}})])
def test_before_any_read_succeeds_the_value_baked_in_at_deployment_holds(
    fake: FakeDynamoDB, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    monkeypatch.setenv("BAKED_CONTROL", '{"stage":"live","write_weight":10000}')
    fake.answers["GetItem"] = answer
    assert control_module.control().current() == Control(Stage.LIVE, write_weight=10_000)


@pytest.mark.parametrize(
    "baked", [None, "", "rampdown", '{"stage":"on"}', '{"stage":"live","weight":1}', "[]"]
)
def test_what_is_baked_in_and_is_no_value_counts_as_off_and_the_table_wins(
    fake: FakeDynamoDB, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], baked: str | None
) -> None:
    monkeypatch.delenv("BAKED_CONTROL") if baked is None else monkeypatch.setenv("BAKED_CONTROL", baked)
    fake.answers["GetItem"] = hang_up
    assert send() is SIDES.legacy_answer
    assert "control.py" in capsys.readouterr().out, "the fault is told"
    set_control(fake, Control(Stage.RAMPDOWN, epoch=4))
    control_module.control()._read_at = float("-inf")
    assert send() is SIDES.pipeline_answer


class Told:
    """The ingest door's counters on a clock of the test's, a second further with each request."""

    def __init__(self, fake: FakeDynamoDB) -> None:
        self.fake, self.at = fake, 1_772_357_400.0
        counted = counters_module.counters(Role.INGEST)
        counted.now = counted.elapsed = lambda: self.at

    def send(self, **changes: Any) -> None:
        self.at += 1
        send(**changes)

    def last(self) -> DoorCounts:
        """Wait until everything that was sent has come in, and read the last."""
        counted = counters_module.counters(Role.INGEST)
        counted._collect(2)
        return self.fake.told()[-1]


def test_counts_are_told_in_an_item_of_the_instances_own(fake: FakeDynamoDB) -> None:
    set_control(fake, Control(Stage.DUALWRITE, epoch=3))
    told = Told(fake)
    for event in ("a", "b", "c"):
        told.send(event_id=event)
    counts = told.last()
    assert (counts.role, counts.epoch, counts.since, counts.at) == (Role.INGEST, 3, told.at - 2, told.at)
    assert counts.sides[Side.LEGACY].failed.of == 3
    assert counts.sides[Side.LEGACY].timed == 2, "the first one pays for the imports"
    assert counts.mirrored == {Mirrored.STORED: 3}
    assert counts.missed_at is None
    assert counts.witness == Witness("emp-1", "c", told.at)
    [item] = [body["Item"] for _, body in fake.received if body["TableName"] == "control" and "Item" in body][
        -1:
    ]
    assert int(item["expires_at"]["N"]) == told.at + counters_module.KEPT_S


def test_counts_are_told_once_a_second_and_cumulate(fake: FakeDynamoDB) -> None:
    set_control(fake, Control(Stage.DUALWRITE))
    told = Told(fake)
    for _ in range(5):
        told.at += 0.3
        send()
    assert len(fake.told()) <= 2
    told.send()
    assert told.last().sides[Side.LEGACY].requests == 6


def test_another_epoch_counts_anew_but_a_missed_mirror_stays_one(fake: FakeDynamoDB) -> None:
    set_control(fake, Control(Stage.DUALWRITE, epoch=3))
    fake.answers["PutItem"] = on_table("facts", hang_up)
    told = Told(fake)
    told.send()
    missed_at = told.at
    assert told.last().mirrored == {Mirrored.MISSED: 1}
    set_control(fake, Control(Stage.RAMPDOWN, epoch=4))
    control_module.control()._read_at = float("-inf")
    told.send()
    counts = told.last()
    assert (counts.epoch, counts.since) == (4, told.at)
    assert set(counts.sides) == {Side.PIPELINE}
    assert (counts.mirrored, counts.missed_at) == ({Mirrored.MISSED: 1}, missed_at)


def test_when_legacy_was_last_contradicted_is_told_and_outlives_the_epoch(fake: FakeDynamoDB) -> None:
    set_control(fake, Control(Stage.DUALWRITE, epoch=3))
    SIDES.legacy_answer = {"statusCode": 409, "body": "{}"}
    told = Told(fake)
    told.send(event_id="a")
    contradicted_at = told.at
    counts = told.last()
    assert (counts.mirrored, counts.contradicted_at) == ({Mirrored.CONTRADICTED: 1}, contradicted_at)
    assert counts.witness == Witness("emp-1", "a", told.at), "it is a fact all the same, and to be folded"
    assert counts.missed_at is None
    set_control(fake, Control(Stage.RAMPDOWN, epoch=4))
    control_module.control()._read_at = float("-inf")
    told.send()
    assert told.last().contradicted_at == contradicted_at


def test_a_sides_errors_are_counted_for_it(fake: FakeDynamoDB) -> None:
    set_control(fake, Control(Stage.RAMPDOWN))
    SIDES.pipeline_answer = {"statusCode": 503, "body": ""}
    told = Told(fake)
    told.send()
    counts = told.last()
    assert str(counts.sides[Side.PIPELINE].failed) == "1 of 1"
    assert counts.witness is None, "what was refused is no fact"


def test_boards_are_counted_by_the_door_that_serves_them(fake: FakeDynamoDB) -> None:
    set_control(fake, Control(Stage.SHADOW, epoch=5))
    http = {"method": "GET", "sourceIp": "10.0.0.1", "userAgent": "test"}
    serve.handler({"rawPath": "/leaderboard", "requestContext": {"http": http}}, None)
    counters_module.counters(Role.SERVE).wire.collect(2)
    [counts] = fake.told()
    assert (counts.role, counts.epoch, counts.sides[Side.LEGACY].requests) == (Role.SERVE, 5, 1)


def test_stage_off_counts_nothing(fake: FakeDynamoDB) -> None:
    set_control(fake, Control(Stage.OFF))
    send()
    assert fake.told() == []


@pytest.mark.parametrize("trouble", [hang, hang_up, garbage, reply(400, THROTTLED), reply(500, {})])
def test_a_control_table_that_takes_no_counts_costs_a_client_nothing(
    fake: FakeDynamoDB,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Callable[[BaseHTTPRequestHandler], None],
) -> None:
    set_control(fake, Control(Stage.RAMPDOWN))
    fake.answers["PutItem"] = on_table("control", trouble)
    told = Told(fake)
    waits: list[float] = []
    wire = counters_module.counters(Role.INGEST).wire
    collect = wire.collect

    def collected(within_s: float) -> Any:
        waits.append(within_s)
        return collect(within_s)

    monkeypatch.setattr(wire, "collect", collected)
    monkeypatch.setattr(counters_module, "TIMEOUT_S", 0.05)
    for _ in range(20):
        told.send()
    assert set(waits) <= {0.025}
    assert len(SIDES.asked) == 20
    assert len(fake.told()) <= 8, "after trouble it is left alone for some seconds"


def test_a_control_table_that_is_down_is_not_even_tried(fake: FakeDynamoDB) -> None:
    set_control(fake, Control(Stage.RAMPDOWN))
    told = Told(fake)
    told.send()
    assert told.last().sides[Side.PIPELINE].requests == 1
    fake.answers["GetItem"] = hang_up
    control_module.control()._read_at = float("-inf")
    told.send()
    assert not counters_module.counters(Role.INGEST)._owed
    set_control(fake, Control(Stage.RAMPDOWN))
    control_module.control()._read_at = float("-inf")
    told.send()
    assert told.last().sides[Side.PIPELINE].requests == 3, "nothing was lost meanwhile"


def on_table(
    table: str, trouble: Callable[[BaseHTTPRequestHandler], None]
) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(request: BaseHTTPRequestHandler) -> None:
        body = request.received  # type: ignore[attr-defined] # the server leaves it there
        (trouble if body["TableName"] == table else reply(200, {}))(request)

    return answer


PULSED = {"statusCode": 202, "body": json.dumps({"employee_id": "#pulse", "event_id": "2026-03-01"})}


@pytest.mark.parametrize("stage", [Stage.DUALWRITE, Stage.RAMPDOWN])
def test_a_pulse_goes_the_pipelines_way_alone_and_is_counted_apart(fake: FakeDynamoDB, stage: Stage) -> None:
    set_control(fake, Control(stage))
    SIDES.pipeline_answer = PULSED
    told = Told(fake)
    assert ingest.handler({"pulse": "a"}, None) is PULSED
    assert SIDES.asked == [("pipeline", {"pulse": "a"})]
    assert fake.of("PutItem") == []
    counts = told.last()
    assert (counts.pulses.requests, counts.sides) == (1, {})
    assert counts.witness == Witness("#pulse", "2026-03-01", told.at)


def test_in_stage_off_nobody_takes_a_pulse(fake: FakeDynamoDB) -> None:
    set_control(fake, Control(Stage.OFF))
    assert ingest.handler({"pulse": "a"}, None) == {"statusCode": 204}
    assert SIDES.asked == []


def on_the_way(fields: dict[str, Any], **how: Any) -> dict[str, Any]:
    return {**post(json.dumps({**ACTIVITY, **fields})), **how}


EARLY = {"occurred_at": "2026-03-01T09:35:00.300Z"}
GET = {"requestContext": {"http": {"method": "GET"}}}


@pytest.mark.parametrize(
    ("event", "status", "missed"),
    [
        (on_the_way(EARLY), 202, 1),  # valid when legacy looked
        (on_the_way(EARLY), 200, 1),
        (on_the_way(EARLY), 400, 0),
        (on_the_way(EARLY), 503, 0),
        (post("not json, but legacy reads it"), 202, 1),
        ({**post("!"), "isBase64Encoded": True}, 202, 1),
        (post(json.dumps({**ACTIVITY, "event_id": "e" * 9_000})), 202, 1),
        ({"httpMethod": "POST", "path": "/activities", "body": None}, 202, 1),
        (on_the_way(EARLY, **GET), 200, 0),
        (on_the_way(EARLY, rawPath="/health"), 200, 0),
        ({"httpMethod": "OPTIONS", "path": "/activities"}, 200, 0),
        ({"source": "a schedule that keeps it warm"}, 200, 0),
    ],
)
def test_what_legacy_accepted_and_the_door_did_not_understand_is_missed(
    fake: FakeDynamoDB, monkeypatch: pytest.MonkeyPatch, event: Any, status: int, missed: int
) -> None:
    monkeypatch.setattr(ingest, "now", lambda: datetime(2026, 3, 1, 9, 30, tzinfo=UTC))
    set_control(fake, Control(Stage.DUALWRITE, epoch=3))
    SIDES.legacy_answer = {"statusCode": status}
    told = Told(fake)
    told.at += 1
    assert ingest.handler(event, None) is SIDES.legacy_answer
    counts = told.last()
    assert counts.mirrored == ({Mirrored.MISSED: 1} if missed else {})
    assert counts.missed_at == (told.at if missed else None)
    assert fake.of("PutItem") == []


@pytest.mark.parametrize("stage", [Stage.RAMPDOWN, Stage.COMPLETE])
def test_where_the_pipeline_decides_no_forward_mirror_is_missed(fake: FakeDynamoDB, stage: Stage) -> None:
    set_control(fake, Control(stage))
    told = Told(fake)
    told.at += 1
    ingest.handler(post("not json, and accepted"), None)
    assert told.last().mirrored == {}


def test_a_miss_is_told_with_the_request_that_missed_it(fake: FakeDynamoDB) -> None:
    set_control(fake, Control(Stage.DUALWRITE, epoch=3))
    told = Told(fake)
    told.send(event_id="a")
    told.last()
    for number, (outcome, answer) in enumerate(
        [(Mirrored.MISSED, reply(500, {})), (Mirrored.CONTRADICTED, reply(200, {}))]
    ):
        fake.answers["PutItem"] = on_table("facts", answer)
        SIDES.legacy_answer = {"statusCode": 202 if outcome is Mirrored.MISSED else 409}
        told.at += 0.1
        send(event_id=f"b{number}")
        assert fake.told()[-1].mirrored[outcome] == 1
    before = len(fake.told())
    SIDES.legacy_answer = {"statusCode": 202}
    told.at += 0.1
    send(event_id="c")
    assert len(fake.told()) == before, "what was taken is not told again at once"


def test_while_every_request_misses_a_mirror_one_a_second_is_told(fake: FakeDynamoDB) -> None:
    """Else each would pay for a write of the control table, while something is down anyway."""
    set_control(fake, Control(Stage.DUALWRITE, epoch=3))
    fake.answers["PutItem"] = on_table("facts", reply(500, {}))
    told = Told(fake)
    for number in range(80):
        told.at += 0.125
        send(event_id=f"a{number}")
    assert len(fake.told()) == 10
    assert told.at - (fake.told()[-1].missed_at or 0) < counters_module.EVERY_S
    set_control(fake, Control(Stage.OFF, epoch=4))
    control_module.control()._read_at = float("-inf")
    told.at += counters_module.EVERY_S
    send(event_id="b")
    assert sum(told.last().mirrored.values()) == 80, "what is untold still is told in stage off"
    send(event_id="c")
    assert not counters_module.counters(Role.INGEST).untold
    assert len(fake.told()) == 11


def test_what_a_door_dates_is_aws_time_whatever_its_own_clock_says(
    fake: FakeDynamoDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_control(fake, Control(Stage.DUALWRITE, epoch=3))
    fake.answers["PutItem"] = on_table("facts", reply(500, {}))
    real = time.time
    monkeypatch.setattr(
        BaseHTTPRequestHandler, "date_time_string", lambda *_: formatdate(real(), usegmt=True)
    )
    for off_s in (-600, 600):
        forget()
        monkeypatch.setattr(time, "time", lambda off_s=off_s: real() + off_s)
        send()
        counts = fake.told()[-1]
        for moment in (counts.since, counts.at, counts.missed_at):
            assert moment == pytest.approx(real(), abs=30)


def test_a_miss_that_was_not_taken_is_told_with_the_next_request(fake: FakeDynamoDB) -> None:
    set_control(fake, Control(Stage.DUALWRITE, epoch=3))
    fake.answers["PutItem"] = reply(400, THROTTLED)
    told = Told(fake)
    told.send(event_id="a")
    fake.answers["PutItem"] = reply(200, {})
    told.at += 5  # the breaker
    send(event_id="b")
    assert fake.told()[-1].mirrored == {Mirrored.MISSED: 1, Mirrored.STORED: 1}
    assert not counters_module.counters(Role.INGEST).untold


def test_a_clock_that_is_set_back_stops_neither_counting_nor_telling(fake: FakeDynamoDB) -> None:
    set_control(fake, Control(Stage.DUALWRITE, epoch=3))
    told = Told(fake)
    told.send(event_id="a")
    counted = counters_module.counters(Role.INGEST)
    fake.answers["PutItem"] = on_table("facts", reply(500, {}))
    told.send(event_id="b")
    missed_at = told.at
    counted.now = lambda: told.at - 600
    told.send(event_id="c")
    counts = told.last()
    assert counts.sides[Side.LEGACY].requests == 3
    assert counts.mirrored == {Mirrored.STORED: 1, Mirrored.MISSED: 2}
    assert counts.missed_at == missed_at, "else it would seem to be reconciled"


def test_a_door_that_could_not_read_the_stage_counts_that_and_tells_it_as_soon_as_it_can(
    fake: FakeDynamoDB,
) -> None:
    fake.answers["GetItem"] = hang_up
    told = Told(fake)
    assert send() is SIDES.legacy_answer
    assert send() is SIDES.legacy_answer
    assert fake.told() == []
    set_control(fake, Control(Stage.RAMPDOWN, epoch=7))
    control_module.control()._read_at = float("-inf")
    send()
    counts = fake.told()[-1]
    assert (counts.epoch, counts.baked, counts.baked_at) == (7, 2, told.at)
    set_control(fake, Control(Stage.SHADOW, epoch=8))
    control_module.control()._read_at = float("-inf")
    told.send()
    assert told.last().baked == 2, "also by the next epoch"


def test_that_it_was_so_is_told_in_stage_off_too(fake: FakeDynamoDB) -> None:
    fake.answers["GetItem"] = reply(500, {})
    serve.handler({"rawPath": "/leaderboard", "requestContext": {"http": {}}}, None)
    set_control(fake, Control(Stage.OFF, epoch=7))
    control_module.control()._read_at = float("-inf")
    for _ in range(3):
        serve.handler({"rawPath": "/leaderboard", "requestContext": {"http": {}}}, None)
    [counts] = fake.told()
    assert (counts.role, counts.baked) == (Role.SERVE, 1)


@pytest.mark.parametrize(("body", "baked"), [({}, 0), ({"Item": None}, 1)])
def test_a_table_that_has_no_stage_yet_was_read_and_one_with_anything_else_was_not(
    fake: FakeDynamoDB, body: Any, baked: int
) -> None:
    fake.answers["GetItem"] = reply(200, body)
    send()
    assert counters_module.counters(Role.INGEST).counts.baked == baked


def stage_item(**changes: Any) -> dict[str, Any]:
    item: dict[str, Any] = {"stage": {"S": "rampdown"}, **changes}
    return {**{name: {"N": "9"} for name in ("write_weight", "read_weight", "epoch")}, **item}


ODD: list[tuple[int, Any]] = [
    (200, []),
    (200, "busy"),
    (200, None),
    (503, []),
    (503, "busy"),
    (500, None),
    (200, {"Item": []}),
    (200, {"Item": "busy"}),
    (200, {"Item": stage_item(stage="off")}),
    (200, {"Item": stage_item(stage={"N": "1"})}),
    (200, {"Item": stage_item(epoch={"S": "nine"})}),
    (200, {"Item": stage_item(epoch={"N": None})}),
    (200, {"Item": stage_item(epoch={"N": [1]})}),
    (200, {"Item": stage_item(write_weight={"N": "10001"})}),
    (400, {"__type": ["no", "text"]}),
    (400, {"__type": "x#ConditionalCheckFailedException", "Item": "busy"}),
    (400, {"__type": "x#ConditionalCheckFailedException", "Item": {"points": "busy"}}),
]


@pytest.mark.parametrize(("status", "body"), ODD)
def test_an_odd_answer_of_dynamodbs_is_a_miss_or_keeps_the_last_value(
    fake: FakeDynamoDB, monkeypatch: pytest.MonkeyPatch, status: int, body: Any
) -> None:
    monkeypatch.setenv("BAKED_CONTROL", '{"stage":"dualwrite"}')
    fake.answers = dict.fromkeys(("GetItem", "PutItem"), reply(status, body))
    loud = Mock()
    monkeypatch.setattr(spared, "tell", loud)
    for _ in range(2):
        assert send() is SIDES.legacy_answer
    loud.assert_not_called()
    set_control(fake, Control(Stage.RAMPDOWN, epoch=4))
    control_module.control()._read_at = float("-inf")
    assert send() is SIDES.pipeline_answer
    fake.answers["GetItem"] = reply(status, body)
    control_module.control()._read_at = float("-inf")
    assert send() is SIDES.pipeline_answer


def test_an_older_epoch_than_was_seen_is_ignored(fake: FakeDynamoDB) -> None:
    cached = control_module.control()
    for epoch, routed in [(5, 5), (4, 5), (5, 5), (1, 5), (6, 6), (5, 6)]:
        set_control(fake, Control(Stage.LIVE, epoch, epoch=epoch))
        cached._read_at = float("-inf")
        assert (cached.current().epoch, cached.current().write_weight) == (routed, routed)
    assert cached.reachable
    assert not cached.blind


class Switched:
    """What a function connects while it initialises."""

    def __init__(self) -> None:
        self.connected = 0
        self.wire = self

    def connect(self) -> None:
        self.connected += 1


@pytest.mark.parametrize(
    ("stage", "connected"), [(Stage.OFF, 0), (Stage.DUALWRITE, 1), (Stage.RAMPDOWN, 1), (None, 0)]
)
def test_connections_are_made_while_the_function_initialises(
    fake: FakeDynamoDB, stage: Stage | None, connected: int
) -> None:
    if stage is None:
        fake.answers["GetItem"] = garbage
    else:
        set_control(fake, Control(stage))
    first, second = Switched(), Switched()
    others: Any = (lambda: first, lambda: second)
    connect_early(control_module.control, *others)
    assert (first.connected, second.connected) == (connected, connected)
    assert fake.reads == 1
    control_module.control().current()
    assert fake.reads > 1, "a request never goes by what was read then"


def test_what_fails_while_the_function_initialises_fails_no_import(
    monkeypatch: pytest.MonkeyPatch, fake: FakeDynamoDB
) -> None:
    set_control(fake, Control(Stage.DUALWRITE))

    def no() -> Any:
        raise KeyError("FACTS_TABLE")

    connect_early(control_module.control, no)
    control_module.control.cache_clear()
    monkeypatch.delenv("MIGRATION")
    connect_early(control_module.control, no)
