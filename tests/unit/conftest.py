"""AWS in memory for unit tests: moto, with the pipeline's tables and environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from pipeline.handlers import ingest, serve
from pipeline.stores import clients
from tests.pipeline_aws import create_tables, environment
from tests.waiting import hurry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

PREFIX = "unit"


@pytest.fixture
def pipeline_aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoDBClient]:
    """The client that the handlers themselves use, so that tests can hook into its calls."""
    hurry(monkeypatch, "botocore.endpoint")
    with mock_aws():
        cached = (clients.dynamodb, clients.sqs, ingest.facts, serve.snapshots)
        for function in cached:
            function.cache_clear()
        queue = boto3.client("sqs").create_queue(QueueName=PREFIX)["QueueUrl"]
        for name, value in environment(PREFIX, queue).items():
            monkeypatch.setenv(name, value)
        client = clients.dynamodb()
        create_tables(client, PREFIX)
        yield client
        for function in cached:
            function.cache_clear()
