"""Whoever reads a table or queue reads the same: each case is where copies of a reader had drifted apart."""

from __future__ import annotations

import json
import zlib
from contextlib import ExitStack
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import msgspec
import pytest
from moto import mock_aws

from migration.aws.stack import as_deployed
from migration.aws.stack.live_queue import LiveQueue
from migration.aws.stack.permissions import needs
from migration.aws.stack.stack_signs import StackSigns
from migration.aws.stack.stack_vitals import StackVitals
from migration.aws.tables.both_sides import StackSides
from migration.aws.tables.compared_sides import TableNames, TableSides
from migration.aws.tables.fact_items import stored_fact
from migration.aws.tables.legacy_event_table import LegacyEventTable
from migration.aws.tables.legacy_pages import LegacyPages
from migration.aws.tables.legacy_rows import MARK
from migration.aws.tables.legacy_side import LegacySide
from migration.aws.tables.progress_rows import progress_row
from migration.aws.tables.scanned_items import FactItem, ProgressItem
from migration.aws.tables.side_tables import MappedLegacy, PipelineTables
from migration.aws.transport.clients import Clients
from migration.aws.transport.pages import PageDecoder
from migration.aws.transport.scan import ReadPace
from migration.compare.boards.boards import BoardEntry
from migration.compare.both_sides import Part
from migration.doctor.scene import Gathered
from migration.model.errors import IntegrityError
from migration.model.fold import Activity, Fold, Row
from migration.model.legacy.layout import LegacyPlan
from migration.model.legacy.mapping import activity_mapper
from migration.plan.outputs import (
    EntryOutputs,
    LegacyOutputs,
    MigrationOutputs,
    PipelineOutputs,
    StackOutputs,
)
from migration.plan.plan import Plan, load_plan
from migration.preflight.deployed import Pipe, Queue
from migration.preflight.streams import given_up
from migration.wiring.sources import legacy_names
from pipeline.domain.fact import activity_item, fact_item
from pipeline.domain.fold_rows import FRESHNESS_KEY
from pipeline.handlers import snapshot
from tests import club_legacy
from tests.doubles.clock import MemoryClock
from tests.dynamodb_http import dynamodb_over_http

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migration.model.facts import StoredFact

AT = "2026-03-01T09:30:00.000Z"
ACTIVITY = Activity("ada", "v-1", "chess", "task_completed", 7, AT)
FACT: dict[str, Any] = fact_item(ACTIVITY, AT, lane="live", side="legacy")
NAMES = {name: name for name in LegacyOutputs.model_fields}
DEAD = ("not captured", "not folded", "not captured for legacy", "not mirrored back")


def outputs(url: str = "https://sqs") -> StackOutputs:
    """A stack whose every name is the field's own; queues are at `url`."""

    def made(model: Any, **more: str) -> Any:
        queues = {name: f"{url}/{name}" for name in model.model_fields if name.endswith("queue_url")}
        return model(**{name: name for name in model.model_fields} | queues | more)

    parts = {
        "entry": EntryOutputs,
        "legacy": LegacyOutputs,
        "pipeline": PipelineOutputs,
        "migration": MigrationOutputs,
    }
    made_parts = {name: made(model) for name, model in parts.items()}
    return StackOutputs(stack="s", phase="expand", region="us-east-1", **made_parts)


@pytest.fixture
def aws() -> Iterator[Clients]:
    with mock_aws():
        yield Clients(boto3.client("dynamodb"), boto3.client("lambda"), boto3.client("sqs"))


def busy_queue(sqs: Any, name: str = "queue") -> str:
    """Make a queue with one message that waits, one in flight and one delayed."""
    url: str = sqs.create_queue(QueueName=name)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    assert len(sqs.receive_message(QueueUrl=url, VisibilityTimeout=600)["Messages"]) == 1
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    sqs.send_message(QueueUrl=url, MessageBody="{}", DelaySeconds=600)
    return url


def compared(aws: Clients, queue: str = "", layout: LegacyPlan | None = None, **tables: str) -> TableSides:
    names = {name: name for name in TableNames.__dataclass_fields__} | tables
    return TableSides(aws.dynamodb, aws.sqs, TableNames(**names), queue, layout or LegacyPlan())


def make_table(aws: Clients, name: str, *keys: str) -> None:
    aws.dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": key, "KeyType": "RANGE" if place else "HASH"} for place, key in enumerate(keys)
        ],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
    )


