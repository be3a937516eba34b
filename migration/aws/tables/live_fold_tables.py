"""The live lane's folds in AWS: its queue, its dedup table, and the rows of its two aggregate tables.

    actions   [ put dedup "#repair…" if absent | update one row: ADD points, events, fingerprint ]

A compensation's entry has no expiry: its identity is taken for ever. A program is compensated on a shard of
its own, beside those that the live lane adds to; readers sum them all.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from migration.aws.tables.fact_items import stored_fact
from migration.aws.tables.restating import restating
from migration.aws.transport.clients import translated
from migration.model.facts import Restated, Stands
from migration.model.fold import Fold
from migration.repair.live_folds import Compensated, CompensatedBefore, Overtaken
from migration.repair.words import compensations_of
from pipeline.domain.dedup import Claims, until
from pipeline.domain.fold import identity as name_of
from pipeline.domain.fold_rows import FoldRows

if TYPE_CHECKING:
    from datetime import timedelta

    from migration.aws.transport.clients import Clients
    from migration.model.clock import Clock
    from migration.model.facts import Restatement, StoredFact
    from migration.model.fold import Identity, Row
    from migration.plan.outputs import PipelineOutputs
    from migration.repair.words import Compensation

REPAIR_SHARD: Final = "repair"


@dataclass(frozen=True, slots=True)
class LiveFoldTables:
    """One stack's live lane.

    Attributes:
        clients: AWS.
        outputs: the pipeline's names.
        clock: the time.
        board_shards: index partitions of a board, as the live lane has them.
        keeps: how long the live lane keeps a dedup entry.
    """

    clients: Clients
    outputs: PipelineOutputs
    clock: Clock
    board_shards: int
    keeps: timedelta

    def has_folded(self, identity: Identity) -> bool:
        """Whether an event has a dedup entry."""
        return self._entry(name_of(*identity)) is not None

    def close(self, identity: Identity) -> bool:
        """Give an event a dedup entry; False when it has one."""
        client, kept = self.clients.dynamodb, until(self.clock.now() + self.keeps.total_seconds())
        with translated(f"writing {self.outputs.dedup_table}"):
            try:
                client.put_item(**self._claims.claim(name_of(*identity), kept))
            except client.exceptions.ConditionalCheckFailedException:
                return False
        return True

    def redrive(self, fact: StoredFact) -> None:
        """Send a fact's message to the queue again, as the pipe writes it."""
        one = fact.activity
        fields = {
            "employee_id": one.employee_id,
            "event_id": one.event_id,
            "program_id": one.program_id,
            "points": str(one.points),
            "ingested_at": fact.ingested_at,
        }
        body = json.dumps(fields, separators=(",", ":"), ensure_ascii=False)
        with translated(f"sending to {self.outputs.queue_url}"):
            self.clients.sqs.send_message(QueueUrl=self.outputs.queue_url, MessageBody=body)

    def compensations(self, row: Row) -> int:
        """Count the compensations that a row has had."""
        return compensations_of(row, lambda identity: self._entry(identity) is not None)

    def compensate(self, compensation: Compensation) -> Compensated | CompensatedBefore | Overtaken:
        """Add to a row, and take the compensation's identity, in one transaction."""
        row = compensation.row
        actions = [{"Put": self._put(compensation)}, {"Update": self._update(row, compensation.delta)}]
        done = self._done(actions, f"compensating {row}")
        return Compensated() if done else self._taken(compensation)

    def restate(self, restatement: Restatement) -> Restated | Stands:
        """Give a disputed fact legacy's content, and its rows the difference, in one transaction."""
        moves = [{"Update": self._update(row, delta)} for row, delta in restatement.moves.items()]
        actions = [{"Update": restating(self.outputs.facts_table, restatement)}, *moves]
        name = " ".join(restatement.to.identity)
        done = self._done(actions, f"restating {name}")
        return Restated() if done else Stands(self._fact(restatement.to.identity))

    def _done(self, actions: list[Any], doing: str) -> bool:
        """Commit; False when the first action's condition does not hold."""
        client = self.clients.dynamodb
        with translated(doing):
            try:
                client.transact_write_items(TransactItems=actions)
            except client.exceptions.TransactionCanceledException as error:
                first: Any = next(iter(error.response.get("CancellationReasons", [])), {})
                if first.get("Code") != "ConditionalCheckFailed":
                    raise
                return False
        return True

    def _taken(self, compensation: Compensation) -> CompensatedBefore | Overtaken:
        entry = self._entry(compensation.identity) or {}
        held = Fold(*(int(entry[name]["N"]) for name in ("points", "events", "fingerprint")))
        return CompensatedBefore() if held == compensation.delta else Overtaken()

    @property
    def _claims(self) -> Claims:
        return Claims(self.outputs.dedup_table)

    def _put(self, compensation: Compensation) -> dict[str, Any]:
        delta = {name: {"N": str(value)} for name, value in asdict(compensation.delta).items()}
        return self._claims.claim(compensation.identity, {"about": {"S": compensation.events}, **delta})

    def _update(self, row: Row, delta: Fold) -> dict[str, Any]:
        """Add to a row; only one that gains an event belongs on its board for sure."""
        names = self.outputs
        rows = FoldRows(names.employee_progress_table, names.program_progress_table, self.board_shards)
        return rows.adding(row, delta, REPAIR_SHARD, joins=delta.events > 0)

    def _fact(self, identity: Identity) -> StoredFact | None:
        table, key = self.outputs.facts_table, {name: {"S": one} for name, one in identity._asdict().items()}
        with translated(f"reading {table}"):
            answer: Any = self.clients.dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)
        return stored_fact(table, answer["Item"]) if "Item" in answer else None

    def _entry(self, identity: str) -> dict[str, Any] | None:
        with translated(f"reading {self.outputs.dedup_table}"):
            answer: Any = self.clients.dynamodb.get_item(**self._claims.has(identity))
        item: dict[str, Any] | None = answer.get("Item")
        return item
