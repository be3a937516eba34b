"""One chunk, one transaction: dedup puts and sums together, and AWS's cancellation reasons read.

actions   [ put dedup 1 … put dedup n | update row 1 … update row m ]
reasons   [ ConditionalCheckFailed: folded before | ValidationError: the row cannot take it |
            TransactionConflict, throttles: busy  | None: would have been fine ]
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from pipeline.domain.aggregator import Busy, Committed, Refused, read_reasons
from pipeline.domain.dedup import Claims, until
from pipeline.domain.fold_rows import FRESHNESS_KEY, FoldRows
from pipeline.stores.errors import code_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

    from pipeline.domain.batch import Chunk, Row


@dataclass(frozen=True, slots=True)
class FoldTables:
    """The aggregate tables, written by one invocation.

    Attributes:
        client: DynamoDB.
        dedup: table of folded identities.
        employee_progress: table of the employees' rows.
        program_progress: table of the programs' rows.
        board_shards: index partitions a board.
        program_shard: which of each program's rows this invocation adds to; any value is right, and different
            values keep concurrent invocations apart.
        expires_at: when the dedup entries written now may go.
    """

    client: DynamoDBClient
    dedup: str
    employee_progress: str
    program_progress: str
    board_shards: int
    program_shard: int
    expires_at: datetime

    def commit(self, chunk: Chunk) -> Committed | Refused | Busy:
        """Fold a chunk in one transaction, or none of it."""
        rows, claims = list(chunk.deltas.items()), Claims(self.dedup)
        to = FoldRows(self.employee_progress, self.program_progress, self.board_shards)
        kept, shard = until(self.expires_at.timestamp()), f"{self.program_shard:02d}"
        actions: list[Any] = [{"Put": claims.claim(fact.identity, kept)} for fact in chunk.facts]
        actions += [{"Update": to.adding(row, delta, shard)} for row, delta in rows]
        try:
            self.client.transact_write_items(TransactItems=actions)
        except ClientError as error:
            return read_cancellation(error, chunk, [row for row, _ in rows])
        except BotoCoreError as error:
            return Busy(type(error).__name__)
        return Committed()

    def advance_newest(self, ingested_at: str) -> bool:
        """Move the time of the newest folded fact forward, never backward; False when DynamoDB was busy."""
        try:
            self.client.update_item(
                TableName=self.program_progress,
                Key=FRESHNESS_KEY,
                UpdateExpression="SET newest_folded_at = :t",
                ConditionExpression="attribute_not_exists(newest_folded_at) OR newest_folded_at < :t",
                ExpressionAttributeValues={":t": {"S": ingested_at}},
            )
        except ClientError as error:
            return code_of(error) == "ConditionalCheckFailedException"
        except BotoCoreError:
            return False
        return True


def read_cancellation(error: ClientError, chunk: Chunk, rows: Sequence[Row]) -> Refused | Busy:
    """Tell why a chunk's transaction was not committed."""
    reasons = [reason.get("Code", "None") for reason in error.response.get("CancellationReasons", [])]
    if code_of(error) != "TransactionCanceledException" or not reasons:
        return Busy(code_of(error))
    return read_reasons(reasons, chunk, rows)


def dedup_expiry(now: datetime, ttl_days: int) -> datetime:
    """Keep a folded identity longer than anything can deliver its fact again."""
    return now + timedelta(days=ttl_days)
