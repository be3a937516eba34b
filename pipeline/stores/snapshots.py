"""Stored boards: a version a run, and `latest`, which only ever moves forward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline.domain.snapshot import LATEST, decode, encode, latest_key
from pipeline.stores.errors import code_of, translated

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


@dataclass(frozen=True, slots=True)
class SnapshotTable:
    """The table that serving reads."""

    client: DynamoDBClient
    name: str

    def latest(self, board: str) -> dict[str, Any] | None:
        """Read a board's newest snapshot; None when there is none.

        Raises:
            UnavailableError: when DynamoDB does not answer.
        """
        with translated():
            answer = self.client.get_item(TableName=self.name, Key=latest_key(board))
        return decode(answer["Item"]["body"]["B"]) if "Item" in answer else None

    def publish(self, snapshot: dict[str, Any], expires_at: datetime) -> bool:
        """Store a snapshot under its version, then as `latest` unless a newer one is there already.

        A crash between the two leaves an unserved version, which expires. Returns whether it is the latest.

        Raises:
            UnavailableError: when DynamoDB does not answer.
        """
        item: dict[str, AttributeValueTypeDef] = {
            "board": {"S": snapshot["board"]},
            "generated_at": {"S": snapshot["generated_at"]},
            "body": {"B": encode(snapshot)},
        }
        with translated():
            self.client.put_item(
                TableName=self.name,
                Item={
                    **item,
                    "version": {"S": snapshot["version"]},
                    "expires_at": {"N": str(int(expires_at.timestamp()))},
                },
            )
            return self._put_latest({**item, "version": {"S": LATEST}})

    def _put_latest(self, item: dict[str, AttributeValueTypeDef]) -> bool:
        try:
            self.client.put_item(
                TableName=self.name,
                Item=item,
                ConditionExpression="attribute_not_exists(generated_at) OR generated_at <= :t",
                ExpressionAttributeValues={":t": item["generated_at"]},
            )
        except ClientError as error:
            if code_of(error) != "ConditionalCheckFailedException":
                raise
            return False
        return True
