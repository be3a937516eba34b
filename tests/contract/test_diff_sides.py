"""The tables as a diff reads them: in memory and in DynamoDB alike, also a differently shaped legacy."""

from __future__ import annotations

import json
import uuid
import zlib
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from migration.adapters.memory import MemoryClock
from migration.adapters.memory_sides import MemorySides
from migration.aws.tables.both_sides import StackSides
from migration.aws.tables.side_tables import PipelineTables
from migration.compare.boards.boards import BoardEntry
from migration.compare.diff.two_sides import Sighting, Stored, StoredBoard
from migration.model.errors import IntegrityError
from migration.model.fold import TOTAL, Fold, Identity, Row
from migration.model.layout import LegacyPlan
from migration.plan.outputs import LegacyOutputs, PipelineOutputs
from pipeline.domain import ranking, snapshot
from pipeline.domain.fold import Fold as PipelineFold
from tests.dynamodb_http import dynamodb_over_http

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.compare.diff.both_sides import BothSides
    from tests.dynamodb_http import HttpDynamoDB

AT = "2026-03-01T09:30:00.000Z"
LEGACY = LegacyOutputs(**{name: name for name in LegacyOutputs.model_fields})
KEYS = {
    "facts_table": ("employee_id", "event_id"),
    "pipeline_employee": ("employee_id", "program_id"),
    "pipeline_program": ("program_id", "shard"),
    "snapshots_table": ("board", "version"),
    "events_table": ("employee_id", "event_id"),
    "employee_progress_table": ("employee_id", "program_id"),
    "program_progress_table": ("program_id",),
    "leaderboard_table": ("board",),
    "other_events": ("pk",),
    "other_board": ("name",),
}
RANKED = ranking.Entry(1, "ada", 7, 1, None)
SNAPSHOT = snapshot.encode(
    snapshot.body("global", snapshot.Sources(AT, AT, 0), PipelineFold(7, 1, 5), [RANKED])
)
EXPECTED = MemorySides(
    of_legacy=[StoredBoard("global", (BoardEntry(1, "ada", 14),), AT), StoredBoard("program#p", (), None)],
    of_pipeline=[StoredBoard("global", (BoardEntry(1, "ada", 7),), AT)],
    legacy=[(Row("ada", "p"), Fold(14, 2)), (Row(None, "p"), Fold(14, 2))],
    pipeline=[
        (Row("ada", "p"), Fold(7, 1, 10**37)),
        (Row("ada", TOTAL), Fold(7, 1, 10**37)),
        (Row(None, "p"), Fold(7, 1, 3)),
        (Row(None, "p"), Fold()),
        (Row(None, "#freshness"), Fold()),
    ],
    events=[Sighting(Identity("ada", "v"), Stored("p", 7, AT), None)],
    stored=[Sighting(Identity("ada", "v"), None, Stored("p", 7, AT), "live", "legacy")],
    newest=AT,
    messages=2,
)


def put(dynamodb: HttpDynamoDB, table: str, **item: Any) -> None:
    plain = {
        name: {"N": str(value)}
        if isinstance(value, int)
        else value
        if isinstance(value, dict)
        else {"S": value}
        for name, value in item.items()
    }
    dynamodb.client.put_item(TableName=table, Item=plain)


def fill(dynamodb: HttpDynamoDB) -> None:
    for table, (partition, *sort) in KEYS.items():
        keys = [(partition, "HASH"), *((name, "RANGE") for name in sort)]
        dynamodb.client.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],  # type: ignore[typeddict-item] # the kinds are right
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        )
    ada = {"employee_id": "ada", "program_id": "p"}
    about = {"activity_type": "task_completed", "points": 7, "occurred_at": AT}
    put(dynamodb, "facts_table", **ada, event_id="v", **about, ingested_at=AT, lane="live", side="legacy")
    folded = {"points": 7, "events": 1, "fingerprint": 10**37, "board": "global#00", "score": 7}
    put(dynamodb, "pipeline_employee", **ada, **folded)
    put(dynamodb, "pipeline_employee", employee_id="ada", program_id=TOTAL, **folded)
    put(dynamodb, "pipeline_program", program_id="p", shard="00", points=7, events=1, fingerprint=3)
    put(dynamodb, "pipeline_program", program_id="p", shard="base")
    put(dynamodb, "pipeline_program", program_id="#freshness", shard="newest", newest_folded_at=AT)
    for board, version in (("global", "latest"), ("global", AT), ("programs", "latest")):
        put(
            dynamodb,
            "snapshots_table",
            board=board,
            version=version,
            body={"B": SNAPSHOT},
            generated_at=AT,
        )
    put(dynamodb, "events_table", **ada, event_id="v", **about, received_at=AT)
    put(dynamodb, "employee_progress_table", **ada, points=14, events=2)
    put(dynamodb, "program_progress_table", program_id="p", points=14, events=2)
    entries = json.dumps([{"rank": 1, "employee_id": "ada", "points": 14}])
    put(dynamodb, "leaderboard_table", board="global", entries=entries, rebuilt_at=AT)
    put(dynamodb, "leaderboard_table", board="program#p", entries="[]")


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[HttpDynamoDB]:
    with dynamodb_over_http() as server:
        fill(server)
        yield server


