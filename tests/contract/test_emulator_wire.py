"""Reading AWS calls from requests, and deciding which of them meet a fault, without a server."""

from __future__ import annotations

import json

import pytest

from migration.local.emulator import Fault
from migration.local.emulator.fault_rules import Rules
from migration.local.emulator.named_items import HeldItems
from migration.local.emulator.wire import Call, error_answer, read_call

FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


def signed(service: str) -> dict[str, str]:
    scope = f"AWS4-HMAC-SHA256 Credential=test/20260301/us-east-1/{service}/aws4_request, SignedHeaders=host"
    return {"authorization": scope}


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "expected"),
    [
        (
            "POST",
            "/",
            signed("dynamodb") | {"x-amz-target": "DynamoDB_20120810.PutItem"},
            b"{}",
            ("dynamodb", "PutItem"),
        ),
        (
            "POST",
            "/",
            signed("sts") | FORM,
            b"Version=1&Action=GetCallerIdentity",
            ("sts", "GetCallerIdentity"),
        ),
        ("POST", "/2015-03-31/functions", signed("lambda"), b"{}", ("lambda", "POST /2015-03-31/functions")),
        ("GET", "/_aws/lambda-url/abc/leaderboard", {}, b"", ("lambda-url", "GET /leaderboard")),
        ("POST", "/_aws/execute-api/id/prod/activities", {}, b"", ("execute-api", "POST /prod/activities")),
        ("GET", "/anything", {}, b"", ("", "GET /anything")),
    ],
)
def test_names_a_call_as_aws_does(
    method: str, path: str, headers: dict[str, str], body: bytes, expected: tuple[str, str]
) -> None:
    call = read_call(method, path, headers, body)
    assert (call.service, call.operation) == expected


def test_errors_follow_the_protocol() -> None:
    headers, body = error_answer(Call("dynamodb", "PutItem", b"", xml=False), "Code", "text", {"More": [1]})
    assert headers["x-amzn-errortype"] == "Code"
    assert json.loads(body)["__type"] == "Code"
    assert json.loads(body)["More"] == [1]
    headers, _ = error_answer(Call("sqs", "SendMessage", b"", xml=False), "Code", "text", {})
    assert headers["x-amzn-query-error"] == "Code;Sender"
    _, body = error_answer(Call("sts", "X", b"", xml=True), "Code", "a<b", {})
    assert body == b"<ErrorResponse><Error><Code>Code</Code><Message>a&lt;b</Message></Error></ErrorResponse>"
    _, body = error_answer(Call("s3", "GET /b", b"", xml=True), "NoSuchKey", "", {})
    assert body.startswith(b"<Error><Code>NoSuchKey")


def call(operation: str = "PutItem", body: bytes = b"") -> Call:
    return Call("dynamodb", operation, body, xml=False)


def test_the_first_rule_that_is_due_decides() -> None:
    rules = Rules()
    rules.arm(Fault(service="dynamodb", operation="Put*", code="First", count=1))
    rules.arm(Fault(service="*", code="Second"))
    met = [rules.decide(call(operation)) for operation in ("GetItem", "PutItem", "PutItem")]
    assert [fault and fault.code for fault in met] == ["Second", "First", "Second"]


def test_names_are_compared_with_case_and_bodies_as_they_are() -> None:
    rules = Rules()
    rules.arm(Fault(service="dynamodb", operation="putitem"))
    rules.arm(Fault(service="dynamodb", contains="f\u00e9"))
    assert rules.decide(call()) is None
    assert rules.decide(call(body="a f\u00e9 b".encode())) is not None


def test_only_the_services_of_armed_faults_are_of_concern() -> None:
    rules = Rules()
    assert not rules.concerns("dynamodb")
    fault_id = rules.arm(Fault(service="dynamodb"))
    assert rules.concerns("dynamodb")
    assert not rules.concerns("sqs")
    rules.withdraw(fault_id)
    assert not rules.concerns("dynamodb")


def test_the_report_counts_what_each_fault_met() -> None:
    rules = Rules()
    fault_id = rules.arm(Fault(service="dynamodb", operation="PutItem"))
    for operation in ("PutItem", "GetItem", "PutItem"):
        rules.decide(call(operation))
    report = rules.report()
    assert [(entry["id"], entry["met"]) for entry in report["faults"]] == [(fault_id, 2)]
    assert len(report["log"]) == 2
    rules.clear()
    assert rules.report() == {"faults": [], "log": []}


