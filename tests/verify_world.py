"""A system with both sides' tables, to be driven and damaged one event at a time: in memory, and real."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import boto3

from migration.aws.tables.both_sides import StackSides
from migration.aws.tables.legacy_side import LegacyNames, LegacySide
from migration.aws.tables.side_tables import PipelineTables
from migration.aws.transport.scan import ReadPace
from migration.compare.verify.verification import Parts
from migration.model.facts import Lane, StoredFact
from migration.model.fold import Activity, Fold, Identity, Row, fold_of, rows_of
from migration.model.legacy.layout import LegacyPlan
from migration.model.side import Side
from migration.plan.outputs import PipelineOutputs
from tests.doubles.both_sides import MemorySides
from tests.pipeline_aws import KEYS, create_table, create_tables, table_name

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

    from migration.aws.transport.raw_dynamodb import RawDynamoDB
    from migration.compare.both_sides import BothSides
    from migration.model.clock import Clock

NOW = 1_772_357_400.0  # the memory clock's: 2026-03-01T09:30:00Z
OLD = "2026-03-01T09:00:00.000Z"
NEW = "2026-03-01T09:30:00.500Z"
LEGACY_KEYS = {
    "legacy-events": ("employee_id", "event_id"),
    "legacy-employee-progress": ("employee_id", "program_id"),
    "legacy-program-progress": ("program_id", None),
}


def activity(number: int, employee: int = 0, program: int = 0, points: int = 10) -> Activity:
    ids = (f"emp-{employee}", f"ev-{number}", f"prog-{program}")
    return Activity(*ids, "task_completed", points, "2026-02-01T09:30:00.000Z")


def activities(count: int = 24, employees: int = 4, programs: int = 3) -> list[Activity]:
    """Of each employee no two with the same points in a program, so that legacy's errors can be named."""
    return [
        activity(number, number % employees, number * 7 % programs, 5 + number) for number in range(count)
    ]


class World(Protocol):
    """What can be done to a system; every write is one item's."""

    def put_fact(self, fact: StoredFact) -> None: ...
    def delete_fact(self, identity: Identity) -> None: ...
    def add(self, row: Row, parts: Parts) -> None: ...
    def delete_row(self, row: Row) -> None: ...
    def put_event(self, event: Activity) -> None: ...
    def delete_event(self, identity: Identity) -> None: ...
    def add_legacy(self, row: Row, fold: Fold) -> None: ...
    def source(self) -> BothSides: ...


@dataclass
class System:
    """Both sides as they work when nothing goes wrong."""

    world: World
    facts: dict[Identity, StoredFact] = field(default_factory=dict)

    def accept(self, one: Activity, lane: Lane = Lane.LIVE, at: str = OLD, side: Side = Side.LEGACY) -> None:
        """Legacy counts it, it is a fact, and the pipeline folds it."""
        self.legacy_accepts(one)
        self.store(one, lane, at, side)
        self.fold(one, lane)

    def legacy_accepts(self, one: Activity) -> None:
        self.world.put_event(one)
        self.legacy_counts(one)

    def legacy_counts(self, one: Activity, times: int = 1) -> None:
        for row in rows_of(one):
            if row.program_id != "#total":
                self.world.add_legacy(row, Fold(one.points, 1) * times)

    def store(self, one: Activity, lane: Lane = Lane.LIVE, at: str = OLD, side: Side = Side.LEGACY) -> None:
        fact = StoredFact(one, lane, side, at)
        self.facts[one.identity] = fact
        self.world.put_fact(fact)

    def fold(self, one: Activity, lane: Lane = Lane.LIVE, times: int = 1) -> None:
        for row in rows_of(one):
            self.add(row, fold_of(one) * times, lane)

    def add(self, row: Row, fold: Fold, lane: Lane = Lane.LIVE) -> None:
        self.world.add(row, Parts(live=fold) if lane is Lane.LIVE else Parts(base=fold))

    def alter(self, one: Activity, points: int) -> None:
        self.world.put_fact(replace(self.facts[one.identity], activity=replace(one, points=points)))


@dataclass
class MemoryWorld:
    """Both sides in memory."""

    tables: MemorySides = field(default_factory=MemorySides)

    def put_fact(self, fact: StoredFact) -> None:
        self.tables.facts[fact.activity.identity] = fact

    def delete_fact(self, identity: Identity) -> None:
        del self.tables.facts[identity]

    def add(self, row: Row, parts: Parts) -> None:
        self.tables.rows[row] = self.tables.rows.get(row, Parts()) + parts

    def delete_row(self, row: Row) -> None:
        del self.tables.rows[row]

    def put_event(self, event: Activity) -> None:
        self.tables.events[event.identity] = event

    def delete_event(self, identity: Identity) -> None:
        del self.tables.events[identity]

    def add_legacy(self, row: Row, fold: Fold) -> None:
        self.tables.legacy_rows[row] = self.tables.legacy_rows.get(row, Fold()) + fold

    def source(self) -> MemorySides:
        return self.tables


