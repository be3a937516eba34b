"""Both sides on the metered DynamoDB: their real handlers, stores and clients, with nothing else replaced."""

from __future__ import annotations

import json
import logging
import os
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from unittest.mock import patch

from legacy import ingest as legacy_ingest
from legacy import rebuild as legacy_rebuild
from legacy import tables as legacy_tables
from pipeline.domain.aggregator import Aggregator
from pipeline.domain.delivery import deliver
from pipeline.domain.fold import Fold
from pipeline.handlers import ingest
from pipeline.handlers.aggregate import parse_within
from pipeline.snapshotter import Snapshotter, Taken
from pipeline.stores.boards import BoardReader
from pipeline.stores.clients import dynamodb
from pipeline.stores.facts import FactTable
from pipeline.stores.folds import FoldTables, dedup_expiry
from pipeline.stores.snapshots import SnapshotTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from mypy_boto3_dynamodb import DynamoDBClient

    from benchmarks.dynamodb import MeteredDynamoDB
    from benchmarks.expressions import Item
    from pipeline.domain.queued_fact import QueuedFact
    from pipeline.handlers.http import Response

# The defaults of every stack but prod, in pulumi/cutover_infra/defaults.py.
BOARD_SIZE: Final = 100
BOARD_SHARDS: Final = 2
PROGRAM_SHARDS: Final = 2
DEDUP_TTL_DAYS: Final = 40
SNAPSHOT_TTL_DAYS: Final = 7
NOW: Final = datetime(2025, 3, 2, tzinfo=UTC)
HORIZON: Final = NOW - timedelta(days=15)

_MESSAGE_FIELDS: Final = ("employee_id", "event_id", "program_id", "points", "ingested_at")
LEGACY_ENVIRONMENT: Final = {
    "EVENTS_TABLE": "legacy_events",
    "PROGRAM_PROGRESS_TABLE": "legacy_program_progress",
    "EMPLOYEE_PROGRESS_TABLE": "legacy_employee_progress",
    "LEADERBOARD_TABLE": "legacy_leaderboard",
    "BOARD_SIZE": str(BOARD_SIZE),
}


class Backend(Protocol):
    """What answers a client's calls."""

    def answering(self, client: DynamoDBClient) -> AbstractContextManager[DynamoDBClient]:
        """Answer all calls of a client while the context lasts."""


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what handlers print away from the report on stdout."""
    logging.disable(logging.CRITICAL)
    try:
        with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
            yield
    finally:
        logging.disable(logging.NOTSET)


def post(activity: dict[str, Any]) -> dict[str, Any]:
    """Make the event of a Function URL that posts an activity."""
    return {
        "version": "2.0",
        "rawPath": ingest.PATH,
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": "POST", "path": ingest.PATH}},
        "body": json.dumps(activity),
        "isBase64Encoded": False,
    }


class Legacy:
    """Legacy's functions. Use inside `running_legacy`."""

    def ingest(self, activities: Iterable[dict[str, Any]]) -> None:
        """Post activities one by one; all must be accepted."""
        for activity in activities:
            answer = legacy_ingest.handler(post(activity), None)
            _expect_accepted(answer["statusCode"])

    def rebuild(self) -> dict[str, int]:
        """Rebuild all boards."""
        counts: dict[str, int] = legacy_rebuild.handler({}, None)
        return counts


