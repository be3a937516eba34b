"""The tables as a diff reads them: in memory and in DynamoDB alike, also a differently shaped legacy."""

from __future__ import annotations

import json
import uuid
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from migration.aws.tables.both_sides import StackSides
from migration.aws.tables.legacy_side import LegacySide
from migration.aws.tables.side_tables import PipelineTables
from migration.aws.transport.scan import ReadPace
from migration.compare.boards.boards import BoardEntry
from migration.compare.both_sides import Part
from migration.compare.diff.two_sides import StoredBoard
from migration.compare.verify.verification import Parts
from migration.model.errors import IntegrityError
from migration.model.facts import Lane, StoredFact
from migration.model.fold import TOTAL, Activity, Fold, Row
from migration.model.legacy.layout import LegacyPlan
from migration.model.side import Side
from migration.plan.outputs import LegacyOutputs, PipelineOutputs
from migration.wiring.sources import legacy_names
from pipeline.domain import ranking, snapshot
from pipeline.domain.fold import Fold as PipelineFold
from tests.contract.engines import ENGINES, Engine, engine, unique
from tests.doubles.both_sides import MemorySides
from tests.doubles.clock import MemoryClock
from tests.dynamodb_http import dynamodb_over_http

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.compare.both_sides import BothSides

AT = "2026-03-01T09:30:00.000Z"
PREFIX = unique("diff")
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
NUMBERS = {f"{base}{name}" for base in ("", "base_") for name in ("points", "events", "fingerprint")}
RANKED = ranking.Entry(1, "ada", 7, 1, None)
SNAPSHOT = snapshot.encode(
    snapshot.body("global", snapshot.Sources(AT, AT, 0), PipelineFold(7, 1, 5), [RANKED])
)
ADA = Activity("ada", "v", "p", "task_completed", 7, AT)


def named(table: str) -> str:
    """Name a table of this module's, since an engine may be everybody's."""
    return f"{PREFIX}-{table}"


LEGACY = LegacyOutputs(**{name: named(name) for name in LegacyOutputs.model_fields})
EXPECTED = MemorySides(
    of_legacy=[StoredBoard("global", (BoardEntry(1, "ada", 14),), AT), StoredBoard("program#p", (), None)],
    of_pipeline=[StoredBoard("global", (BoardEntry(1, "ada", 7),), AT)],
    legacy_rows={Row("ada", "p"): Fold(14, 2), Row(None, "p"): Fold(14, 2)},
    rows={
        Row("ada", "p"): Parts(Fold(7, 1, 10**37)),
        Row("ada", TOTAL): Parts(Fold(7, 1, 10**37)),
        Row(None, "p"): Parts(Fold(7, 1, 3)),
        Row(None, "#freshness"): Parts(),
    },
    events={ADA.identity: ADA},
    received_at={ADA.identity: AT},
    facts={ADA.identity: StoredFact(ADA, Lane.LIVE, Side.LEGACY, AT)},
    newest=AT,
    messages=2,
)


def put(aws: Engine, table: str, **item: Any) -> None:
    plain = {
        name: {"N": str(value)}
        if isinstance(value, int)
        else value
        if isinstance(value, dict)
        else {"S": value}
        for name, value in item.items()
    }
    aws.dynamodb.put_item(TableName=named(table), Item=plain)


def fill(aws: Engine) -> None:
    for table, (partition, *sort) in KEYS.items():
        keys = [(partition, "HASH"), *((name, "RANGE") for name in sort)]
        aws.dynamodb.create_table(
            TableName=named(table),
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],  # type: ignore[typeddict-item] # the kinds are right
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        )
    ada = {"employee_id": "ada", "program_id": "p"}
    about = {"activity_type": "task_completed", "points": 7, "occurred_at": AT}
    put(aws, "facts_table", **ada, event_id="v", **about, ingested_at=AT, lane="live", side="legacy")
    folded = {"points": 7, "events": 1, "fingerprint": 10**37, "board": "global#00", "score": 7}
    put(aws, "pipeline_employee", **ada, **folded)
    put(aws, "pipeline_employee", employee_id="ada", program_id=TOTAL, **folded)
    put(aws, "pipeline_program", program_id="p", shard="00", points=7, events=1, fingerprint=3)
    put(aws, "pipeline_program", program_id="p", shard="base")
    put(aws, "pipeline_program", program_id="#freshness", shard="newest", newest_folded_at=AT)
    for board, version in (("global", "latest"), ("global", AT), ("programs", "latest")):
        put(
            aws,
            "snapshots_table",
            board=board,
            version=version,
            body={"B": SNAPSHOT},
            generated_at=AT,
        )
    put(aws, "events_table", **ada, event_id="v", **about, received_at=AT)
    put(aws, "employee_progress_table", **ada, points=14, events=2)
    put(aws, "program_progress_table", program_id="p", points=14, events=2)
    entries = json.dumps([{"rank": 1, "employee_id": "ada", "points": 14}])
    put(aws, "leaderboard_table", board="global", entries=entries, rebuilt_at=AT)
    put(aws, "leaderboard_table", board="program#p", entries="[]")


