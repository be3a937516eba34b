"""What a comparison reads, and its records: one contract in memory, and on every DynamoDB."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from moto import mock_aws

from migration.aws.tables.compared_sides import TableNames, TableSides
from migration.aws.tables.comparison_table import ComparisonTable
from migration.compare.shadow.comparing import compare
from migration.compare.shadow.comparison import comparison_fields
from migration.compare.shadow.one_employee import line_up
from migration.model.errors import IntegrityError, RemoteError
from migration.model.fold import TOTAL
from migration.model.legacy.layout import LegacyPlan
from migration.model.side import Side
from migration.model.stages import Control, Stage
from pipeline.domain.snapshot import encode
from tests.contract.engines import ENGINES, engine, unique
from tests.contract.test_control_plane_ports import table as control_table
from tests.diff_world import CLOCK, World, ago
from tests.doubles.comparing import MemoryComparedSides, MemoryComparisons, MemoryServing
from tests.pipeline_aws import create_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.compare.diff.two_sides import StoredBoard
    from migration.compare.shadow.comparison import Comparison
    from migration.compare.shadow.sides import ComparedSides, Comparisons
    from tests.contract.engines import Engine
    from tests.doubles.both_sides import MemorySides

CONTROL = Control(Stage.LIVE, 100, 100, epoch=3)
SERVING = MemoryServing({Side.LEGACY: 1.0, Side.PIPELINE: None})
UNTIL = datetime(2030, 1, 1, tzinfo=UTC)
BACKENDS = ["memory", *ENGINES]
KEYS = {
    "leaderboard": ("board",),
    "legacy_events": ("employee_id", "event_id"),
    "legacy_employee_progress": ("employee_id", "program_id"),
    "snapshots": ("board", "version"),
    "facts": ("employee_id", "event_id"),
    "employee_progress": ("employee_id", "program_id"),
    "program_progress": ("program_id", "shard"),
}


def world() -> World:
    world = World(queued=0)
    ada, grace, _ = (
        world.add(name, f"v-{name}", 30 - 10 * n) for n, name in enumerate(("ada", "grace", "é"))
    )
    world.add("ada", "w", 7, "q")
    world.count(ada)
    world.fold(grace, -1)
    world.add("grace", "not-yet", 4, "q", at=ago(seconds=3), fact=False)
    return world


class Backend:
    """Tables made and filled by plain calls, as both sides' code would have filled them."""

    def __init__(self, aws: Engine, prefix: str) -> None:
        self.dynamodb = cast("Any", aws.dynamodb)
        self.queue = aws.sqs.create_queue(QueueName=f"{prefix}-queue")["QueueUrl"]
        self.names = TableNames(**{name: f"{prefix}-{name}" for name in KEYS})
        for name, keys in KEYS.items():
            create_table(self.dynamodb, f"{prefix}-{name}", *keys)
        self.sides = TableSides(self.dynamodb, aws.sqs, self.names, self.queue, LegacyPlan())

    def put(self, table: str, **fields: object) -> None:
        item: Any = {
            name: {"N": str(value)}
            if isinstance(value, int)
            else {"B" if isinstance(value, bytes) else "S": value}
            for name, value in fields.items()
        }
        self.dynamodb.put_item(TableName=getattr(self.names, table), Item=item)

    def fill(self, sides: MemorySides) -> None:
        for board in sides.of_legacy:
            self.put("leaderboard", board=board.board, entries=_entries(board), rebuilt_at=board.made_at)
        for board in sides.of_pipeline:
            body = {"generated_at": board.made_at, "entries": json.loads(_entries(board))}
            self.put("snapshots", board=board.board, version="latest", body=encode(body))
        ranking = [{"program_id": name} for name in MemoryComparedSides(sides).biggest_programs(10)]
        programs = {"generated_at": ago(), "entries": [{"program_id": "#pulse"}, *ranking]}
        self.put("snapshots", board="programs", version="latest", body=encode(programs))
        for row, fold in sides.legacy_rows.items():
            if row.employee_id is not None:
                self.put("legacy_employee_progress", **row._asdict(), points=fold.points, events=fold.events)
        for row, parts in sides.rows.items():
            if row.employee_id is not None:
                self.put("employee_progress", **row._asdict(), **asdict(parts.live))
        for event in sides.events.values():
            self.put("legacy_events", **asdict(event), received_at=sides.received_at[event.identity])
        for fact in sides.facts.values():
            about = {"ingested_at": fact.ingested_at, "lane": fact.lane, "side": fact.side}
            self.put("facts", **asdict(fact.activity), **about)
        newest = {"program_id": "#freshness", "shard": "newest", "newest_folded_at": sides.newest}
        self.put("program_progress", **newest)


