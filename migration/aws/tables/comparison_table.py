"""Comparisons in the control table: `comparison#TIME`, one item each, deflated, gone after `expires_at`."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from migration.aws.transport.clients import translated
from migration.compare.shadow.comparison import comparison_fields, comparison_of
from migration.model.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

    from migration.compare.shadow.comparison import Comparison

COMPARISON: Final = "comparison#"
_AFTER: Final = "comparison$"  # the first key after every comparison's


@dataclass(frozen=True, slots=True)
class ComparisonTable:
    """One migration's comparisons in DynamoDB."""

    client: DynamoDBClient
    table: str
    migration: str

    def add(self, comparison: Comparison, until: datetime) -> None:
        """Record a comparison; its time is its key, so writing it again after a lost answer is the same."""
        text = json.dumps(comparison_fields(comparison), separators=(",", ":"), ensure_ascii=False)
        item: Any = {
            "migration": {"S": self.migration},
            "record": {"S": f"{COMPARISON}{comparison.at}"},
            "body": {"B": zlib.compress(text.encode())},
            "expires_at": {"N": str(int(until.timestamp()))},
        }
        with translated(f"recording a comparison in {self.table}"):
            self.client.put_item(TableName=self.table, Item=item)

    def since(self, at: str) -> Iterator[Comparison]:
        """Read comparisons in order; one that has expired may still be there."""
        with translated(f"reading comparisons in {self.table}"):
            pages = self.client.get_paginator("query").paginate(
                TableName=self.table,
                ConsistentRead=True,
                KeyConditionExpression="migration = :m AND #record BETWEEN :first AND :last",
                ExpressionAttributeNames={"#record": "record"},
                ExpressionAttributeValues={
                    ":m": {"S": self.migration},
                    ":first": {"S": f"{COMPARISON}{at}"},
                    ":last": {"S": _AFTER},
                },
            )
            for page in pages:
                yield from map(_read, page["Items"])


def _read(item: Any) -> Comparison:  # noqa: ANN401 - a wire value
    try:
        return comparison_of(json.loads(zlib.decompress(item["body"]["B"])))
    except (zlib.error, KeyError, TypeError, ValueError) as error:
        raise IntegrityError(
            f"the record {item['record']['S']} is not a comparison: {error!r}",
            hint="another version of the comparator wrote it; leave it out with --since",
        ) from error
