"""The ports of a backfill and a reconcile on DynamoDB: moto's, or the local AWS's."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migration.aws.tables.base_tables import BaseTables
from migration.aws.tables.checkpoint_table import CheckpointTable
from migration.aws.tables.fact_table import FactTable
from migration.aws.tables.legacy_event_table import LegacyEventTable
from migration.aws.tables.legacy_rows import LegacyRows
from migration.aws.tables.legacy_sink import MirrorSink
from migration.aws.transport.clock import SystemClock
from migration.aws.transport.metered import Writer
from migration.aws.transport.scan import ReadPace
from migration.model.fold import Fold, Row
from migration.model.legacy.layout import LegacyEvents, LegacyPlan
from migration.model.legacy.mapping import activity_mapper
from tests.doubles.clock import MemoryClock
from tests.pipeline_aws import create_table, create_tables, scan, table_name

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from migration.aws.transport.raw_dynamodb import RawDynamoDB
    from migration.model.stages import Stage

KEYS = {
    "control": ("migration", "record"),
    "legacy-events": ("employee_id", "event_id"),
    "legacy-employees": ("employee_id", "program_id"),
    "legacy-programs": ("program_id", None),
}


@dataclass
class InDynamoDB:
    client: DynamoDBClient
    prefix: str
    facts: FactTable
    events: LegacyEventTable
    legacy: MirrorSink
    bases: BaseTables
    checkpoints: CheckpointTable

    def totals(self) -> dict[Row, Fold]:
        rows: dict[Row, Fold] = {}
        for table in ("employee_progress", "program_progress"):
            for item in scan(self.client, self.prefix, table):
                row = Row(item.get("employee_id"), item["program_id"])
                rows[row] = Fold(item["points"], item["events"], item["fingerprint"])
        return rows

    def move_to(self, stage: Stage) -> None:
        item: Any = {
            "migration": {"S": "activities"},
            "record": {"S": "state"},
            "stage": {"S": stage.value},
            "write_weight": {"N": "0"},
            "read_weight": {"N": "0"},
            "epoch": {"N": "3"},
        }
        self.client.put_item(TableName=f"{self.prefix}-control", Item=item)


def in_dynamodb(client: DynamoDBClient, source: RawDynamoDB) -> InDynamoDB:
    prefix = f"backfill-{uuid.uuid4().hex[:8]}"
    create_tables(client, prefix)
    for name, keys in KEYS.items():
        create_table(client, f"{prefix}-{name}", *filter(None, keys))
    return ports_of(client, source, prefix)


def ports_of(client: DynamoDBClient, source: RawDynamoDB, prefix: str) -> InDynamoDB:
    """The ports on tables that are there."""
    writer, pace = Writer(source), ReadPace(None, SystemClock())
    legacy = LegacyRows(
        client,
        f"{prefix}-legacy-events",
        f"{prefix}-legacy-programs",
        f"{prefix}-legacy-employees",
        LegacyPlan().written(),
    )
    employees, programs = (table_name(prefix, name) for name in ("employee_progress", "program_progress"))
    read = activity_mapper(LegacyEvents())
    return InDynamoDB(
        client,
        prefix,
        FactTable(source, writer, table_name(prefix, "facts"), pace, segments=2),
        LegacyEventTable(client, source, f"{prefix}-legacy-events", read, pace),
        MirrorSink(legacy, MemoryClock()),
        BaseTables(source, writer, employees, programs, 4, pace),
        CheckpointTable(client, f"{prefix}-control", "activities"),
    )
