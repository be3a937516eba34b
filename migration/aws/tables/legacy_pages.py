"""Legacy's events one page after the other, with no library beyond the runtime's: what a function reads with.

A scan in threads and a typed decoder make a machine fast; a function copies one segment, whose writes take
longer than its pages.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migration.aws.tables.legacy_rows import FINISHED
from migration.aws.transport.clients import translated
from migration.backfill.estimate import TableSize
from migration.backfill.legacy_events import EventPage
from migration.model.legacy.mapping import UnmappableError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

    from migration.aws.transport.raw_dynamodb import RawDynamoDB
    from migration.model.fold import Activity

    Read = Callable[[Mapping[str, Any]], Activity]


@dataclass(frozen=True, slots=True)
class LegacyPages:
    """One legacy's events.

    Attributes:
        client: DynamoDB, to describe the table.
        source: the same, for scans.
        table: its name.
        read: makes an activity of an item, or raises `UnmappableError`.
        page_items: how many events the next page may have.
    """

    client: DynamoDBClient
    source: RawDynamoDB
    table: str
    read: Read
    page_items: Callable[[], int]

    def pages(self, segments: int, positions: Mapping[int, str | None]) -> Generator[EventPage]:
        """Read on from the positions, segment by segment."""
        for number in range(segments):
            position = positions.get(number, "")
            while position is not None:
                page = self._page(number, segments, position)
                yield page
                position = page.position

    def size(self) -> TableSize:
        """Ask DynamoDB, which counts every six hours."""
        return table_size(self.client, self.table)

    def _page(self, number: int, segments: int, position: str) -> EventPage:
        request = {
            "TableName": self.table,
            "Segment": number,
            "TotalSegments": segments,
            "ConsistentRead": True,
            "Limit": self.page_items(),
            "FilterExpression": FINISHED,
            **({"ExclusiveStartKey": json.loads(position)} if position else {}),
        }
        with translated(f"reading {self.table}"):
            answer = json.loads(self.source.call("Scan", request))
        after = answer.get("LastEvaluatedKey")
        return event_page(self.read, number, json.dumps(after) if after else None, answer["Items"])


def event_page(
    read: Read, segment: int, position: str | None, items: Iterable[Mapping[str, Any]]
) -> EventPage:
    """Read a page's items; what does not fit the plan is named and stops nothing."""
    activities, misfits = [], []
    for item in items:
        try:
            activities.append(read(item))
        except UnmappableError as error:
            misfits.append(str(error))
    return EventPage(segment, position, tuple(activities), tuple(misfits))


def table_size(client: DynamoDBClient, table: str) -> TableSize:
    """Tell how much a table holds, about."""
    with translated(f"describing {table}"):
        found = client.describe_table(TableName=table)["Table"]
    return TableSize(found.get("ItemCount", 0), found.get("TableSizeBytes", 0))
