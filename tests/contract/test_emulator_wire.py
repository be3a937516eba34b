"""Reading AWS calls from requests, and deciding which of them meet a fault, without a server."""

from __future__ import annotations

import json

import pytest

from migration.local.emulator import Fault
from migration.local.emulator.fault_rules import Rules
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
