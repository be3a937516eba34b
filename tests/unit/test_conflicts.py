"""A write that DynamoDB refused for now is made again until it is taken or its time is over."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from migration.aws.transport.conflicts import TryAgain, refused_for_now
from tests.doubles.clock import MemoryClock
from tests.dynamodb_http import Fault, dynamodb_over_http

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.dynamodb_http import HttpDynamoDB

KEY: Any = {"id": {"S": "1"}}


def refused(code: str, *reasons: str) -> Fault:
    more = {"CancellationReasons": [{"Code": one} for one in reasons]} if reasons else {}
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no", **more}
    return Fault(400, json.dumps(body).encode())


CONFLICT = refused("TransactionConflictException")


@pytest.fixture(scope="module")
def server() -> Iterator[HttpDynamoDB]:
    with dynamodb_over_http() as http:
        http.client.create_table(
            TableName="rows",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        )
        yield http


@pytest.fixture
def dynamodb(server: HttpDynamoDB) -> HttpDynamoDB:
    server.faults.clear()
    server.requests.clear()
    return server


def client_of(dynamodb: HttpDynamoDB, within_s: float = 5) -> tuple[Any, MemoryClock]:
    client, clock = boto3.client("dynamodb", endpoint_url=dynamodb.endpoint_url), MemoryClock()
    TryAgain(within_s, clock.elapsed, clock.sleep, lambda: 1.0).attach(client.meta.events)
    return client, clock


@pytest.mark.parametrize(
    "fault",
    [
        CONFLICT,
        refused("TransactionCanceledException", "TransactionConflict", "None"),
        refused("TransactionCanceledException", "None", "ThrottlingError"),
        refused("TransactionCanceledException", "ProvisionedThroughputExceeded", "TransactionConflict"),
    ],
)
def test_what_was_refused_for_now_is_made_again(dynamodb: HttpDynamoDB, fault: Fault) -> None:
    client, clock = client_of(dynamodb)
    began = clock.elapsed()
    dynamodb.faults.extend([fault] * 7)
    client.put_item(TableName="rows", Item=KEY)
    assert len(dynamodb.requests) == 8
    assert clock.elapsed() - began == pytest.approx(0.02 + 0.04 + 0.08 + 0.16 + 0.32 + 0.5 + 0.5)


@pytest.mark.parametrize(
    "fault",
    [
        refused("ConditionalCheckFailedException"),
        refused("ValidationException"),
        refused("TransactionCanceledException"),
        refused("TransactionCanceledException", "None", "None"),
        refused("TransactionCanceledException", "TransactionConflict", "ConditionalCheckFailed"),
        refused("TransactionCanceledException", "TransactionConflict", "ValidationError"),
    ],
)
def test_what_would_be_refused_again_or_may_be_written_is_not(dynamodb: HttpDynamoDB, fault: Fault) -> None:
    client, _ = client_of(dynamodb)
    dynamodb.faults.append(fault)
    with pytest.raises(ClientError):
        client.put_item(TableName="rows", Item=KEY)
    assert len(dynamodb.requests) == 1


def test_the_error_is_raised_when_its_time_is_over(dynamodb: HttpDynamoDB) -> None:
    client, clock = client_of(dynamodb, within_s=0.2)
    began = clock.elapsed()
    dynamodb.faults.extend([CONFLICT] * 20)
    with pytest.raises(client.exceptions.TransactionConflictException):
        client.put_item(TableName="rows", Item=KEY)
    assert len(dynamodb.requests) == 4
    assert clock.elapsed() - began <= 0.2


def test_each_request_has_its_own_time(dynamodb: HttpDynamoDB) -> None:
    client, _ = client_of(dynamodb, within_s=0.2)
    for _ in range(3):
        dynamodb.faults.extend([CONFLICT] * 3)
        client.put_item(TableName="rows", Item=KEY)


def test_all_clients_of_a_session_do_it(dynamodb: HttpDynamoDB) -> None:
    session, clock = boto3.Session(), MemoryClock()
    TryAgain(5, clock.elapsed, clock.sleep).attach(session.events)
    dynamodb.faults.extend([CONFLICT] * 2)
    session.resource("dynamodb", endpoint_url=dynamodb.endpoint_url).Table("rows").put_item(Item={"id": "1"})
    assert len(dynamodb.requests) == 3


def test_an_answer_without_an_error_is_none() -> None:
    assert not refused_for_now({})
