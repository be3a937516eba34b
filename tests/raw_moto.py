"""The raw source over a boto3 client, so that what is sent without botocore's parser can meet moto too."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.credentials import Credentials

from migration.aws.transport.clock import SystemClock
from migration.aws.transport.kept_connections import KeptConnections
from migration.aws.transport.raw_dynamodb import RawDynamoDB
from migration.aws.transport.signer import Signer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True)
class ThroughClient(RawDynamoDB):
    """Asks a client, and gives its answer as the bytes that it was made of."""

    client: DynamoDBClient | None = None

    def call(self, operation: str, parameters: dict[str, Any]) -> bytes:
        answer = self.client._make_api_call(operation, parameters)  # type: ignore[union-attr] # moto hears this
        del answer["ResponseMetadata"]
        return json.dumps(answer).encode()


def through(client: DynamoDBClient) -> RawDynamoDB:
    nobody = Signer("http://moto", "us-east-1", Credentials("test", "test"))
    return ThroughClient(nobody, KeptConnections("http://moto", 1), SystemClock(), client=client)
