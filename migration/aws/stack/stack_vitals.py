"""One stack's vital evidence: queues, folds, snapshots and door counts, read with boto3 and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from migration.aws.stack.live_queue import LiveQueue
from migration.aws.stack.queue_depth import depths, messages
from migration.aws.tables.control_plane_table import ControlPlaneTable
from migration.aws.tables.door_counts_table import DoorCountsTable
from migration.aws.transport.clients import translated
from migration.guardrails.folding import Checked
from migration.model.errors import RemoteError
from migration.model.facts import Lane
from migration.model.moments import epoch_of
from pipeline.domain.dedup import Claims, claimed
from pipeline.domain.ranking import GLOBAL_BOARD
from pipeline.domain.snapshot import latest_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

    from migration.door.counts import DoorCounts, Witness
    from migration.model.journal import Entry
    from migration.model.live_lane import LiveState
    from migration.plan.outputs import MigrationOutputs, PipelineOutputs

MOST_AT_ONCE: Final = 100  # keys of one BatchGetItem
SAME_S: Final = 60.0  # a fact's time is when its request began, its witness's when it was answered


@dataclass(frozen=True)
class StackVitals:
    """One stack's queues and tables, while both sides are there."""

    dynamodb: DynamoDBClient
    sqs: SQSClient
    pipeline: PipelineOutputs
    between: MigrationOutputs
    migration: str

    def door(self) -> Sequence[DoorCounts]:
        """Read what every instance of the front door told last."""
        return DoorCountsTable(self.dynamodb, self.between.control_table, self.migration).read()

    def journal(self, since: str = "") -> Iterable[Entry]:
        """Read the journal's entries in order, those whose id is greater than `since`."""
        return ControlPlaneTable(self.dynamodb, self.between.control_table, self.migration).journal(since)

    def lane(self) -> LiveState:
        """Read the live lane's queue and how far its folds are."""
        return LiveQueue.of(self.dynamodb, self.sqs, self.pipeline).look()

    def check(self, witnesses: Sequence[Witness]) -> Checked:
        """Look up whether these facts are folded: each has an entry in the dedup table if it is.

        A client may send an activity again that was copied as history, or folded before its dedup entry
        expired: such a fact is older than its witness, and none that has to be folded now.
        """
        asked = {one.identity: one for one in witnesses[:MOST_AT_ONCE]}
        claims = Claims(self.pipeline.dedup_table)
        folded = {claimed(item) for item in self._get(claims.table, [claims.key(one) for one in asked])}
        missing = [one for identity, one in asked.items() if identity not in folded]
        keys = [{"employee_id": {"S": one.employee_id}, "event_id": {"S": one.event_id}} for one in missing]
        facts = {
            (item["employee_id"]["S"], item["event_id"]["S"]): item
            for item in self._get(self.pipeline.facts_table, keys)
        }
        unfolded = tuple(
            replace(one, at=epoch_of(fact["ingested_at"]["S"]))
            for one in missing
            if (fact := facts.get((one.employee_id, one.event_id))) and _has_to_be_folded(fact, one)
        )
        return Checked(frozenset(asked) - {one.identity for one in unfolded}, unfolded)

    def dead(self) -> Mapping[str, int]:
        """Count the messages of each of the live lane's dead-letter queues."""
        return depths(self.sqs, self.pipeline.dead_letters)

    def mirrored_back(self) -> int | None:
        """Count the messages on their way to legacy; None where the stack has no queue for them."""
        url = self.between.mirror_queue_url
        return messages(self.sqs, url) if url else None

    def mirrors_dead(self) -> Mapping[str, int]:
        """Count the messages of each of the reverse mirror's dead-letter queues."""
        return depths(self.sqs, self.between.dead_letters)

    def snapshot_at(self) -> float | None:
        """Tell when the newest global board was made."""
        table = self.pipeline.snapshots_table
        with translated(f"reading {table}"):
            answer = self.dynamodb.get_item(
                TableName=table,
                Key=latest_key(GLOBAL_BOARD),
                ProjectionExpression="generated_at",
                ConsistentRead=True,
            )
        item = answer.get("Item")
        return epoch_of(item["generated_at"]["S"]) if item else None

    def _get(self, table: str, keys: Sequence[Any]) -> list[Any]:
        """Read items by key.

        Raises:
            RemoteError: also when DynamoDB left some of them out.
        """
        if not keys:
            return []
        with translated(f"reading {table}"):
            answer = self.dynamodb.batch_get_item(
                RequestItems={table: {"Keys": list(keys), "ConsistentRead": True}}
            )
        if answer.get("UnprocessedKeys"):
            raise RemoteError(
                f"DynamoDB did not read all keys of {table}", hint="it is throttled; look again"
            )
        return list(answer["Responses"].get(table, []))


def _has_to_be_folded(fact: Any, witness: Witness) -> bool:  # noqa: ANN401 - a wire value
    """Whether the live lane folds it, and it is the fact that the door stored, no older one."""
    return bool(fact["lane"]["S"] == Lane.LIVE and epoch_of(fact["ingested_at"]["S"]) > witness.at - SAME_S)
