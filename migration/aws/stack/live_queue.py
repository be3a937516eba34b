"""The live lane of a stack: its queue's depth, and how far its folds are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from migration.aws.stack.queue_depth import messages
from migration.aws.tables.progress_rows import newest_folded_at
from migration.aws.transport.clients import translated
from migration.model.live_lane import LiveState
from migration.model.moments import epoch_of
from pipeline.domain.fold_rows import FRESHNESS_KEY

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

    from migration.plan.outputs import PipelineOutputs


@dataclass(frozen=True, slots=True)
class LiveQueue:
    """One stack's live lane."""

    client: DynamoDBClient
    sqs: SQSClient
    queue_url: str
    program_progress: str

    @classmethod
    def of(cls, client: DynamoDBClient, sqs: SQSClient, names: PipelineOutputs) -> Self:
        """Find it among what a stack exports."""
        return cls(client, sqs, names.queue_url, names.program_progress_table)

    def look(self) -> LiveState:
        """Look now."""
        queued, newest = self.queued(), self.newest_folded_at()
        return LiveState(queued, epoch_of(newest) if newest else None)

    def queued(self) -> int:
        """Count the messages on their way."""
        return messages(self.sqs, self.queue_url)

    def newest_folded_at(self) -> str | None:
        """Read how far the folds are, consistently; None before the first."""
        table = self.program_progress
        with translated(f"reading {table}"):
            answer = self.client.get_item(TableName=table, Key=FRESHNESS_KEY, ConsistentRead=True)
        return newest_folded_at(answer.get("Item"))
