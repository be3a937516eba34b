"""What the front door's instances told, read from their partition of the control table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migration.aws.transport.clients import translated
from migration.door.count_item import counts_of, door_partition

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from migration.door.counts import DoorCounts


@dataclass(frozen=True, slots=True)
class DoorCountsTable:
    """One migration's doors."""

    client: DynamoDBClient
    table: str
    migration: str

    def read(self) -> list[DoorCounts]:
        """Read every instance's item; DynamoDB removes those that expired within days, not at once."""
        with translated(f"reading the doors' counts in {self.table}"):
            pages = self.client.get_paginator("query").paginate(
                TableName=self.table,
                ConsistentRead=True,
                KeyConditionExpression="migration = :m",
                ExpressionAttributeValues={":m": {"S": door_partition(self.migration)}},
            )
            return [counts_of(item) for page in pages for item in page["Items"]]