def update(table: str = "rows", item_id: str = "a") -> dict[str, object]:
    return {"TableName": table, "Key": {"id": {"S": item_id}}}


def transaction(*updates: object, sent_as: str = "t") -> Call:
    actions = [{"Update": one} for one in updates]
    return call(
        "TransactWriteItems", json.dumps({"TransactItems": actions, "ClientRequestToken": sent_as}).encode()
    )


def plain(operation: str, **fields: object) -> Call:
    return call(operation, json.dumps(fields).encode())


def decided(rules: Rules, asked: Call) -> str:
    fault = rules.decide(asked)
    return "" if fault is None else fault.code if fault.kind == "error" else fault.kind


def test_what_a_transaction_holds_stays_held_when_its_fault_is_withdrawn() -> None:
    rules = Rules(HeldItems(lambda _table: ("id",)))
    fault_id = rules.arm(Fault(service="dynamodb", kind="hold", latency_ms=5))
    running = transaction(update())
    assert decided(rules, running) == "hold"
    rules.withdraw(fault_id)
    assert rules.concerns("dynamodb")
    assert not rules.concerns("sqs")
    assert decided(rules, plain("UpdateItem", **update())) == "TransactionConflictException"
    rules.release(running)
    assert not rules.concerns("dynamodb")


@pytest.mark.parametrize(
    ("held", "asked"),
    [
        (
            {"TableName": "arn:aws:dynamodb:us-east-1:000000000000:table/rows", "Key": {"id": {"S": "a"}}},
            update(),
        ),
        *(
            (
                {"TableName": "rows", "Key": {"id": {"N": one}}},
                {"TableName": "rows", "Key": {"id": {"N": "1"}}},
            )
            for one in ("1.0", "01", "1e0")
        ),
    ],
)
def test_an_item_is_the_same_however_it_is_named(held: object, asked: dict[str, object]) -> None:
    rules = Rules(HeldItems(lambda _table: ("id",)))
    rules.arm(Fault(service="dynamodb", kind="hold", latency_ms=5))
    assert decided(rules, transaction(held)) == "hold"
    assert decided(rules, plain("UpdateItem", **asked)) == "TransactionConflictException"


def test_a_transaction_holds_its_items_until_it_is_released() -> None:
    rules = Rules(HeldItems(lambda _table: ("id",)))
    fault_id = rules.arm(Fault(service="dynamodb", kind="hold", latency_ms=5))
    running = transaction(update(), update(item_id="b"))
    assert decided(rules, plain("UpdateItem", **update())) == ""
    assert decided(rules, running) == "hold"
    conflict = "TransactionConflictException"
    assert decided(rules, plain("UpdateItem", **update())) == conflict
    assert decided(rules, plain("DeleteItem", **update(item_id="b"))) == conflict
    assert (
        decided(rules, plain("PutItem", TableName="rows", Item={"id": {"S": "a"}, "x": {"N": "1"}}))
        == conflict
    )
    assert decided(rules, transaction(update(), sent_as="other")) == "TransactionCanceledException"
    assert decided(rules, running) == "TransactionInProgressException"
    for free in (update(item_id="c"), update("other")):
        assert decided(rules, plain("UpdateItem", **free)) == ""
    assert decided(rules, plain("GetItem", **update())) == ""
    assert {one["fault"] for one in rules.report()["log"]} == {fault_id}
    rules.release(running)
    assert decided(rules, plain("UpdateItem", **update())) == ""


def test_a_request_that_is_none_holds_and_meets_nothing() -> None:
    rules = Rules(HeldItems(lambda _table: ("id",)))
    rules.arm(Fault(service="dynamodb", kind="hold", latency_ms=5))
    rules.decide(transaction(update()))
    for body in (b"", b"[]", b"no JSON", b'{"TableName": "rows"}', b'{"TableName": "rows", "Item": {}}'):
        assert rules.decide(call("PutItem", body)) is None
    assert decided(rules, call("TransactWriteItems", b'{"TransactItems": [{"Put": 1}]}')) == "hold"


def test_only_a_read_that_need_not_be_consistent_lags() -> None:
    rules = Rules()
    rules.arm(Fault(service="dynamodb", kind="lag", latency_ms=5))
    assert decided(rules, plain("GetItem", **update())) == "lag"
    assert decided(rules, plain("Query", TableName="rows", ConsistentRead=False)) == "lag"
    assert decided(rules, plain("GetItem", **update(), ConsistentRead=True)) == ""
    assert decided(rules, plain("PutItem", **update())) == ""
