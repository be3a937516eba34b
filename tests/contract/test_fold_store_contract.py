"""One contract for the fold stores: in memory, and on every DynamoDB."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import boto3
import pytest
from moto import mock_aws

from pipeline.domain.aggregator import Busy, Committed, FoldStore, Refused
from pipeline.domain.batch import Chunk, Row
from pipeline.domain.fold import Fold
from pipeline.domain.queued_fact import QueuedFact
from pipeline.stores.folds import FoldTables
from pipeline.stores.memory import MemoryFolds
from tests.contract.engines import ENGINES, REAL, engine, unique
from tests.pipeline_aws import create_tables, scan, table_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient


class Subject(Protocol):
    """A store, and what its tables hold."""

    @property
    def store(self) -> FoldStore: ...
    def rows(self) -> dict[Row, Fold]: ...
    def newest(self) -> str: ...


@dataclass
class InMemory:
    store: MemoryFolds

    def rows(self) -> dict[Row, Fold]:
        return self.store.rows

    def newest(self) -> str:
        return self.store.newest_folded_at


@dataclass
class InDynamoDB:
    store: FoldTables
    client: DynamoDBClient
    prefix: str

    def rows(self) -> dict[Row, Fold]:
        rows: dict[Row, Fold] = {}
        for item in scan(self.client, self.prefix, "employee_progress"):
            fold = Fold(item["points"], item["events"], item["fingerprint"])
            rows[Row(item["program_id"], item["employee_id"])] = fold
        for item in scan(self.client, self.prefix, "program_progress"):
            if item["program_id"] != "#freshness":
                rows[Row(item["program_id"])] = Fold(item["points"], item["events"], item["fingerprint"])
        return rows

    def newest(self) -> str:
        [item] = [i for i in scan(self.client, self.prefix, "program_progress") if i["shard"] == "newest"]
        return str(item["newest_folded_at"])


def in_dynamodb(client: DynamoDBClient) -> InDynamoDB:
    prefix = unique("folds")
    create_tables(client, prefix)
    store = FoldTables(
        client=client,
        dedup=table_name(prefix, "dedup"),
        employee_progress=table_name(prefix, "employee_progress"),
        program_progress=table_name(prefix, "program_progress"),
        board_shards=2,
        program_shard=0,
        expires_at=datetime(2030, 1, 1, tzinfo=UTC),
    )
    return InDynamoDB(store, client, prefix)


@pytest.fixture(params=["memory", *ENGINES])
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    if request.param == "memory":
        yield InMemory(MemoryFolds())
        return
    with engine(request) as aws:
        yield in_dynamodb(aws.dynamodb)


@pytest.fixture(params=REAL)
def strict(request: pytest.FixtureRequest) -> Iterator[InDynamoDB]:
    with engine(request) as aws:
        yield in_dynamodb(aws.dynamodb)


def fact(number: int, employee: str = "e", points: int = 10) -> QueuedFact:
    return QueuedFact(employee, f"ev-{number}", "p", points, "2026-03-01T09:30:00.000Z")


def test_a_chunk_is_folded_into_its_rows(subject: Subject) -> None:
    chunk = Chunk((fact(1), fact(2, "f", 5)))
    assert subject.store.commit(chunk) == Committed()
    assert subject.rows() == chunk.deltas


def test_what_was_folded_before_refuses_the_whole_chunk_and_is_named(subject: Subject) -> None:
    subject.store.commit(Chunk((fact(1),)))
    before = subject.rows()
    refused = subject.store.commit(Chunk((fact(1), fact(2))))
    assert refused == Refused(frozenset({fact(1).identity}))
    assert subject.rows() == before
    assert subject.store.commit(Chunk((fact(2),))) == Committed()
    assert subject.rows()[Row("p")] == fact(1).fold + fact(2).fold


def test_the_largest_chunk_fits_one_transaction(subject: Subject) -> None:
    chunk = Chunk(tuple(fact(n) for n in range(97)))
    assert len(chunk.facts) + len(chunk.deltas) == 100
    assert subject.store.commit(chunk) == Committed()
    assert subject.rows()[Row("p", "e")].events == 97


def test_the_newest_time_moves_forward_only(subject: Subject) -> None:
    for moment in ("2026-03-01T09:30:00.000Z", "2026-03-01T09:29:59.999Z"):
        assert subject.store.advance_newest(moment) is True
    assert subject.newest() == "2026-03-01T09:30:00.000Z"


def test_a_row_that_cannot_take_its_delta_is_named_and_nothing_is_written(strict: InDynamoDB) -> None:
    """The memory store has no such rows, and moto another error."""
    subject = strict
    subject.client.put_item(
        TableName=table_name(subject.prefix, "employee_progress"),
        Item={"employee_id": {"S": "e"}, "program_id": {"S": "p"}, "points": {"S": "not a number"}},
    )
    assert subject.store.commit(Chunk((fact(1), fact(2, "f")))) == Refused(
        unfoldable=frozenset({Row("p", "e")})
    )
    assert scan(subject.client, subject.prefix, "dedup") == []


def test_a_table_that_is_not_there_is_busy_not_a_crash() -> None:
    with mock_aws():
        client = boto3.client("dynamodb")
        store = FoldTables(client, "dedup", "employees", "programs", 1, 0, datetime(2030, 1, 1, tzinfo=UTC))
        assert isinstance(store.commit(Chunk((fact(1),))), Busy)
        assert store.advance_newest("2026-03-01T09:30:00.000Z") is False
