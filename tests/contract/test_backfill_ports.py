"""One suite for the ports of a backfill and a reconcile: in memory, and on every DynamoDB."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

import boto3
import pytest
from moto import mock_aws

from migration.backfill.bases import Holds, Installed
from migration.backfill.history import BaseChange
from migration.model.backfill import BackfillPhase, Copied, Job, Pulse, Segment
from migration.model.errors import IntegrityError, RemoteError
from migration.model.facts import Created, Lane, Restated, Restatement, Stands, StoredFact, Taken
from migration.model.fold import NOTHING, TOTAL, Fold, Row
from migration.model.side import Side
from migration.model.stages import Control, Stage
from migration.repair.legacy_sink import Applied, AppliedBefore
from pipeline.domain.batch import Chunk
from pipeline.domain.queued_fact import QueuedFact
from pipeline.stores.folds import FoldTables
from tests.backfill_aws import InDynamoDB, in_dynamodb
from tests.backfill_world import activity
from tests.contract.engines import ENGINES, engine
from tests.doubles.backfill import MemoryBases, MemoryCheckpoints, MemoryFacts, MemoryLegacy
from tests.pipeline_aws import scan, table_name
from tests.raw_moto import through

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.backfill.bases import Bases
    from migration.backfill.facts import Facts
    from migration.backfill.legacy_events import LegacyEventSource
    from migration.model.checkpoints import Checkpoints
    from migration.repair.legacy_sink import LegacySink

EXPIRES = datetime(2030, 1, 1, tzinfo=UTC)
AT = "2026-03-01T09:30:00.000Z"


class Account(Protocol):
    """The ports of one account, and a way for others to write to it."""

    @property
    def facts(self) -> Facts: ...
    @property
    def events(self) -> LegacyEventSource: ...
    @property
    def legacy(self) -> LegacySink: ...
    @property
    def bases(self) -> Bases: ...
    @property
    def checkpoints(self) -> Checkpoints: ...
    def totals(self) -> dict[Row, Fold]: ...
    def move_to(self, stage: Stage) -> None: ...


@dataclass
class InMemory:
    facts: MemoryFacts
    events: MemoryLegacy
    bases: MemoryBases
    checkpoints: MemoryCheckpoints

    @property
    def legacy(self) -> MemoryLegacy:
        return self.events

    def totals(self) -> dict[Row, Fold]:
        return self.bases.totals

    def move_to(self, stage: Stage) -> None:
        self.checkpoints.state = Control(stage, epoch=3)


@pytest.fixture(params=["memory", *ENGINES])
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    if request.param == "memory":
        yield InMemory(MemoryFacts(), MemoryLegacy(), MemoryBases(), MemoryCheckpoints())
        return
    with engine(request) as aws:
        yield in_dynamodb(aws.dynamodb, aws.raw)


def fact(number: int, lane: Lane = Lane.HISTORY, side: Side = Side.LEGACY, **changes: Any) -> StoredFact:
    return StoredFact(replace(activity(number), **changes), lane, side, AT)


def test_a_put_never_overwrites_and_says_what_is_there(account: Account) -> None:
    first, other = fact(1), fact(1, Lane.LIVE, Side.PIPELINE, points=99)
    assert account.facts.put(first)[0] == Created()
    assert account.facts.put(first)[0] == Taken(first)
    taken, spent = account.facts.put(other)
    assert taken == Taken(first)
    assert spent.units >= 1
    assert list(account.facts.everything()) == [first]


@pytest.mark.parametrize("lane", Lane)
def test_a_fact_of_legacys_is_restated_while_it_says_what_was_disputed(account: Account, lane: Lane) -> None:
    was, beside = fact(1, lane, points=99, program_id="p-2"), fact(2, lane)
    to = replace(activity(1), activity_type="learning_milestone", occurred_at="2026-02-01T09:30:00.000Z")
    restatement = Restatement(was, to)
    assert account.facts.restate(restatement)[0] == Stands(None)
    account.facts.put(was)
    account.facts.put(beside)
    result, spent = account.facts.restate(restatement)
    assert result == Restated()
    assert spent.units > 0
    restated = replace(was, activity=to)
    assert account.facts.restate(restatement)[0] == Stands(restated)
    assert account.facts.put(was)[0] == Taken(restated)
    assert set(account.facts.everything()) == {restated, beside}


@pytest.mark.parametrize(
    "there",
    [
        fact(1, points=98),
        fact(1, points=99, program_id="p-2"),
        fact(1, points=99, activity_type="program_check_in"),
        fact(1, points=99, occurred_at="2026-02-01T09:30:00.000Z"),
        fact(1, Lane.LIVE, points=99),
        fact(1, side=Side.PIPELINE, points=99),
    ],
    ids=["points", "program", "type", "time", "lane", "side"],
)
def test_a_fact_that_is_another_one_by_now_is_not_restated(account: Account, there: StoredFact) -> None:
    account.facts.put(there)
    assert account.facts.restate(Restatement(fact(1, points=99), activity(1)))[0] == Stands(there)
    assert list(account.facts.everything()) == [there]


def test_the_history_lane_is_read_apart_and_pulses_not_at_all(account: Account) -> None:
    history = [fact(number) for number in range(5)]
    live = [fact(number, Lane.LIVE) for number in range(5, 8)]
    pulse = fact(9, Lane.LIVE, Side.PIPELINE, employee_id="#pulse", program_id="#pulse", points=0)
    for one in (*history, *live, pulse):
        account.facts.put(one)
    assert set(account.facts.history()) == {one.activity for one in history}
    assert set(account.facts.everything()) == {*history, *live}


def test_a_row_takes_its_history_once_and_only_in_place_of_what_it_held(account: Account) -> None:
    row, old, new = Row("e-1", "p-1"), Fold(10, 1, 7), Fold(30, 3, 77)
    assert account.bases.install(BaseChange(row, NOTHING, old))[0] == Installed()
    assert account.bases.install(BaseChange(row, NOTHING, new))[0] == Holds(old)
    assert account.bases.install(BaseChange(row, new, new))[0] == Holds(old)
    assert account.bases.install(BaseChange(row, old, new))[0] == Installed()
    assert account.bases.install(BaseChange(row, old, new))[0] == Holds(new)
    assert dict(account.bases.bases()) == {row: new}
    assert account.totals() == {row: new}


def test_what_was_never_installed_is_told_as_nothing(account: Account) -> None:
    assert account.bases.install(BaseChange(Row(None, "p"), Fold(1, 1, 1), Fold(2, 2, 2)))[0] == Holds(
        NOTHING
    )
    assert account.totals() == {}


def test_every_kind_of_row_holds_history_and_the_largest_fingerprint(account: Account) -> None:
    huge = Fold(10**15, 10**9, 10**27)
    rows = [Row("e-1", "p-1"), Row("e-1", TOTAL), Row(None, "p-1")]
    for row in rows:
        assert account.bases.install(BaseChange(row, NOTHING, huge))[0] == Installed()
    assert dict(account.bases.bases()) == account.totals() == dict.fromkeys(rows, huge)


def test_legacy_is_read_whole_and_from_any_position(account: Account) -> None:
    applied = [fact(number, Lane.LIVE, Side.PIPELINE) for number in range(10)]
    for one in applied:
        account.legacy.apply(one)
    expected = {one.activity for one in applied}
    pages = list(account.events.pages(3, {}))
    assert {one for page in pages for one in page.activities} == expected
    assert {page.segment for page in pages if page.position is None} == {0, 1, 2}
    first = next(account.events.pages(1, {}))
    rest = list(account.events.pages(1, {0: first.position}))
    assert {*first.activities, *(one for page in rest for one in page.activities)} == expected
    assert list(account.events.pages(2, {0: None, 1: None})) == []
    assert account.events.size().items == 10


def test_legacy_takes_a_fact_once(account: Account) -> None:
    one = fact(1, Lane.LIVE, Side.PIPELINE)
    assert account.legacy.apply(one) == Applied()
    assert account.legacy.apply(one) == AppliedBefore()


def test_a_job_is_replaced_only_by_who_read_it(account: Account) -> None:
    checkpoints = account.checkpoints
    assert checkpoints.job() is None
    job = Job(1, 4, 500, AT, skip_unmappable=True)
    assert checkpoints.save_job(job)
    assert not checkpoints.save_job(job)
    paused = job.changed(paused="by ana", phase=BackfillPhase.FOLDED, history=Fold(5, 2, 10**20))
    assert checkpoints.save_job(paused)
    assert not checkpoints.save_job(job.changed(max_wcu=9.0))
    assert checkpoints.job() == paused


def test_segments_advance_only_from_where_they_are_and_belong_to_their_run(account: Account) -> None:
    job = Job(1, 2, 500, AT)
    start = account.checkpoints.progress(job).segments[1]
    assert start == Segment(1, 1)
    ahead = start.after(Copied(3, 1, ("a conflict",), ("a misfit",)), '{"employee_id":{"S":"é"}}')
    assert account.checkpoints.save_segment(ahead)
    assert not account.checkpoints.save_segment(ahead)
    assert account.checkpoints.progress(job).segments == (Segment(1, 0), ahead)
    done = ahead.after(Copied(), None)
    assert account.checkpoints.save_segment(done)
    assert account.checkpoints.progress(job).done == 1
    assert account.checkpoints.progress(replace(job, run=2)).segments == (Segment(2, 0), Segment(2, 1))


def test_a_sign_of_life_is_never_older_than_the_last(account: Account) -> None:
    assert account.checkpoints.pulse() is None
    newer = Pulse("b", 1_772_357_401.123456, 50.0, "speeding up", 12.5, None)
    for pulse in (Pulse("a", 1_772_357_400.0, 1.0, "starting"), newer, Pulse("c", 1.0, 1.0, "late")):
        account.checkpoints.save_pulse(pulse)
    assert account.checkpoints.pulse() == newer


def test_the_stage_is_off_until_it_is_moved(account: Account) -> None:
    assert account.checkpoints.control() == Control()
    account.move_to(Stage.SHADOW)
    assert account.checkpoints.control() == Control(Stage.SHADOW, epoch=3)


@pytest.fixture
def moto() -> Iterator[InDynamoDB]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        yield in_dynamodb(client, through(client))


def test_history_and_the_live_lane_share_rows_boards_and_scores(moto: InDynamoDB) -> None:
    """Whichever comes first, the row is the one that the live lane alone would have left."""
    history = Fold(100, 2, 55)
    for row in (Row("e-1", "p-1"), Row("e-1", TOTAL), Row(None, "p-1")):
        moto.bases.install(BaseChange(row, NOTHING, history))
    fold_live(moto, QueuedFact("e-1", "ev-1", "p-1", 7, AT), QueuedFact("e-2", "ev-1", "p-1", 107, AT))
    items = scan(moto.client, moto.prefix, "employee_progress")
    rows = {(item["employee_id"], item["program_id"]): item for item in items}
    assert rows["e-1", "p-1"]["points"] == rows["e-1", TOTAL]["points"] == 107
    for name in ("p-1", TOTAL):
        one, other = rows["e-1", name], rows["e-2", name]
        assert one["board"].rpartition("#")[0] == other["board"].rpartition("#")[0]
        assert int(float(one["score"])) == int(float(other["score"])) == 107
    shards = {item["shard"]: item["points"] for item in scan(moto.client, moto.prefix, "program_progress")}
    assert shards == {"base": 100, "00": 114}


def test_a_fact_that_is_none_is_named(moto: InDynamoDB) -> None:
    moto.facts.put(fact(1))
    moto.client.update_item(
        TableName=moto.facts.table,
        Key={"employee_id": {"S": "e-1"}, "event_id": {"S": "ev-1"}},
        UpdateExpression="SET lane = :l",
        ExpressionAttributeValues={":l": {"S": "sideways"}},
    )
    with pytest.raises(IntegrityError, match=r"'sideways' - at `\$\.lane\.S`; it is .*'e-1'.*'ev-1'"):
        list(moto.facts.everything())


def test_an_item_that_does_not_fit_the_plan_is_a_misfit_and_stops_nothing(moto: InDynamoDB) -> None:
    moto.legacy.apply(fact(1, Lane.LIVE, Side.PIPELINE))
    moto.client.put_item(
        TableName=moto.events.table, Item={"employee_id": {"S": "e-7"}, "event_id": {"S": "ev-7"}}
    )
    pages = list(moto.events.pages(1, {}))
    assert [one for page in pages for one in page.activities] == [activity(1)]
    [misfit] = [text for page in pages for text in page.misfits]
    assert "e-7" in misfit
    assert "program_id is missing" in misfit


def test_a_table_that_is_gone_is_an_error_that_says_what_was_being_done(moto: InDynamoDB) -> None:
    moto.client.delete_table(TableName=moto.facts.table)
    with pytest.raises(RemoteError, match="putting a fact in"):
        moto.facts.put(fact(1))


def fold_live(account: InDynamoDB, *facts: QueuedFact) -> None:
    store = FoldTables(
        client=account.client,
        dedup=table_name(account.prefix, "dedup"),
        employee_progress=account.bases.employee_progress,
        program_progress=account.bases.program_progress,
        board_shards=account.bases.board_shards,
        program_shard=0,
        expires_at=EXPIRES,
    )
    store.commit(Chunk(facts))
