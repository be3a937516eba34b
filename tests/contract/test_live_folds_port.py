"""The live lane's folds as a repair touches them: one contract in memory, and on every DynamoDB."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import boto3
import pytest
from moto import mock_aws

from migration.aws.tables.live_fold_tables import LiveFoldTables
from migration.aws.transport.clients import Clients
from migration.model.facts import Lane, Restated, Restatement, Stands, StoredFact
from migration.model.fold import TOTAL, Fold, Row, fold_all, fold_of, rows_of
from migration.model.side import Side
from migration.plan.outputs import PipelineOutputs
from migration.repair.live_folds import Compensated, CompensatedBefore, Overtaken
from migration.repair.words import Compensation
from pipeline.domain.aggregator import Aggregator, FoldStore
from pipeline.domain.queued_fact import QueuedFact, parse_message
from pipeline.stores.folds import FoldTables
from tests.contract.engines import ENGINES, engine, unique
from tests.doubles.clock import MemoryClock
from tests.doubles.live_folds import MemoryLiveFolds
from tests.memory_dynamodb import item_of, read_fact
from tests.pipeline_aws import KEYS, create_tables, scan, table_name
from tests.repair_world import RowFolds
from tests.verify_world import OLD, activity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.model.fold import Activity
    from migration.repair.live_folds import LiveFolds

ONE = activity(1, points=30)
ROW, PROGRAM = Row(ONE.employee_id, ONE.program_id), Row(None, ONE.program_id)
FACT = StoredFact(ONE, Lane.LIVE, Side.PIPELINE, OLD)
SHARDS = 3
NAME = "\n".join(ONE.identity)
DAY_S = 86_400
A_HORIZON_ON = MemoryClock().now() + 40 * DAY_S


class FoldingLane(Protocol):
    """A live lane, its port, what the pipeline itself commits to, and what the rows hold."""

    @property
    def port(self) -> LiveFolds: ...
    @property
    def store(self) -> FoldStore: ...
    def rows(self) -> dict[Row, Fold]: ...
    def messages(self) -> list[QueuedFact]: ...
    def store_fact(self, fact: StoredFact) -> None: ...
    def fact(self) -> StoredFact: ...
    def enter(self, expires: float | None) -> None: ...
    def expiry(self) -> float | None: ...


@dataclass
class InMemory:
    port: MemoryLiveFolds

    @property
    def store(self) -> FoldStore:
        return RowFolds(self.port)

    def rows(self) -> dict[Row, Fold]:
        return {row: parts.live for row, parts in self.port.rows.items()}

    def messages(self) -> list[QueuedFact]:
        return [_queued(fact) for fact in self.port.queue]

    def store_fact(self, fact: StoredFact) -> None:
        self.port.facts.by_identity[fact.activity.identity] = fact

    def fact(self) -> StoredFact:
        return self.port.facts.by_identity[ONE.identity]

    def enter(self, expires: float | None) -> None:
        self.port.entries[NAME] = None
        if expires is not None:
            self.port.expires[NAME] = expires

    def expiry(self) -> float | None:
        return self.port.expires.get(NAME)


@dataclass
class InAws:
    port: LiveFoldTables
    prefix: str

    @property
    def store(self) -> FoldStore:
        tables = {name: table_name(self.prefix, name) for name in KEYS if name not in ("facts", "snapshots")}
        expires = datetime(2030, 1, 1, tzinfo=UTC)
        return FoldTables(
            self.port.clients.dynamodb,
            **tables,
            board_shards=SHARDS,
            program_shard=0,
            expires_at=expires,
        )

    def rows(self) -> dict[Row, Fold]:
        rows: dict[Row, Fold] = {}
        for table in ("employee_progress", "program_progress"):
            for item in scan(self.port.clients.dynamodb, self.prefix, table):
                if "events" in item:
                    row = Row(item.get("employee_id"), item["program_id"])
                    fold = Fold(item["points"], item["events"], item["fingerprint"])
                    rows[row] = rows.get(row, Fold()) + fold
        return rows

    def messages(self) -> list[QueuedFact]:
        sqs, url = self.port.clients.sqs, self.port.outputs.queue_url
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        return [parse_message(message["Body"]) for message in answer.get("Messages", [])]

    def store_fact(self, fact: StoredFact) -> None:
        self.port.clients.dynamodb.put_item(TableName=self.port.outputs.facts_table, Item=item_of(fact))

    def fact(self) -> StoredFact:
        key = {name: {"S": one} for name, one in ONE.identity._asdict().items()}
        answer: Any = self.port.clients.dynamodb.get_item(TableName=self.port.outputs.facts_table, Key=key)
        return read_fact(answer["Item"])

    def enter(self, expires: float | None) -> None:
        more: Any = {} if expires is None else {"expires_at": {"N": str(int(expires))}}
        self.port.clients.dynamodb.put_item(
            TableName=self.port.outputs.dedup_table, Item={"identity": {"S": NAME}, **more}
        )

    def expiry(self) -> float | None:
        return next(
            (one.get("expires_at") for one in scan(self.port.clients.dynamodb, self.prefix, "dedup")), None
        )


def in_aws(clients: Clients) -> InAws:
    prefix = unique("folds")
    create_tables(clients.dynamodb, prefix)
    queue = clients.sqs.create_queue(QueueName=prefix)["QueueUrl"]
    names = {f"{name}_table": table_name(prefix, name) for name in KEYS}
    outputs = PipelineOutputs.model_construct(None, **names, queue_url=queue)
    return InAws(LiveFoldTables(clients, outputs, MemoryClock(), SHARDS, timedelta(days=40)), prefix)


@pytest.fixture(params=["memory", *ENGINES])
def lane(request: pytest.FixtureRequest) -> Iterator[InMemory | InAws]:
    if request.param == "memory":
        yield InMemory(MemoryLiveFolds(now=MemoryClock().now))
        return
    with engine(request) as aws:
        unused: Any = None
        yield in_aws(Clients(aws.dynamodb, unused, aws.sqs))


def fold(lane: FoldingLane, *facts: QueuedFact) -> set[str]:
    """As the pipeline's aggregator does; gives the duplicates."""
    outcome = Aggregator(lane.store, wait=lambda _: None, has_time=lambda: True).fold(facts)
    assert not outcome.failed
    return outcome.duplicates