def _entries(board: StoredBoard) -> str:
    return json.dumps(
        [{"rank": e.rank, "employee_id": e.employee_id, "points": e.points} for e in board.entries]
    )


@pytest.fixture(params=BACKENDS)
def compared_sides(request: pytest.FixtureRequest) -> Iterator[ComparedSides]:
    filled = world().sides()
    if request.param == "memory":
        yield MemoryComparedSides(filled)
        return
    with engine(request) as aws:
        backend = Backend(aws, unique("comparing"))
        backend.fill(filled)
        yield backend.sides


@pytest.fixture(params=BACKENDS)
def comparisons(request: pytest.FixtureRequest) -> Iterator[Comparisons]:
    if request.param == "memory":
        yield MemoryComparisons()
        return
    with engine(request) as aws:
        plane = control_table(aws.dynamodb, unique("comparisons"))
        yield ComparisonTable(plane.client, plane.table, plane.migration)


def comparison(minutes: float = 0) -> Comparison:
    found = compare(CONTROL, 100, MemoryComparedSides(world().sides()), SERVING, CLOCK)
    return replace(found, at=ago(minutes=-minutes))


def test_everything_of_an_employee_is_read(compared_sides: ComparedSides) -> None:
    expected = MemoryComparedSides(world().sides())
    names = {"ada", "grace", "é", "nobody"}
    read = {one.employee_id: one for one in compared_sides.employees(names)}
    assert set(read) == names
    for one in expected.employees(names):
        assert line_up(read[one.employee_id]) == line_up(one)
    assert line_up(read["nobody"]) == ([], [])
    (total,) = [sums for sums in line_up(read["ada"])[0] if sums.row.program_id == TOTAL]
    assert (total.legacy.points, total.truth.points, total.pipeline.points) == (67, 37, 37)


def test_boards_and_what_is_on_its_way_are_read(compared_sides: ComparedSides) -> None:
    expected = MemoryComparedSides(world().sides())
    assert compared_sides.biggest_programs(1) == ["p"]
    assert compared_sides.biggest_programs(9) == ["p", "q"]
    for board in ("global", "program#p", "program#nobody's"):
        assert compared_sides.boards(board) == expected.boards(board)
    assert compared_sides.newest_folded_at() == ago(seconds=1)
    assert compared_sides.queued() == 0


def test_a_comparison_is_the_same_whatever_it_reads(compared_sides: ComparedSides) -> None:
    found = compare(CONTROL, 100, compared_sides, SERVING, CLOCK)
    expected = compare(CONTROL, 100, MemoryComparedSides(world().sides()), SERVING, CLOCK)
    assert {**comparison_fields(found), "effort": None} == {**comparison_fields(expected), "effort": None}
    assert found.effort.employees == 3


def test_comparisons_come_back_whole_in_order_and_from_any_time(comparisons: Comparisons) -> None:
    made = [comparison(minutes) for minutes in (2, 0, 1)]
    for one in (*made, made[0]):
        comparisons.add(one, UNTIL)
    first, second, third = sorted(made, key=lambda one: one.at)
    assert list(comparisons.since("")) == [first, second, third]
    assert list(comparisons.since(second.at)) == [second, third]
    assert list(comparisons.since(ago(days=-1))) == []


def test_a_record_expires_by_the_tables_own_attribute_and_is_small() -> None:
    with mock_aws():
        plane = control_table(boto3.client("dynamodb", region_name="us-east-1"), "control")
        table = ComparisonTable(plane.client, plane.table, plane.migration)
        table.add(comparison(), UNTIL)
        (item,) = plane.client.scan(TableName="control")["Items"]
        assert item["expires_at"] == {"N": str(int(UNTIL.timestamp()))}
        assert item["record"]["S"].startswith("comparison#2026-")
        assert len(item["body"]["B"]) < 2_000
        assert list(plane.journal()) == [], "a comparison is no entry of the journal"


def test_a_record_of_another_kind_is_named() -> None:
    with mock_aws():
        plane = control_table(boto3.client("dynamodb", region_name="us-east-1"), "control")
        table = ComparisonTable(plane.client, plane.table, plane.migration)
        key = {"migration": {"S": "activities"}, "record": {"S": "comparison#x"}}
        plane.client.put_item(TableName="control", Item={**key, "body": {"B": b"no"}})
        with pytest.raises(IntegrityError, match="comparison#x is not a comparison"):
            list(table.since(""))


def test_a_table_that_is_gone_is_an_error() -> None:
    with mock_aws():
        table = ComparisonTable(boto3.client("dynamodb", region_name="us-east-1"), "gone", "activities")
        with pytest.raises(RemoteError, match="recording a comparison in gone"):
            table.add(comparison(), UNTIL)
