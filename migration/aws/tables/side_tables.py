"""Both sides' tables in DynamoDB, scanned consistently and never written.

Item by item as DynamoDB has it: no code of either side takes part, so what is read here can judge both.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from migration.aws.stack.live_queue import LiveQueue
from migration.aws.stack.queue_depth import depths
from migration.aws.tables.fact_items import stored_fact
from migration.aws.tables.legacy_rows import FINISHED
from migration.aws.tables.progress_rows import base_events, progress_row
from migration.aws.transport.clients import translated
from migration.compare.ledger.pipeline import is_reserved
from migration.model.fold import RESERVED, Fold
from migration.model.legacy.mapping import activity_mapper, row_mapper

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

    from migration.model.fold import Activity, Row
    from migration.model.legacy.layout import LegacyPlan
    from migration.plan.outputs import LegacyOutputs, PipelineOutputs


@dataclass(frozen=True, slots=True)
class MappedLegacy:
    """Legacy's event rows and aggregates, which are where and as the plan says."""

    client: DynamoDBClient
    outputs: LegacyOutputs
    plan: LegacyPlan

    def activities(self) -> Iterator[Activity]:
        """Read every event row."""
        items = _scan(self.client, self.outputs.events_table, FilterExpression=FINISHED)
        return map(activity_mapper(self.plan.events), items)

    def folds(self) -> Mapping[Row, Fold]:
        """Read every aggregate."""
        employees, programs = self.plan.employee_progress, self.plan.program_progress
        return _summed(
            chain(
                map(row_mapper(employees), _scan(self.client, self.outputs.employee_progress_table)),
                map(row_mapper(programs), _scan(self.client, self.outputs.program_progress_table)),
            )
        )


@dataclass(frozen=True, slots=True)
class PipelineTables:
    """The pipeline's facts and aggregates, and how far the one is behind the other."""

    client: DynamoDBClient
    sqs: SQSClient
    outputs: PipelineOutputs

    def activities(self) -> Iterator[Activity]:
        """Read every fact."""
        table = self.outputs.facts_table
        return (stored_fact(table, item).activity for item in _scan(self.client, table))

    def folds(self) -> Mapping[Row, Fold]:
        """Read every aggregate, program shards summed."""
        tables = (self.outputs.employee_progress_table, self.outputs.program_progress_table)
        return _summed(map(progress_row, _scan(self.client, *tables)))

    def stored(self) -> int:
        """Count the facts of the live lane."""
        pages = self.client.get_paginator("scan").paginate(
            TableName=self.outputs.facts_table,
            ConsistentRead=True,
            Select="COUNT",
            FilterExpression="lane = :live AND NOT begins_with(employee_id, :reserved)",
            ExpressionAttributeValues={":live": {"S": "live"}, ":reserved": {"S": RESERVED}},
        )
        with translated(f"counting {self.outputs.facts_table}"):
            return sum(page["Count"] for page in pages)

    def folded(self) -> int:
        """Count the events that the program folds hold, their history part left out."""
        items = _scan(self.client, self.outputs.program_progress_table)
        rows = ((*progress_row(item), base_events(item)) for item in items)
        return sum(fold.events - history for row, fold, history in rows if not is_reserved(row))

    @property
    def live(self) -> LiveQueue:
        """Its queue, and how far the folds are."""
        return LiveQueue.of(self.client, self.sqs, self.outputs)

    def queued(self) -> int:
        """Count the messages that are in the queue or being worked on."""
        return self.live.queued()

    def dead(self) -> int:
        """Count the messages that were given up: facts that were not captured, or not folded."""
        return sum(depths(self.sqs, self.outputs.dead_letters).values())


def _summed(rows: Iterable[tuple[Row, Fold]]) -> dict[Row, Fold]:
    folds: defaultdict[Row, Fold] = defaultdict(Fold)
    for row, fold in rows:
        folds[row] += fold
    return {row: fold for row, fold in folds.items() if not is_reserved(row)}


def _scan(client: DynamoDBClient, *tables: str, **only: str) -> Iterator[Mapping[str, Any]]:
    for table in tables:
        with translated(f"reading {table}"):
            for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True, **only):  # type: ignore[arg-type] # mypy takes it for any keyword
                yield from page["Items"]