def _queued(fact: StoredFact) -> QueuedFact:
    one = fact.activity
    return QueuedFact(one.employee_id, one.event_id, one.program_id, one.points, fact.ingested_at)


def test_an_event_has_folded_when_the_aggregator_folded_it_or_a_repair_closed_it(lane: FoldingLane) -> None:
    other = activity(2)
    assert not lane.port.has_folded(ONE.identity)
    fold(lane, _queued(FACT))
    assert lane.port.has_folded(ONE.identity)
    lane.port.close(ONE.identity)
    lane.port.close(other.identity)
    lane.port.close(other.identity)
    assert lane.port.has_folded(other.identity)
    assert fold(lane, _queued(replace(FACT, activity=other))) == {"\n".join(other.identity)}
    assert lane.rows()[ROW].events == 1


@pytest.mark.parametrize("days", [-3, -1, 0, 14, 39])
def test_a_closed_event_stays_closed_however_soon_its_entry_was_to_go(lane: FoldingLane, days: int) -> None:
    lane.enter(MemoryClock().now() + days * DAY_S)
    lane.port.close(ONE.identity)
    assert lane.expiry() == A_HORIZON_ON
    lane.enter(MemoryClock().now() + days * DAY_S)
    lane.port.keep_closed(ONE.identity)
    assert lane.expiry() == A_HORIZON_ON


@pytest.mark.parametrize("expires", [A_HORIZON_ON + DAY_S, None])
def test_an_entry_that_stays_longer_is_left(lane: FoldingLane, expires: float | None) -> None:
    lane.enter(expires)
    lane.port.close(ONE.identity)
    lane.port.keep_closed(ONE.identity)
    assert (lane.port.has_folded(ONE.identity), lane.expiry()) == (True, expires)


def test_an_event_that_ttl_has_opened_is_closed_or_may_be_folded_once(lane: FoldingLane) -> None:
    lane.port.keep_closed(ONE.identity)
    assert not lane.port.has_folded(ONE.identity)
    lane.port.close(ONE.identity)
    assert lane.expiry() == A_HORIZON_ON
    assert fold(lane, _queued(FACT)) == {NAME}


def test_a_message_that_is_sent_again_is_the_pipes_and_is_folded_once(lane: FoldingLane) -> None:
    odd = replace(ONE, event_id='ev-"ü"')
    lane.port.redrive(replace(FACT, activity=odd))
    lane.port.redrive(replace(FACT, activity=odd))
    seen: list[QueuedFact] = []
    while len(seen) < 2:
        seen += lane.messages()
    assert set(seen) == {_queued(replace(FACT, activity=odd))}
    for message in seen:
        fold(lane, message)
    assert lane.rows() == {row: fold_of(odd) for row in rows_of(odd)}


