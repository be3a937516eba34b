"""The door in a client's request: legacy's answer untouched, whatever the other side does."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from migration.door import control as control_module
from migration.door import counters as counters_module
from migration.door import ingest, serve
from migration.door.counts import Role, Witness
from migration.door.mirror import Mirrored
from migration.model.side import Side
from migration.model.stages import Control, Stage
from tests.door_world import (
    ACTIVITY,
    SIDES,
    TAKEN,
    THROTTLED,
    FakeDynamoDB,
    deployed_door,
    forget,
    garbage,
    hang,
    hang_up,
    post,
    reply,
    set_control,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.server import BaseHTTPRequestHandler

    from migration.door.counts import DoorCounts


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDynamoDB]:
    with deployed_door(monkeypatch) as dynamodb:
        yield dynamodb


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
    SIDES.raised = RuntimeError("legacy broke")
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


def test_an_epoch_older_than_one_that_was_seen_is_not_gone_back_to(fake: FakeDynamoDB) -> None:
    cached = control_module.control()
    for seen, routed in (
        (Control(Stage.LIVE, 500, epoch=7), Control(Stage.LIVE, 500, epoch=7)),
        (Control(Stage.DUALWRITE, epoch=6), Control(Stage.LIVE, 500, epoch=7)),
        (Control(Stage.SHADOW, epoch=7), Control(Stage.SHADOW, epoch=7)),
        (Control(Stage.OFF, epoch=0), Control(Stage.SHADOW, epoch=7)),
        (Control(Stage.DUALWRITE, epoch=8), Control(Stage.DUALWRITE, epoch=8)),
    ):
        set_control(fake, seen)
        cached._read_at = float("-inf")
        assert cached.current() == routed


@pytest.mark.parametrize("answer", [reply(200, {}), hang_up, reply(200, {"Item": {"stage": {"S": "?"}}})])
def test_before_any_read_succeeds_the_value_baked_in_at_deployment_holds(
    fake: FakeDynamoDB, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    monkeypatch.setenv("BAKED_CONTROL", '{"stage":"live","write_weight":10000}')
    fake.answers["GetItem"] = answer
    assert control_module.control().current() == Control(Stage.LIVE, write_weight=10_000)


class Told:
    """The ingest door's counters on a clock of the test's, a second further with each request."""

    def __init__(self, fake: FakeDynamoDB) -> None:
        self.fake, self.at = fake, 1_772_357_400.0
        counters_module.counters(Role.INGEST).now = lambda: self.at

    def send(self, **changes: Any) -> None:
        self.at += 1
        send(**changes)

    def last(self) -> DoorCounts:
        """Wait until everything that was sent has come in, and read the last."""
        counters_module.counters(Role.INGEST).wire.collect(2)
        counters_module.counters(Role.INGEST)._sent = False
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
    fake: FakeDynamoDB, trouble: Callable[[BaseHTTPRequestHandler], None]
) -> None:
    set_control(fake, Control(Stage.RAMPDOWN))
    fake.answers["PutItem"] = on_table("control", trouble)
    told = Told(fake)
    started = time.perf_counter()
    for _ in range(20):
        told.send()
    assert time.perf_counter() - started < 0.5
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
    assert not counters_module.counters(Role.INGEST)._sent
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
