"""The live lane of a stack: its queue's depth, and how far its folds are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from migration.aws.stack.queue_depth import messages
from migration.aws.transport.clients import translated
from migration.model.live_lane import LiveState
from migration.model.moments import epoch_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

    from migration.aws.tables.side_tables import PipelineTables

_FRESHNESS: Final = {"program_id": {"S": "#freshness"}, "shard": {"S": "newest"}}


@dataclass(frozen=True, slots=True)
class LiveQueue:
    """One stack's live lane."""

    client: DynamoDBClient
    sqs: SQSClient
    queue_url: str
    program_progress: str

    @classmethod
    def of(cls, tables: PipelineTables) -> Self:
        """Find it among a stack's tables and queues."""
        names = tables.outputs
        return cls(tables.client, tables.sqs, names.queue_url, names.program_progress_table)

    def look(self) -> LiveState:
        """Look now."""
        queued = messages(self.sqs, self.queue_url)
        with translated(f"reading {self.program_progress}"):
            answer = self.client.get_item(TableName=self.program_progress, Key=_FRESHNESS)
        newest = answer.get("Item", {}).get("newest_folded_at", {}).get("S")
        return LiveState(queued, epoch_of(newest) if newest else None)