@pytest.mark.parametrize("row", [ROW, Row(ONE.employee_id, TOTAL), PROGRAM], ids=str)
def test_a_compensation_is_added_once_and_its_number_is_taken(lane: FoldingLane, row: Row) -> None:
    fold(lane, _queued(FACT))
    assert lane.port.compensations(row) == 0
    first = Compensation(row, 1, fold_of(ONE) * -1, "doubled event")
    assert lane.port.compensate(first) == Compensated()
    assert lane.port.compensate(first) == CompensatedBefore()
    assert lane.port.compensate(replace(first, delta=Fold(points=1))) == Overtaken()
    assert lane.port.compensations(row) == 1
    assert lane.rows()[row] == Fold()
    assert lane.port.compensate(replace(first, number=2, delta=Fold(points=-7))) == Compensated()
    assert lane.port.compensations(row) == 2
    fold(lane, _queued(replace(FACT, activity=activity(5))))
    assert lane.rows()[row] == Fold(-7) + fold_of(activity(5))
    others = [one for one in rows_of(ONE) if one != row]
    assert all(lane.rows()[one] == fold_of(ONE) + fold_of(activity(5)) for one in others)


def test_a_compensation_makes_a_row_that_was_not_there(lane: FoldingLane) -> None:
    for row in rows_of(ONE):
        assert lane.port.compensate(Compensation(row, 1, fold_of(ONE))) == Compensated()
    assert lane.rows() == {row: fold_of(ONE) for row in rows_of(ONE)}


@pytest.mark.parametrize(
    "to",
    [
        replace(ONE, points=12),
        replace(ONE, program_id="prog-9"),
        replace(ONE, program_id="prog-9", points=12),
    ],
    ids=["points", "program", "both"],
)
@pytest.mark.parametrize("message", ["before", "after"])
def test_a_restatement_moves_the_fact_and_its_rows_once_whenever_its_message_comes(
    lane: FoldingLane, to: Activity, message: str
) -> None:
    disputed = replace(FACT, side=Side.LEGACY)
    restatement = Restatement(disputed, to)
    assert lane.port.restate(restatement) == Stands(None)
    assert not lane.rows()
    lane.store_fact(disputed)
    beside = replace(FACT, activity=activity(5))
    fold(lane, _queued(beside))
    if message == "before":
        fold(lane, _queued(disputed))
    assert lane.port.restate(restatement) == Restated()
    assert lane.port.restate(restatement) == Stands(replace(disputed, activity=to))
    if message == "after":
        fold(lane, _queued(disputed))
    assert lane.fact() == replace(disputed, activity=to)
    rows = {row: held for row, held in lane.rows().items() if held != Fold()}
    assert rows == fold_all([to, beside.activity])


@pytest.mark.parametrize(
    "there",
    [
        replace(FACT, side=Side.PIPELINE),
        replace(FACT, side=Side.LEGACY, lane=Lane.HISTORY),
        replace(FACT, side=Side.LEGACY, activity=replace(ONE, points=31)),
    ],
    ids=["side", "lane", "content"],
)
def test_a_fact_that_is_another_one_by_now_is_left_and_so_are_its_rows(
    lane: FoldingLane, there: StoredFact
) -> None:
    lane.store_fact(there)
    fold(lane, _queued(FACT))
    rows = lane.rows()
    restatement = Restatement(replace(FACT, side=Side.LEGACY), replace(ONE, points=12))
    assert lane.port.restate(restatement) == Stands(there)
    assert (lane.fact(), lane.rows()) == (there, rows)


@pytest.fixture
def moto_lane() -> Iterator[InAws]:
    with mock_aws():
        unused: Any = None
        yield in_aws(Clients(boto3.client("dynamodb"), unused, boto3.client("sqs")))


def employee_rows(lane: InAws) -> dict[str, Any]:
    items = scan(lane.port.clients.dynamodb, lane.prefix, "employee_progress")
    return {item["program_id"]: item for item in items}


def test_a_compensated_row_keeps_its_place_on_the_board(moto_lane: InAws) -> None:
    lane, total = moto_lane, Row(ONE.employee_id, TOTAL)
    fold(lane, _queued(FACT))
    right = employee_rows(lane)
    lane.port.compensate(Compensation(total, 1, fold_of(ONE)))
    lane.port.compensate(Compensation(total, 2, fold_of(ONE) * -1))
    again = employee_rows(lane)
    assert again == right, "points, score and board are what they were"
    lane.port.clients.dynamodb.delete_item(
        TableName=table_name(lane.prefix, "employee_progress"),
        Key={"employee_id": {"S": ONE.employee_id}, "program_id": {"S": TOTAL}},
    )
    lane.port.compensate(Compensation(total, 3, fold_of(ONE)))
    restored = employee_rows(lane)
    assert restored == right, "a row that was gone is on the board again"


def test_a_surplus_alone_puts_nobody_on_a_board(moto_lane: InAws) -> None:
    moto_lane.port.compensate(Compensation(Row("nobody", TOTAL), 1, fold_of(ONE) * -1))
    [item] = scan(moto_lane.port.clients.dynamodb, moto_lane.prefix, "employee_progress")
    assert "board" not in item