@dataclass
class TableWorld:
    """Both sides in DynamoDB tables, written as the two systems write them; programs have two shards."""

    client: DynamoDBClient
    prefix: str
    reader: BothSides
    _shard: int = 0

    @staticmethod
    def create(client: DynamoDBClient, prefix: str) -> None:
        create_tables(client, prefix)
        for name, keys in LEGACY_KEYS.items():
            create_table(client, f"{prefix}-{name}", *filter(None, keys))

    def put_fact(self, fact: StoredFact) -> None:
        more = {"ingested_at": fact.ingested_at, "lane": fact.lane, "side": fact.side}
        item = {**_activity_item(fact.activity), **{name: {"S": str(value)} for name, value in more.items()}}
        self.client.put_item(TableName=table_name(self.prefix, "facts"), Item=item)

    def delete_fact(self, identity: Identity) -> None:
        self.client.delete_item(TableName=table_name(self.prefix, "facts"), Key=_key(identity._asdict()))

    def add(self, row: Row, parts: Parts) -> None:
        table, key = self._row_key(row)
        if row.employee_id is None and parts.base != Fold():
            key["shard"] = {"S": "base"}
        held = parts.live + parts.base
        values = {**_fields(held), **{f"base_{name}": value for name, value in _fields(parts.base).items()}}
        changes = [
            (f"#n{place}", f":v{place}", name, value) for place, (name, value) in enumerate(values.items())
        ]
        self.client.update_item(
            TableName=table,
            Key=key,
            UpdateExpression="ADD " + ", ".join(f"{name} {value}" for name, value, _, _ in changes),
            ExpressionAttributeNames={alias: name for alias, _, name, _ in changes},
            ExpressionAttributeValues={alias: {"N": str(value)} for _, alias, _, value in changes},
        )

    def delete_row(self, row: Row) -> None:
        table, key = self._row_key(row)
        self.client.delete_item(TableName=table, Key=key)

    def put_event(self, event: Activity) -> None:
        item = {**_activity_item(event), "received_at": {"S": OLD}}
        self.client.put_item(TableName=f"{self.prefix}-legacy-events", Item=item)

    def delete_event(self, identity: Identity) -> None:
        self.client.delete_item(TableName=f"{self.prefix}-legacy-events", Key=_key(identity._asdict()))

    def add_legacy(self, row: Row, fold: Fold) -> None:
        key = {name: value for name, value in row._asdict().items() if value is not None}
        table = "program" if row.employee_id is None else "employee"
        self.client.update_item(
            TableName=f"{self.prefix}-legacy-{table}-progress",
            Key=_key(key),
            UpdateExpression="ADD points :p, events :e",
            ExpressionAttributeValues={":p": {"N": str(fold.points)}, ":e": {"N": str(fold.events)}},
        )

    def source(self) -> BothSides:
        return self.reader

    def _row_key(self, row: Row) -> tuple[str, dict[str, Any]]:
        if row.employee_id is not None:
            return table_name(self.prefix, "employee_progress"), _key(row._asdict())
        self._shard = 1 - self._shard
        key = {"program_id": row.program_id, "shard": f"{self._shard:02}"}
        return table_name(self.prefix, "program_progress"), _key(key)


def _key(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: {"S": value} for name, value in fields.items()}


def _fields(fold: Fold) -> dict[str, int]:
    return {"points": fold.points, "events": fold.events, "fingerprint": fold.fingerprint}


def _activity_item(one: Activity) -> dict[str, Any]:
    names = ("employee_id", "event_id", "program_id", "activity_type", "occurred_at")
    return {**{name: {"S": getattr(one, name)} for name in names}, "points": {"N": str(one.points)}}


def real_world(
    client: DynamoDBClient, raw: RawDynamoDB, clock: Clock, prefix: str, sqs: SQSClient | None = None
) -> TableWorld:
    """Make a system's tables and queues, and read them as a verification of an account does."""
    sqs = sqs or boto3.client("sqs")
    queues = {
        f"{name}_url": sqs.create_queue(QueueName=f"{prefix}-{name.replace('_', '-')}")["QueueUrl"]
        for name in ("queue", "dead_letter_queue", "capture_dead_letter_queue")
    }
    tables = {f"{name}_table": table_name(prefix, name) for name in KEYS}
    outputs = PipelineOutputs.model_construct(None, **tables, **queues)
    pace = ReadPace(None, clock)
    names = LegacyNames(*(f"{prefix}-{name}" for name in LEGACY_KEYS))
    legacy = LegacySide(client, raw, LegacyPlan(), names, pace)
    TableWorld.create(client, prefix)
    reader = StackSides(raw, PipelineTables(client, sqs, outputs), legacy, pace, segments=2)
    return TableWorld(client, prefix, reader)
