"""The door's connection to DynamoDB: one signer and one pool with everybody else, and no import more."""

from __future__ import annotations

import subprocess
import sys

import pytest

from migration.door.wire import DynamoWire, MissedError, WireAnswer
from tests.dynamodb_http import Fault, dynamodb_over_http
from tests.waiting import eventually

COLD = "import sys, migration.door.ingest, migration.door.serve; print(*sys.modules)"


def test_the_doors_cold_start_makes_no_client_and_reads_no_more_of_the_toolkit_than_it_uses() -> None:
    run = subprocess.run([sys.executable, "-c", COLD], check=True, capture_output=True, text=True)
    names = set(run.stdout.split())
    assert not names & {"boto3", "pydantic", "duckdb", "msgspec", "migration.aws.transport.clients"}
    assert not names & {"pipeline.handlers.ingest", "legacy.ingest"}, (
        "a side is imported when it is first asked"
    )


def test_an_answer_still_owed_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    with dynamodb_over_http() as dynamodb:
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.endpoint_url)
        dynamodb.faults.append(Fault(400, b'{"__type":"x#ResourceNotFoundException"}'))
        dynamodb.faults.append(Fault(200, b'{"Item":{}}'))
        wire = DynamoWire(5)
        wire.send("GetItem", {"TableName": "first"})
        eventually(lambda: len(dynamodb.faults) == 1, 5, 0.001)
        wire.send("GetItem", {"TableName": "second"})
        assert wire.collect(5) == WireAnswer({"Item": {}}, "")
        with pytest.raises(MissedError, match="NotSent"):
            wire.collect(5)


def test_nobody_there_is_missed_and_not_raised_as_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1")
    with pytest.raises(MissedError, match="EndpointConnectionError"):
        DynamoWire(1).send("GetItem", {"TableName": "any"})