@contextmanager
def running_legacy(store: Backend) -> Iterator[Legacy]:
    """Point legacy's own connection at a store."""
    with patch.dict(os.environ, LEGACY_ENVIRONMENT), quiet():
        legacy_tables.dynamodb.cache_clear()
        legacy_tables.table.cache_clear()
        with store.answering(legacy_tables.dynamodb().meta.client):
            yield Legacy()
        legacy_tables.dynamodb.cache_clear()
        legacy_tables.table.cache_clear()


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The pipeline's functions, on one client."""

    client: DynamoDBClient

    def ingest(self, activities: Iterable[dict[str, Any]]) -> None:
        """Post activities one by one; all must be accepted."""
        table = FactTable(self.client, "facts")
        for number, activity in enumerate(activities):
            moment = NOW + timedelta(milliseconds=20 * number)
            response, _ = ingest.accept(post(activity), table, moment)
            _expect_accepted(response)

    def aggregate(self, messages: Sequence[dict[str, Any]], batch_size: int) -> None:
        """Fold messages, `batch_size` an invocation; all must be folded."""
        for begin in range(0, len(messages), batch_size):
            aggregator = self.aggregator(shard=begin // batch_size % PROGRAM_SHARDS)
            delivered = deliver(messages[begin : begin + batch_size], parse, aggregator)
            if delivered.failed:
                raise RuntimeError(f"not folded: {delivered.failed}")

    def aggregator(self, shard: int = 0) -> Aggregator:
        """Make the aggregator of one invocation."""
        return Aggregator(self.fold_tables(shard), wait=_never_wait, has_time=lambda: True)

    def fold_tables(self, shard: int = 0) -> FoldTables:
        """Name the aggregate tables as one invocation writes them."""
        return FoldTables(
            client=self.client,
            dedup="dedup",
            employee_progress="employee_progress",
            program_progress="program_progress",
            board_shards=BOARD_SHARDS,
            program_shard=shard,
            expires_at=dedup_expiry(NOW, DEDUP_TTL_DAYS),
        )

    def snapshot(self, moment: datetime) -> Taken:
        """Take a snapshot of all boards; all must be published."""
        taken = Snapshotter(
            facts=FactTable(self.client, "facts"),
            reader=BoardReader(self.client, "employee_progress", "program_progress", BOARD_SHARDS),
            snapshots=SnapshotTable(self.client, "snapshots"),
            pending=lambda: 0,
            size=BOARD_SIZE,
            ttl=timedelta(days=SNAPSHOT_TTL_DAYS),
        ).take(moment)
        if taken.failed:
            raise RuntimeError(f"boards failed: {taken.failed}")
        return taken


@contextmanager
def running_pipeline(store: Backend) -> Iterator[Pipeline]:
    """Point the pipeline's own client at a store."""
    dynamodb.cache_clear()
    with quiet(), store.answering(dynamodb()) as client:
        yield Pipeline(client)
    dynamodb.cache_clear()


def messages(facts: Iterable[Item]) -> list[dict[str, Any]]:
    """Make the SQS records that stream and pipe make of stored facts."""
    return [
        _record(number, {name: next(iter(fact[name].values())) for name in _MESSAGE_FIELDS})
        for number, fact in enumerate(facts)
    ]


def parse(body: str) -> QueuedFact:
    """Read a message's body as the aggregate handler does."""
    return parse_within(body, HORIZON)


def folded(store: MeteredDynamoDB, table: str) -> Fold:
    """Add up a table of aggregates; totals of employees, which repeat their programs, are left out."""
    rows = [
        row
        for row in store.tables[table].items.values()
        if "points" in row and row.get("program_id") != {"S": "#total"}
    ]
    return Fold(sum(int(row["points"]["N"]) for row in rows), sum(int(row["events"]["N"]) for row in rows))


def _record(number: int, fields: dict[str, str]) -> dict[str, Any]:
    milliseconds = str(int(NOW.timestamp() * 1_000))
    return {
        "messageId": f"00000000-0000-4000-8000-{number:012d}",
        "receiptHandle": "A" * 180,
        "body": json.dumps(fields, separators=(",", ":")),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": milliseconds,
            "SenderId": "AROAEXAMPLE:pipe",
            "ApproximateFirstReceiveTimestamp": milliseconds,
        },
        "messageAttributes": {},
        "md5OfBody": "0" * 32,
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:cutover-facts",
        "awsRegion": "us-east-1",
    }


def _expect_accepted(response: Response | int) -> None:
    status = response if isinstance(response, int) else response.status
    if status != 202:  # noqa: PLR2004 - HTTP's own number
        raise RuntimeError(f"an activity was answered with {status}")


def _never_wait(_attempt: int) -> None:
    """Nothing is busy in memory."""
    raise RuntimeError("the store was busy")
