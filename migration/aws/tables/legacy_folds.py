"""Legacy's tables as a fold store: one transaction writes the event rows and adds to the totals.

    actions   [ put event 1 … put event n | ADD program … ADD employee in program … ]

The event row is the proof that an activity was applied, written only where there is none: redelivery changes
nothing, and an activity that legacy took itself (a client's retry on the other side) is not added again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from botocore.exceptions import BotoCoreError, ClientError

from pipeline.domain.aggregator import Busy, Committed, Refused, read_reasons
from pipeline.domain.fact import activity_item
from pipeline.domain.ranking import TOTAL

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from migration.aws.tables.mirrored_fact import MirroredFact
    from migration.model.legacy.layout import WrittenLayout
    from pipeline.domain.batch import Chunk, Row
    from pipeline.domain.fold import Fold


@dataclass(frozen=True, slots=True)
class LegacyFolds:
    """Legacy's event, program and employee tables, in its own layout."""

    client: DynamoDBClient
    events: str
    program_progress: str
    employee_progress: str
    layout: WrittenLayout

    def commit(self, chunk: Chunk) -> Committed | Refused | Busy:
        """Apply a chunk of mirrored facts in one transaction, or none of it."""
        rows = [(row, delta) for row, delta in chunk.deltas.items() if row.program_id != TOTAL]
        actions = [self._put(cast("MirroredFact", fact)) for fact in chunk.facts]
        actions += [self._add(row, delta) for row, delta in rows]
        try:
            self.client.transact_write_items(TransactItems=actions)
        except ClientError as error:
            reasons = [reason["Code"] for reason in error.response.get("CancellationReasons", [])]
            if not reasons:
                return Busy(error.response["Error"]["Code"])
            return read_reasons(reasons, chunk, [row for row, _ in rows])
        except BotoCoreError as error:
            return Busy(type(error).__name__)
        return Committed()

    def advance_newest(self, ingested_at: str) -> bool:
        """Legacy keeps no such time."""
        del ingested_at
        return True

    def _put(self, fact: MirroredFact) -> TransactWriteItemTypeDef:
        names = self.layout.events
        return {
            "Put": {
                "TableName": self.events,
                "Item": {names[name]: value for name, value in activity_item(fact.activity).items()},
                "ConditionExpression": "attribute_not_exists(#event)",
                "ExpressionAttributeNames": {"#event": names["event_id"]},
            }
        }

    def _add(self, row: Row, delta: Fold) -> TransactWriteItemTypeDef:
        if row.employee_id is None:
            names, table = self.layout.program_progress, self.program_progress
            key = {names["program_id"]: {"S": row.program_id}}
        else:
            names, table = self.layout.employee_progress, self.employee_progress
            key = {names["employee_id"]: {"S": row.employee_id}, names["program_id"]: {"S": row.program_id}}
        return {
            "Update": {
                "TableName": table,
                "Key": key,
                "UpdateExpression": "ADD #points :p, #events :e",
                "ExpressionAttributeNames": {"#points": names["points"], "#events": names["events"]},
                "ExpressionAttributeValues": {
                    ":p": {"N": str(delta.points)},
                    ":e": {"N": str(delta.events)},
                },
            }
        }