@pytest.fixture(params=ENGINES, scope="module")
def aws(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with over_http() if request.param == "moto" else engine(request) as opened:
        fill(opened)
        yield opened


@contextmanager
def over_http() -> Iterator[Engine]:
    with dynamodb_over_http() as server:
        yield Engine(server.client, boto3.client("sqs"), server.raw(MemoryClock()))


def sides_of(aws: Engine, plan: LegacyPlan) -> StackSides:
    sqs = aws.sqs
    queue = sqs.create_queue(QueueName=uuid.uuid4().hex)["QueueUrl"]
    for body in ("one", "two"):
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    names = {name: named(name) for name in PipelineOutputs.model_fields}
    rows = {"employee_progress_table": "pipeline_employee", "program_progress_table": "pipeline_program"}
    tables = {name: named(table) for name, table in rows.items()}
    pipeline = PipelineOutputs(**{**names, **tables, "queue_url": queue})
    pace = ReadPace(None, MemoryClock())
    legacy = legacy_names(plan, LEGACY)
    assert legacy is not None
    reader = LegacySide(aws.dynamodb, aws.raw, plan, legacy, pace)
    return StackSides(aws.raw, PipelineTables(aws.dynamodb, sqs, pipeline), reader, pace, segments=2)


@pytest.fixture
def sides(aws: Engine) -> BothSides:
    return sides_of(aws, LegacyPlan())


def lines(sides: BothSides, part: Part) -> list[dict[str, Any]]:
    """Read a part's lines, shards summed, numbers as texts."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for chunk in sides.chunks(part, {}):
        for line in map(json.loads, chunk.lines.splitlines()):
            key = (line.get("employee_id") or "", line["program_id"], line.get("event_id", ""))
            before = found.get(key, {})
            found[key] = {
                name: str(int(value) + int(before.get(name, 0))) if name in NUMBERS else value or ""
                for name, value in line.items()
            }
    return [found[key] for key in sorted(found)]


@pytest.mark.parametrize("part", list(Part))
def test_every_item_is_read_once(sides: BothSides, part: Part) -> None:
    assert lines(sides, part) == lines(EXPECTED, part)
    assert len(lines(sides, part)) == (2 if part in (Part.EMPLOYEE_ROWS, Part.PROGRAM_ROWS) else 1)


def test_every_board_is_read_once(sides: BothSides) -> None:
    assert sorted(sides.legacy_boards(), key=repr) == sorted(EXPECTED.legacy_boards(), key=repr)
    assert list(sides.pipeline_boards()) == list(EXPECTED.pipeline_boards())
    assert list(sides.pipeline_boards("global")) == list(EXPECTED.pipeline_boards())
    assert list(sides.pipeline_boards("program#p")) == []


def test_what_is_on_its_way_is_read(sides: BothSides) -> None:
    assert (sides.newest_folded_at(), sides.queued()) == (AT, 2)


def test_a_differently_shaped_legacy_is_read_as_the_plan_says(aws: Engine) -> None:
    detail = {"M": {"who": {"S": "ada"}, "score": {"N": "7"}}}
    put(aws, "other_events", pk="v", detail=detail, course="p", at=1_772_357_400)
    entry = {"M": {"rank": {"N": "1"}, "employee_id": {"S": "ada"}, "points": {"N": "14"}}}
    put(aws, "other_board", name="global", top={"M": {"list": {"L": [entry]}}})
    plan = LegacyPlan.model_validate(
        {
            "events": {
                "table": named("other_events"),
                "employee_id": "detail.who",
                "event_id": "pk",
                "program_id": "course",
                "activity_type": {"constant": "task_completed"},
                "points": "detail.score",
                "occurred_at": "at",
                "time_format": "epoch_s",
            },
            "leaderboard": {
                "table": named("other_board"),
                "board": "name",
                "entries": "top.list",
                "format": "list",
            },
        }
    )
    sides = sides_of(aws, plan)
    (event,) = lines(sides, Part.LEGACY_EVENTS)
    assert (event["employee_id"], event["event_id"], event["points"]) == ("ada", "v", "7")
    assert event["received_at"] == ""
    assert list(sides.legacy_boards()) == [StoredBoard("global", (BoardEntry(1, "ada", 14),), None)]


@pytest.mark.parametrize("entries", ["{", '{"entries": 3}', '[{"rank": 1}]', "[3]", "null"])
def test_a_board_that_is_none_is_named(aws: Engine, entries: str) -> None:
    put(aws, "other_board", name="global", entries=entries)
    plan = LegacyPlan.model_validate({"leaderboard": {"table": named("other_board"), "board": "name"}})
    with pytest.raises(IntegrityError, match="the stored board 'global' is not a leaderboard"):
        list(sides_of(aws, plan).legacy_boards())


@pytest.mark.parametrize("body", [b"", b"{}", zlib.compress(b"{}"), zlib.compress(b"[]")])
def test_a_snapshot_that_is_none_is_named(aws: Engine, body: bytes) -> None:
    key = {"board": "program#p", "version": "latest"}
    put(aws, "snapshots_table", **key, body={"B": body})
    with pytest.raises(IntegrityError, match="the stored board 'program#p' is not a leaderboard"):
        list(sides_of(aws, LegacyPlan()).pipeline_boards())
    aws.dynamodb.delete_item(TableName=named("snapshots_table"), Key={n: {"S": v} for n, v in key.items()})
