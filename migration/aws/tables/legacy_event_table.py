"""Legacy's event table in DynamoDB, read page by page as the plan file lays it out, and never written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migration.aws.tables.legacy_pages import event_page, table_size
from migration.aws.tables.legacy_rows import FINISHED
from migration.aws.transport.scan import ReadPace, Scan, batches

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

    from migration.aws.tables.legacy_pages import Read
    from migration.aws.transport.raw_dynamodb import RawDynamoDB
    from migration.aws.transport.scan import Batch
    from migration.backfill.estimate import TableSize
    from migration.backfill.legacy_events import EventPage

PAGE_ITEMS = 1_000  # what is copied again after a crash, at most, in each segment


@dataclass(frozen=True, slots=True)
class LegacyEventTable:
    """One legacy's events.

    Attributes:
        client: DynamoDB, to describe the table.
        source: the same, for scans.
        table: its name.
        read: makes an activity of an item, or raises `UnmappableError`.
        pace: what scans are held to.
    """

    client: DynamoDBClient
    source: RawDynamoDB
    table: str
    read: Read
    pace: ReadPace

    def pages(self, segments: int, positions: Mapping[int, str | None]) -> Generator[EventPage]:
        """Read on from the positions."""
        scan = Scan(self.table, dict, segments, condition=FINISHED, page_items=PAGE_ITEMS)
        begun = {number: None if text is None else text.encode() for number, text in positions.items()}
        for batch in batches(self.source, scan, self.pace, begun):
            yield self._page(batch)

    def size(self) -> TableSize:
        """Ask DynamoDB, which counts every six hours."""
        return table_size(self.client, self.table)

    def _page(self, batch: Batch[dict[str, Any]]) -> EventPage:
        position = None if batch.position is None else batch.position.decode()
        return event_page(self.read, batch.segment, position, batch.items)