def test_everybody_counts_what_waits_what_is_in_flight_and_what_is_delayed(
    aws: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparator and the snapshots had left the delayed ones out, and doctor those in flight too."""
    url = busy_queue(aws.sqs)
    pipeline = outputs().pipeline
    assert pipeline is not None
    tables = PipelineTables(aws.dynamodb, aws.sqs, pipeline.model_copy(update={"queue_url": url}))
    signs = StackSigns(aws, SimpleNamespace(), outputs())  # type: ignore[arg-type] # no pipe is asked about
    gathered = signs._gathered(url)
    assert isinstance(gathered, Gathered)
    monkeypatch.setenv("QUEUE_URL", url)
    monkeypatch.setattr(snapshot, "sqs", lambda: aws.sqs)
    counts = [
        tables.queued(),
        tables.live.queued(),
        compared(aws, url).queued(),
        gathered.messages,
        snapshot.pending_messages(),
    ]
    assert counts == [3] * 5


def test_everybody_knows_the_same_dead_letter_queues(aws: Clients) -> None:
    """The verification knew two of them, the guardrail four, and doctor asked the pipes for two."""
    urls = {name: busy_queue(aws.sqs, name) for name in MigrationOutputs.model_fields if "dead" in name}
    urls |= {name: busy_queue(aws.sqs, name) for name in PipelineOutputs.model_fields if "dead" in name}
    stack = outputs(next(iter(urls.values())).rpartition("/")[0])
    assert stack.pipeline is not None
    assert stack.migration is not None
    assert tuple(stack.dead_letters) == DEAD
    assert set(stack.dead_letters.values()) == set(urls.values())

    vitals = StackVitals(aws.dynamodb, aws.sqs, stack.pipeline, stack.migration, "m")
    assert {**vitals.dead(), **vitals.mirrors_dead()} == dict.fromkeys(DEAD, 3)
    assert PipelineTables(aws.dynamodb, aws.sqs, stack.pipeline).dead() == 6
    allowed = {need.thing for need in needs(stack, Plan()) if need.service == "sqs"}
    assert set(urls) | {"queue_url", "mirror_queue_url"} == allowed
    pipes = SimpleNamespace(describe_pipe=lambda **_: _pipe_of("elsewhere"))
    found = StackSigns(aws, SimpleNamespace(pipes=pipes), stack).read()  # type: ignore[arg-type] # as above
    gathered = [found.folds_given_up, found.mirrors_given_up, *found.never_queued]
    assert [one.name for one in gathered if isinstance(one, Gathered) and one.messages == 3] == [
        url.rpartition("/")[2]
        for url in (
            stack.dead_letters["not folded"],
            stack.dead_letters["not mirrored back"],
            stack.dead_letters["not captured"],
            stack.dead_letters["not captured for legacy"],
        )
    ]


def test_a_stack_without_a_mirror_has_no_dead_letters_of_one() -> None:
    contracted = outputs().model_copy(update={"migration": MigrationOutputs(control_table="c")})
    assert tuple(contracted.dead_letters) == DEAD[:2]
    assert contracted.pipeline is not None
    assert contracted.migration is not None
    nothing: Any = None  # is asked
    vitals = StackVitals(nothing, nothing, contracted.pipeline, contracted.migration, "m")
    assert (vitals.mirrored_back(), vitals.mirrors_dead()) == (None, {}), "nothing is not 0"


def _pipe_of(dead_letters: str) -> dict[str, Any]:
    stream = {"DeadLetterConfig": {"Arn": dead_letters}, "MaximumRecordAgeInSeconds": 3_600}
    source = {"DynamoDBStreamParameters": stream}
    names = {"Name": "pipe", "CurrentState": "RUNNING", "Source": "stream", "Target": "queue"}
    return {**names, "SourceParameters": source}


@pytest.mark.parametrize(("sends_to", "fits"), [("arn:dlq", True), ("arn:other", False), (None, False)])
def test_a_pipe_that_gives_up_to_a_queue_nobody_watches_is_found(sends_to: str | None, fits: bool) -> None:
    """Preflight had asked the pipe itself which queue that must be, so it always fitted."""
    watched = Queue("arn:dlq", 60, 86_400, None, None)
    describe: Any = SimpleNamespace(
        pipe=lambda name: Pipe(name, "RUNNING", "", "", "", (), "", 3_600, sends_to, ""),
        queue=lambda _url: watched,
        function=lambda _name: None,
        mappings=lambda _name: (),
    )
    stack = outputs()
    assert stack.pipeline is not None
    assert stack.migration is not None
    for leg in as_deployed._legs(describe, stack.pipeline, stack.migration):
        said = list(given_up(leg))
        assert said == [] if fits else f"to {sends_to or 'nowhere'}, and arn:dlq is watched" in said[0]


def test_how_far_the_folds_are_is_read_consistently_and_may_be_missing(aws: Clients) -> None:
    """The pacer had read a copy that may lag, and the comparator broke on an item without the time."""
    make_table(aws, "program_progress", "program_id", "shard")
    asked: list[Any] = []
    aws.dynamodb.meta.events.register(
        "provide-client-params.dynamodb.GetItem", lambda params, **_: asked.append(params)
    )
    live = LiveQueue(aws.dynamodb, aws.sqs, "", "program_progress")
    readers = (live.newest_folded_at, compared(aws).newest_folded_at)
    for item, expected in ((None, None), ({}, None), ({"newest_folded_at": {"S": AT}}, AT)):
        if item is not None:
            aws.dynamodb.put_item(TableName="program_progress", Item={**FRESHNESS_KEY, **item})
        assert [read() for read in readers] == [expected] * 2
    assert {one["ConsistentRead"] for one in asked} == {True}


@pytest.mark.parametrize(
    "change",
    [
        {"lane": {"S": "fast"}},
        {"side": {"S": "both"}},
        {"points": {"N": "1.5"}},
        {"points": {"S": "7"}},
        {"lane": None},
        {"occurred_at": None},
        {"ingested_at": None},
    ],
)
def test_an_item_that_is_no_fact_is_named_whoever_reads_it(change: dict[str, Any]) -> None:
    """The verification had ended in a ValueError, diff and ledger had taken what was missing for empty."""
    item = {name: value for name, value in (FACT | change).items() if value is not None}
    with pytest.raises(IntegrityError, match="the fact ada v-1 in facts is not one"):
        stored_fact("facts", item)
    with pytest.raises(IntegrityError, match=r"v-1.*in facts is not one|an item of facts is not .*v-1"):
        _scanned(item)


def _scanned(item: dict[str, Any]) -> StoredFact:
    page = PageDecoder("facts", FactItem).decode(msgspec.json.encode({"Items": [item]}))
    return page.Items[0].fact("facts")


def test_both_readers_of_facts_and_rows_read_the_same() -> None:
    assert _scanned(FACT) == stored_fact("facts", FACT)
    row = {"employee_id": {"S": "ada"}, "program_id": {"S": "chess"}, "points": {"N": "7"}}
    for item in (row, {name: row[name] for name in ("program_id", "points")}):
        scanned = msgspec.convert(item, ProgressItem)
        assert (scanned.row, scanned.whole) == progress_row(item)


@pytest.fixture
def club(tmp_path: Path) -> Iterator[tuple[Clients, LegacyPlan, Any]]:
    """Another team's tables, with one visit and its board."""
    with ExitStack() as stack:
        http = stack.enter_context(dynamodb_over_http())
        club_legacy.make_tables(http.client)
        visit = {
            "employee_id": "ada",
            "event_id": "v-1",
            "program_id": "chess",
            "activity_type": "task_completed",
            "points": 7,
            "occurred_at": AT,
        }
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ENDPOINT_URL", http.endpoint_url)
            patch.setattr(boto3, "client", lambda *_, **__: http.client)
            club_legacy.handler({"body": json.dumps(visit)}, None)
        club_legacy.rank(http.client)
        (tmp_path / "cutover.toml").write_text(club_legacy.PLAN)
        aws = Clients(http.client, boto3.client("lambda"), boto3.client("sqs"))
        yield aws, load_plan(tmp_path / "cutover.toml").legacy, http.raw(MemoryClock())


def test_the_ledger_check_reads_legacy_as_the_plan_says(club: tuple[Clients, LegacyPlan, Any]) -> None:
    """It had read the stack's own tables, in the reference system's layout, whatever the plan said."""
    aws, plan, _ = club
    legacy = MappedLegacy(aws.dynamodb, LegacyOutputs(**NAMES).as_planned(plan), plan)
    assert list(legacy.activities()) == [ACTIVITY]
    assert legacy.folds() == {Row("ada", "chess"): Fold(7, 1), Row(None, "chess"): Fold(7, 1)}


def test_comparator_and_diff_read_the_board_that_the_plan_names(
    club: tuple[Clients, LegacyPlan, Any],
) -> None:
    """The comparator had looked for `board` and `entries` in every system's leaderboard."""
    aws, plan, raw = club
    make_table(aws, "snapshots", "board", "version")
    stack = outputs()
    assert stack.pipeline is not None
    names = legacy_names(plan, LegacyOutputs(**NAMES))
    assert names is not None
    tables = PipelineTables(aws.dynamodb, aws.sqs, stack.pipeline)
    pace = ReadPace(None, MemoryClock())
    (whole,) = StackSides(
        raw, tables, LegacySide(aws.dynamodb, raw, plan, names, pace), pace, segments=2
    ).legacy_boards()
    board, _ = compared(aws, layout=plan, leaderboard="club-boards", snapshots="snapshots").boards("global")
    assert board == whole
    assert board.entries == (BoardEntry(1, "ada", 7),)


@pytest.mark.parametrize("keys", [("employee_id", "event_id"), ("event_id",)])
def test_nobody_sees_an_event_of_legacys_before_the_mirror_has_finished_it(keys: tuple[str, ...]) -> None:
    """A reconcile that took it for there would never add the rest of it."""
    with dynamodb_over_http() as http:
        aws = Clients(http.client, boto3.client("lambda"), boto3.client("sqs"))
        for name, parts in {
            **dict.fromkeys(NAMES, ("employee_id", "program_id")),
            "events_table": keys,
        }.items():
            make_table(aws, name, *parts)
        for event, more in (("v-1", {}), ("v-2", {MARK: {"BOOL": True}})):
            item = activity_item(replace(ACTIVITY, event_id=event))
            http.client.put_item(TableName="events_table", Item={**item, **more})
        raw, plan, pace = http.raw(MemoryClock()), LegacyPlan(), ReadPace(None, MemoryClock())
        names, read = legacy_names(plan, LegacyOutputs(**NAMES)), activity_mapper(plan.events)
        assert names is not None
        stack = outputs()
        assert stack.pipeline is not None
        side = LegacySide(aws.dynamodb, raw, plan, names, pace)
        sides = StackSides(raw, PipelineTables(aws.dynamodb, aws.sqs, stack.pipeline), side, pace, segments=1)
        lines = [chunk.lines for chunk in sides.chunks(Part.LEGACY_EVENTS, {})]
        pages = (
            *LegacyEventTable(aws.dynamodb, raw, "events_table", read, pace).pages(1, {}),
            *LegacyPages(aws.dynamodb, raw, "events_table", read, lambda: 100).pages(1, {}),
        )
        seen = {
            "the ledger check": list(MappedLegacy(aws.dynamodb, LegacyOutputs(**NAMES), plan).activities()),
            "verify, again": list(side.readings(["ada"])("ada").events),
            "backfill and reconcile": list(pages[0].activities),
            "the segment worker": list(pages[-1].activities),
        }
        assert seen == {who: [ACTIVITY] for who in seen}
        assert (b"v-1" in b"".join(lines), b"v-2" in b"".join(lines)) == (True, False)
        if len(keys) > 1:
            for name in ("employee_progress", "facts"):
                make_table(aws, name, "employee_id", "event_id")
            tables = compared(
                aws, legacy_events="events_table", legacy_employee_progress="employee_progress_table"
            )
            [sightings] = [one.legacy_events for one in tables.employees(["ada"])]
            assert [one.identity.event_id for one in sightings] == ["v-1"]


@pytest.mark.parametrize("body", [b"", zlib.compress(b"{}"), zlib.compress(b'{"entries": [3]}')])
def test_a_board_of_programs_that_is_none_is_named(aws: Clients, body: bytes) -> None:
    """It had been whatever error its text made."""
    make_table(aws, "snapshots", "board", "version")
    item: Any = {"board": {"S": "programs"}, "version": {"S": "latest"}, "body": {"B": body}}
    aws.dynamodb.put_item(TableName="snapshots", Item=item)
    with pytest.raises(IntegrityError, match="the stored board 'programs' is not a leaderboard"):
        compared(aws).biggest_programs(3)