def sides_of(dynamodb: HttpDynamoDB, plan: LegacyPlan) -> StackSides:
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName=uuid.uuid4().hex)["QueueUrl"]
    for body in ("one", "two"):
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    names = {name: name for name in PipelineOutputs.model_fields}
    tables = {"employee_progress_table": "pipeline_employee", "program_progress_table": "pipeline_program"}
    pipeline = PipelineOutputs(**{**names, **tables, "queue_url": queue})
    clock = MemoryClock()
    reader = PipelineTables(dynamodb.client, sqs, pipeline)
    return StackSides(dynamodb.raw(clock), reader, LEGACY, pipeline, plan, clock)


@pytest.fixture(params=["memory", "dynamodb"])
def sides(request: pytest.FixtureRequest, dynamodb: HttpDynamoDB) -> BothSides:
    return EXPECTED if request.param == "memory" else sides_of(dynamodb, LegacyPlan())


@pytest.mark.parametrize(
    "read", ["legacy_boards", "pipeline_boards", "legacy_rows", "pipeline_rows", "legacy_events", "facts"]
)
def test_every_item_is_read_once(sides: BothSides, read: str) -> None:
    assert sorted(getattr(sides, read)(), key=repr) == sorted(getattr(EXPECTED, read)(), key=repr)


def test_what_is_on_its_way_is_read(sides: BothSides) -> None:
    assert (sides.newest_folded_at(), sides.queued()) == (AT, 2)


def test_a_differently_shaped_legacy_is_read_as_the_plan_says(dynamodb: HttpDynamoDB) -> None:
    detail = {"M": {"who": {"S": "ada"}, "score": {"N": "7"}}}
    put(dynamodb, "other_events", pk="v", detail=detail, course="p", at=1_772_357_400)
    entry = {"M": {"rank": {"N": "1"}, "employee_id": {"S": "ada"}, "points": {"N": "14"}}}
    put(dynamodb, "other_board", name="global", top={"M": {"list": {"L": [entry]}}})
    plan = LegacyPlan.model_validate(
        {
            "events": {
                "table": "other_events",
                "employee_id": "detail.who",
                "event_id": "pk",
                "program_id": "course",
                "activity_type": {"constant": "task_completed"},
                "points": "detail.score",
                "occurred_at": "at",
                "time_format": "epoch_s",
            },
            "leaderboard": {"table": "other_board", "board": "name", "entries": "top.list", "format": "list"},
        }
    )
    sides = sides_of(dynamodb, plan)
    assert list(sides.legacy_events()) == [Sighting(Identity("ada", "v"), Stored("p", 7, ""), None)]
    assert list(sides.legacy_boards()) == [StoredBoard("global", (BoardEntry(1, "ada", 14),), None)]


@pytest.mark.parametrize("entries", ["{", '{"entries": 3}', '[{"rank": 1}]', "[3]", "null"])
def test_a_board_that_is_none_is_named(dynamodb: HttpDynamoDB, entries: str) -> None:
    put(dynamodb, "other_board", name="global", entries=entries)
    plan = LegacyPlan.model_validate({"leaderboard": {"table": "other_board", "board": "name"}})
    with pytest.raises(IntegrityError, match="the stored board 'global' is not a leaderboard"):
        list(sides_of(dynamodb, plan).legacy_boards())


@pytest.mark.parametrize("body", [b"", b"{}", zlib.compress(b"{}"), zlib.compress(b"[]")])
def test_a_snapshot_that_is_none_is_named(dynamodb: HttpDynamoDB, body: bytes) -> None:
    key = {"board": "program#p", "version": "latest"}
    put(dynamodb, "snapshots_table", **key, body={"B": body})
    with pytest.raises(IntegrityError, match="the stored board 'program#p' is not a leaderboard"):
        list(sides_of(dynamodb, LegacyPlan()).pipeline_boards())
    dynamodb.client.delete_item(TableName="snapshots_table", Key={n: {"S": v} for n, v in key.items()})
