"""Both sides' tables in DynamoDB, scanned consistently and never written.

Item by item as DynamoDB has it: no code of either side takes part, so what is read here can judge both.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from migration.aws.stack.queue_depth import messages
from migration.aws.transport.clients import translated
from migration.compare.ledger.pipeline import is_reserved
from migration.model.errors import IntegrityError
from migration.model.fold import RESERVED, Activity, Fold, Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

    from migration.plan.outputs import LegacyOutputs, PipelineOutputs

_ACTIVITY: Final = ("employee_id", "event_id", "program_id", "activity_type", "points", "occurred_at")


@dataclass(frozen=True, slots=True)
class LegacyTables:
    """Legacy's event rows and aggregates."""

    client: DynamoDBClient
    outputs: LegacyOutputs

    def activities(self) -> Iterator[Activity]:
        """Read every event row."""
        return _activities(self.client, self.outputs.events_table)

    def folds(self) -> Mapping[Row, Fold]:
        """Read every aggregate."""
        return _folds(self.client, self.outputs.employee_progress_table, self.outputs.program_progress_table)


@dataclass(frozen=True, slots=True)
class PipelineTables:
    """The pipeline's facts and aggregates, and how far the one is behind the other."""

    client: DynamoDBClient
    sqs: SQSClient
    outputs: PipelineOutputs

    def activities(self) -> Iterator[Activity]:
        """Read every fact."""
        return _activities(self.client, self.outputs.facts_table)

    def folds(self) -> Mapping[Row, Fold]:
        """Read every aggregate, program shards summed."""
        return _folds(self.client, self.outputs.employee_progress_table, self.outputs.program_progress_table)

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
        rows = _scan(self.client, self.outputs.program_progress_table)
        return sum(
            _number(row, "events") - _number(row, "base_events")
            for row in rows
            if not _text(row, "program_id").startswith(RESERVED)
        )

    def queued(self) -> int:
        """Count the messages that are in the queue or being worked on."""
        return messages(self.sqs, self.outputs.queue_url)

    def dead(self) -> int:
        """Count the messages that were given up: facts that were not captured, or not folded."""
        queues = (self.outputs.dead_letter_queue_url, self.outputs.capture_dead_letter_queue_url)
        return sum(messages(self.sqs, queue) for queue in queues)


def _activities(client: DynamoDBClient, table: str) -> Iterator[Activity]:
    for item in _scan(client, table):
        employee, event, program, activity_type, _, occurred_at = (_text(item, name) for name in _ACTIVITY)
        yield Activity(employee, event, program, activity_type, _number(item, "points"), occurred_at)


def _folds(client: DynamoDBClient, employees: str, programs: str) -> dict[Row, Fold]:
    folds: defaultdict[Row, Fold] = defaultdict(Fold)
    for item in _scan(client, employees):
        folds[Row(_text(item, "employee_id"), _text(item, "program_id"))] += _fold(item)
    for item in _scan(client, programs):
        folds[Row(None, _text(item, "program_id"))] += _fold(item)
    return {row: fold for row, fold in folds.items() if not is_reserved(row)}


def _fold(item: Mapping[str, Any]) -> Fold:
    return Fold(_number(item, "points"), _number(item, "events"), _number(item, "fingerprint"))


def _scan(client: DynamoDBClient, table: str) -> Iterator[Mapping[str, Any]]:
    pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    with translated(f"reading {table}"):
        for page in pages:
            yield from page["Items"]


def _text(item: Mapping[str, Any], name: str) -> str:
    """Read an attribute as text; an absent one is empty, and differs from every acknowledged content."""
    return str(next(iter(item.get(name, {"S": ""}).values())))


def _number(item: Mapping[str, Any], name: str) -> int:
    """Read a whole number; an absent one is nothing added yet.

    Raises:
        IntegrityError: when it is something that no side writes.
    """
    attribute = item.get(name, {"N": "0"})
    try:
        return int(attribute["N"])
    except (KeyError, ValueError):
        key = ", ".join(f"{column} {next(iter(value.values()))}" for column, value in list(item.items())[:3])
        raise IntegrityError(
            f"{name} of the item with {key} is {attribute}, which is not a whole number",
            hint="no side writes that; see who else writes to the table",
        ) from None
