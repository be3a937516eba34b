"""The DynamoDBs that a port's contract is held to: moto's, the local AWS's, and one that a variable names.

The named one is started by nobody here. Tables have names of their own, and are deleted after each test.
"""

from __future__ import annotations

import os
import re
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from moto import mock_aws

from migration.aws.transport.raw_dynamodb import beside
from tests.raw_moto import through

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

    from migration.aws.transport.raw_dynamodb import RawDynamoDB
    from migration.local.emulator import Emulator

VARIABLE: Final = "CUTOVER_DYNAMODB_URL"
PROFILE: Final = "CUTOVER_DYNAMODB_PROFILE"
LOCAL: Final = pytest.param("local", marks=pytest.mark.slow)
NAMED: Final = pytest.param(
    "named",
    marks=[
        pytest.mark.slow,
        pytest.mark.skipif(VARIABLE not in os.environ, reason=f"{VARIABLE} names no DynamoDB"),
    ],
)
REAL: Final = (LOCAL, NAMED)
ENGINES: Final = ("moto", *REAL)
# moto answers for queues, and leaves DynamoDB alone.
_QUEUES_ONLY: Any = {
    "core": {"mock_credentials": False, "passthrough": {"services": ["dynamodb"], "urls": []}}
}
_SOON: Any = {"Delay": 1, "MaxAttempts": 60}


@dataclass(frozen=True)
class Engine:
    """A DynamoDB, and queues beside it."""

    dynamodb: DynamoDBClient
    sqs: SQSClient
    raw: RawDynamoDB


def unique(word: str) -> str:
    """Name what one test makes, since an engine may be everybody's."""
    return f"cutover-{word}-{uuid.uuid4().hex[:8]}"


@contextmanager
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Open the engine that a test's parameter names."""
    if request.param == "moto":
        with mock_aws():
            dynamodb = boto3.client("dynamodb")
            yield Engine(dynamodb, boto3.client("sqs"), through(dynamodb))
    elif request.param == "local":
        emulator: Emulator = request.getfixturevalue("emulator")
        with _tidied(boto3.client("dynamodb", **emulator.client_arguments)) as dynamodb:
            yield Engine(dynamodb, boto3.client("sqs", **emulator.client_arguments), beside(dynamodb, 4))
    else:
        with _named(os.environ[VARIABLE]) as named:
            yield named


@contextmanager
def _named(url: str) -> Iterator[Engine]:
    region = re.search(r"//dynamodb\.([a-z0-9-]+)\.", url)
    with pytest.MonkeyPatch.context() as patch, mock_aws(config=_QUEUES_ONLY):
        for name, text in _credentials().items():
            patch.setenv(name, text)
        client = boto3.client("dynamodb", endpoint_url=url, region_name=region[1] if region else "us-east-1")
        with _tidied(client) as dynamodb:
            yield Engine(dynamodb, boto3.client("sqs"), beside(dynamodb, 4))


def _credentials() -> dict[str, str]:
    """Read a profile's credentials; without one, those that every test has, which open no account."""
    if PROFILE not in os.environ:
        return {}
    found = boto3.Session(profile_name=os.environ[PROFILE]).get_credentials()
    assert found is not None, f"profile {os.environ[PROFILE]} has no credentials"
    its = found.get_frozen_credentials()
    keys = {"AWS_ACCESS_KEY_ID": its.access_key, "AWS_SECRET_ACCESS_KEY": its.secret_key}
    texts = {**keys, "AWS_SESSION_TOKEN": its.token}
    return {name: text for name, text in texts.items() if text}


@contextmanager
def _tidied(client: DynamoDBClient) -> Iterator[DynamoDBClient]:
    """Wait for each table that a client makes until it is there, and delete them all in the end."""
    made: list[str] = []

    def wait(parsed: Any, **_: Any) -> None:
        if description := parsed.get("TableDescription"):
            made.append(description["TableName"])
            client.get_waiter("table_exists").wait(TableName=made[-1], WaiterConfig=_SOON)

    client.meta.events.register("after-call.dynamodb.CreateTable", wait)
    try:
        yield client
    finally:
        for table in made:
            with suppress(client.exceptions.ResourceNotFoundException):
                client.delete_table(TableName=table)
