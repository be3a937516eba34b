"""Ingest: one conditional put an accepted activity, and an answer that says what happened."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ReadTimeoutError

from pipeline.domain.activity import Activity
from pipeline.domain.fact import fact_item
from pipeline.handlers import ingest
from tests.pipeline_aws import scan

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient

PREFIX = "unit"
VALID = {
    "event_id": "ev-1",
    "employee_id": "emp-1",
    "program_id": "prog-1",
    "activity_type": "task_completed",
    "points": 10,
    "occurred_at": "2026-03-01T09:30:00Z",
}


def event(body: str, *, method: str = "POST", path: str = "/activities", encoded: bool = False) -> Any:
    return {
        "version": "2.0",
        "rawPath": path,
        "headers": {"Content-Type": "application/json"},
        "requestContext": {"http": {"method": method, "path": path}},
        "body": body,
        "isBase64Encoded": encoded,
    }


def send(fields: Any, **how: Any) -> tuple[int, dict[str, Any]]:
    answer = ingest.handler(event(json.dumps(fields), **how), None)
    return answer["statusCode"], json.loads(answer["body"])


def calls_of(client: DynamoDBClient) -> Counter[str]:
    calls: Counter[str] = Counter()
    client.meta.events.register("before-call.dynamodb.*", lambda model, **_: calls.update([model.name]))
    return calls


def test_an_accepted_activity_is_one_put_and_nothing_else(pipeline_aws: DynamoDBClient) -> None:
    calls = calls_of(pipeline_aws)
    assert send(VALID) == (202, {"status": "accepted", "employee_id": "emp-1", "event_id": "ev-1"})
    assert calls == {"PutItem": 1}
    [fact] = scan(pipeline_aws, PREFIX, "facts")
    assert fact.pop("ingested_at") > "2026"
    assert fact == {**VALID, "occurred_at": "2026-03-01T09:30:00.000Z", "lane": "live", "side": "pipeline"}


def test_the_same_activity_again_is_accepted_and_stored_once(pipeline_aws: DynamoDBClient) -> None:
    first = send(VALID)
    [before] = scan(pipeline_aws, PREFIX, "facts")
    assert send(VALID) == first
    assert scan(pipeline_aws, PREFIX, "facts") == [before]


def test_without_an_event_id_a_retry_is_the_same_fact(pipeline_aws: DynamoDBClient) -> None:
    bare = {name: value for name, value in VALID.items() if name != "event_id"}
    assert send(bare) == send({**bare, "occurred_at": "2026-03-01T10:30:00+01:00"})
    assert len(scan(pipeline_aws, PREFIX, "facts")) == 1


def mirrored(client: DynamoDBClient, **changes: str) -> None:
    """Store the activity as the forward mirror does, or a backfill."""
    activity = Activity(**{**VALID, "occurred_at": "2026-03-01T09:30:00.000Z"})  # type: ignore[arg-type]
    item = fact_item(activity, "2026-03-01T09:30:01.000Z", **{"lane": "live", "side": "legacy", **changes})
    client.put_item(TableName=f"{PREFIX}-facts", Item=item)


def in_between(client: DynamoDBClient, happens: Callable[[], object]) -> None:
    """Have something happen between the put and the update, once."""

    def meanwhile(**_: Any) -> None:
        client.meta.events.unregister("before-call.dynamodb.UpdateItem", meanwhile)
        happens()

    client.meta.events.register("before-call.dynamodb.UpdateItem", meanwhile)


def test_a_fact_of_a_call_that_legacy_failed_is_handed_over_before_it_is_acknowledged(
    pipeline_aws: DynamoDBClient,
) -> None:
    mirrored(pipeline_aws)
    [before] = scan(pipeline_aws, PREFIX, "facts")
    calls = calls_of(pipeline_aws)
    assert [send(VALID)[0] for _ in range(3)] == [202] * 3
    assert calls == {"PutItem": 3, "UpdateItem": 1}
    assert scan(pipeline_aws, PREFIX, "facts") == [{**before, "side": "pipeline"}]


def test_history_is_legacys_own_and_not_handed_over(pipeline_aws: DynamoDBClient) -> None:
    mirrored(pipeline_aws, lane="history")
    calls = calls_of(pipeline_aws)
    assert send(VALID)[0] == 202
    assert calls == {"PutItem": 1}


def test_other_content_is_not_handed_over(pipeline_aws: DynamoDBClient) -> None:
    mirrored(pipeline_aws)
    calls = calls_of(pipeline_aws)
    assert send({**VALID, "occurred_at": "2026-03-01T09:30:00.001Z"})[0] == 409
    assert calls == {"PutItem": 1}


@pytest.mark.parametrize("moment", ["before-call", "after-call"])
def test_what_is_not_known_to_be_handed_over_is_not_acknowledged(
    pipeline_aws: DynamoDBClient, moment: str
) -> None:
    def fail(**_: Any) -> None:
        raise ReadTimeoutError(endpoint_url="dynamodb")

    mirrored(pipeline_aws)
    pipeline_aws.meta.events.register(f"{moment}.dynamodb.UpdateItem", fail)
    answer = ingest.handler(event(json.dumps(VALID)), None)
    assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (503, "1")
    pipeline_aws.meta.events.unregister(f"{moment}.dynamodb.UpdateItem", fail)
    assert send(VALID)[0] == 202
    assert [fact["side"] for fact in scan(pipeline_aws, PREFIX, "facts")] == ["pipeline"]


def test_of_two_retries_at_once_both_are_acknowledged(pipeline_aws: DynamoDBClient) -> None:
    mirrored(pipeline_aws)
    in_between(pipeline_aws, lambda: send(VALID))
    assert send(VALID)[0] == 202


def test_a_fact_that_is_restated_meanwhile_is_a_conflict(pipeline_aws: DynamoDBClient) -> None:
    mirrored(pipeline_aws)
    in_between(pipeline_aws, lambda: set_points(pipeline_aws, 99))
    assert send(VALID)[0] == 409
    assert [fact["side"] for fact in scan(pipeline_aws, PREFIX, "facts")] == ["legacy"]


def test_a_fact_that_is_gone_meanwhile_is_not_acknowledged(pipeline_aws: DynamoDBClient) -> None:
    mirrored(pipeline_aws)
    key: Any = {name: {"S": VALID[name]} for name in ("employee_id", "event_id")}
    in_between(pipeline_aws, lambda: pipeline_aws.delete_item(TableName=f"{PREFIX}-facts", Key=key))
    assert send(VALID)[0] == 503
    assert send(VALID)[0] == 202


def set_points(client: DynamoDBClient, points: int) -> None:
    key: Any = {name: {"S": VALID[name]} for name in ("employee_id", "event_id")}
    client.update_item(
        TableName=f"{PREFIX}-facts",
        Key=key,
        UpdateExpression="SET points = :points",
        ExpressionAttributeValues={":points": {"N": str(points)}},
    )


@pytest.mark.parametrize("change", [{"points": 11}, {"program_id": "other"}])
def test_the_same_event_id_with_other_content_is_a_conflict(
    pipeline_aws: DynamoDBClient, change: dict[str, Any]
) -> None:
    send(VALID)
    before = scan(pipeline_aws, PREFIX, "facts")
    status, body = send({**VALID, **change})
    assert (status, body["error"]) == (409, "conflict")
    assert scan(pipeline_aws, PREFIX, "facts") == before


def test_another_employee_may_use_the_same_event_id(pipeline_aws: DynamoDBClient) -> None:
    assert send(VALID)[0] == send({**VALID, "employee_id": "emp-2"})[0] == 202
    assert len(scan(pipeline_aws, PREFIX, "facts")) == 2


def test_bad_fields_are_named_and_nothing_is_written(pipeline_aws: DynamoDBClient) -> None:
    calls = calls_of(pipeline_aws)
    status, body = send({**VALID, "points": 0, "activity_type": "nap"})
    assert (status, body["error"], body["message"]) == (
        400,
        "invalid_activity",
        "2 fields break their rule",
    )
    assert [problem["field"] for problem in body["problems"]] == ["activity_type", "points"]
    assert not calls


@pytest.mark.parametrize(
    "body", ["", "nope", "[]", "1", '"x"', "null", "{", "[" * 4000, '\ufeff{"points":1}', '{"a":"\ud800"}x']
)
def test_what_is_not_one_json_object_is_refused(pipeline_aws: DynamoDBClient, body: str) -> None:
    answer = ingest.handler(event(body), None)
    assert (answer["statusCode"], json.loads(answer["body"])["error"]) == (400, "invalid_json")


def test_bytes_that_are_not_utf8_are_refused(pipeline_aws: DynamoDBClient) -> None:
    encoded = base64.b64encode('{"employee_id":"é"}'.encode("latin-1")).decode()
    answer = ingest.handler(event(encoded, encoded=True), None)
    assert (answer["statusCode"], json.loads(answer["body"])["error"]) == (400, "invalid_json")


def test_checks_come_in_the_order_path_method_size(pipeline_aws: DynamoDBClient) -> None:
    huge = "x" * 8193
    assert ingest.handler(event(huge, method="GET", path="/nope"), None)["statusCode"] == 404
    refused = ingest.handler(event(huge, method="GET"), None)
    assert (refused["statusCode"], refused["headers"]["Allow"]) == (405, "POST")
    assert ingest.handler(event(huge), None)["statusCode"] == 413
    assert ingest.handler(event("x" * 8192), None)["statusCode"] == 400


def test_a_rest_api_event_is_read_like_a_function_url_event(pipeline_aws: DynamoDBClient) -> None:
    body = base64.b64encode(json.dumps(VALID).encode()).decode()
    rest = {
        "httpMethod": "POST",
        "path": "/activities",
        "headers": None,
        "body": body,
        "isBase64Encoded": True,
    }
    assert ingest.handler({**rest, "requestContext": {"stage": "v1"}}, None)["statusCode"] == 202


def test_a_put_without_an_answer_is_not_acknowledged_and_its_retry_is_the_same_fact(
    pipeline_aws: DynamoDBClient,
) -> None:
    def lose_the_answer(**_: Any) -> None:
        raise ReadTimeoutError(endpoint_url="dynamodb")

    pipeline_aws.meta.events.register("after-call.dynamodb.PutItem", lose_the_answer)
    answer = ingest.handler(event(json.dumps(VALID)), None)
    assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (503, "1")
    pipeline_aws.meta.events.unregister("after-call.dynamodb.PutItem", lose_the_answer)
    assert send(VALID)[0] == 202
    assert len(scan(pipeline_aws, PREFIX, "facts")) == 1


def test_ingest_imports_neither_powertools_nor_pydantic() -> None:
    code = (
        "import sys, pipeline.handlers.ingest;"
        "print([name for name in ('pydantic', 'aws_lambda_powertools') if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout == "[]\n"
