"""One stack's vital evidence: queues, folds, snapshots and door counts, read with boto3 and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from migration.aws.stack.live_queue import LiveQueue
from migration.aws.stack.queue_depth import messages
from migration.aws.tables.control_plane_table import ControlPlaneTable
from migration.aws.tables.door_counts_table import DoorCountsTable
from migration.aws.tables.side_tables import PipelineTables
from migration.aws.transport.clients import translated
from migration.guardrails.folding import Checked
from migration.model.errors import RemoteError
from migration.model.facts import Lane
from migration.model.moments import epoch_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

    from migration.aws.transport.clients import Clients
    from migration.door.counts import DoorCounts, Witness
    from migration.model.journal import Entry
    from migration.model.live_lane import LiveState
    from migration.plan.outputs import MigrationOutputs, PipelineOutputs

MOST_AT_ONCE: Final = 100  # keys of one BatchGetItem
SAME_S: Final = 60.0  # a fact's time is when its request began, its witness's when it was answered
GLOBAL: Final = {"board": {"S": "global"}, "version": {"S": "latest"}}


@dataclass(frozen=True)
class StackVitals:
    """One stack's queues and tables, while both sides are there."""

    clients: Clients
    pipeline: PipelineOutputs
    outputs: MigrationOutputs
    migration: str

    def door(self) -> Sequence[DoorCounts]:
        """Read what every instance of the front door told last."""
        return DoorCountsTable(self._client, self.outputs.control_table, self.migration).read()

    def journal(self, since: str = "") -> Iterable[Entry]:
        """Read the journal's entries in order, those whose id is greater than `since`."""
        return ControlPlaneTable(self._client, self.outputs.control_table, self.migration).journal(since)

    def lane(self) -> LiveState:
        """Read the live lane's queue and how far its folds are."""
        return LiveQueue.of(self.tables).look()

    def check(self, witnesses: Sequence[Witness]) -> Checked:
        """Look up whether these facts are folded: each has an entry in the dedup table if it is.

        A client may send an activity again that was copied as history, or folded before its dedup entry
        expired: such a fact is older than its witness, and none that has to be folded now.
        """
        asked = {one.identity: one for one in witnesses[:MOST_AT_ONCE]}
        keys = [{"identity": {"S": identity}} for identity in asked]
        folded = {item["identity"]["S"] for item in self._get(self.tables.outputs.dedup_table, keys)}
        missing = [one for identity, one in asked.items() if identity not in folded]
        keys = [{"employee_id": {"S": one.employee_id}, "event_id": {"S": one.event_id}} for one in missing]
        facts = {
            (item["employee_id"]["S"], item["event_id"]["S"]): item
            for item in self._get(self.tables.outputs.facts_table, keys)
        }
        unfolded = tuple(
            replace(one, at=epoch_of(fact["ingested_at"]["S"]))
            for one in missing
            if (fact := facts.get((one.employee_id, one.event_id))) and _has_to_be_folded(fact, one)
        )
        return Checked(frozenset(asked) - {one.identity for one in unfolded}, unfolded)

    def dead(self) -> Mapping[str, int]:
        """Count the messages of each dead-letter queue."""
        outputs = self.tables.outputs
        queues = {
            "not captured": outputs.capture_dead_letter_queue_url,
            "not folded": outputs.dead_letter_queue_url,
            "not captured for legacy": self.outputs.mirror_capture_dead_letter_queue_url,
            "not mirrored back": self.outputs.mirror_dead_letter_queue_url,
        }
        return {what: messages(self.tables.sqs, url) for what, url in queues.items() if url}

    def mirrored_back(self) -> int:
        """Count the messages on their way to legacy."""
        url = self.outputs.mirror_queue_url
        return messages(self.tables.sqs, url) if url else 0

    def snapshot_at(self) -> float | None:
        """Tell when the newest global board was made."""
        table = self.tables.outputs.snapshots_table
        with translated(f"reading {table}"):
            answer = self._client.get_item(
                TableName=table, Key=GLOBAL, ProjectionExpression="generated_at", ConsistentRead=True
            )
        item = answer.get("Item")
        return epoch_of(item["generated_at"]["S"]) if item else None

    @property
    def tables(self) -> PipelineTables:
        """The pipeline's tables and queue."""
        return PipelineTables(self.clients.dynamodb, self.clients.sqs, self.pipeline)

    @property
    def _client(self) -> DynamoDBClient:
        return self.clients.dynamodb

    def _get(self, table: str, keys: Sequence[Any]) -> list[Any]:
        """Read items by key.

        Raises:
            RemoteError: also when DynamoDB left some of them out.
        """
        if not keys:
            return []
        with translated(f"reading {table}"):
            answer = self._client.batch_get_item(
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
