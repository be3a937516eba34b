"""All items of one partition, consistently, in typed structs."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from migration.aws.transport.clients import translated
from migration.aws.transport.pages import PageDecoder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from migration.aws.transport.raw_dynamodb import RawDynamoDB

T = TypeVar("T")


def partition(
    source: RawDynamoDB,
    table: str,
    item: type[T],
    key: tuple[str, Mapping[str, str]],
    condition: str | None = None,
) -> Iterator[T]:
    """Read the items whose partition key has this value.

    Args:
        source: DynamoDB.
        table: its name.
        item: what an item is decoded into.
        key: the partition key's attribute and value: "employee_id", {"S": "e-1"}.
        condition: a filter, as a scan's.

    Raises:
        RemoteError: when DynamoDB fails or refuses.
        IntegrityError: when an item is not what it must be.
    """
    decoder = PageDecoder(table, item)
    request = {
        "TableName": table,
        "ConsistentRead": True,
        "KeyConditionExpression": "#k = :v",
        "ExpressionAttributeNames": {"#k": key[0]},
        "ExpressionAttributeValues": {":v": key[1]},
        **({"FilterExpression": condition} if condition else {}),
    }
    while True:
        with translated(f"reading {table}"):
            page = decoder.decode(source.call("Query", request))
        yield from page.Items
        if page.next_key is None:
            return
        request["ExclusiveStartKey"] = msgspec.json.decode(page.next_key)
