"""Both sides on a DynamoDB of the caller's choice: their real handlers, stores and clients."""

from __future__ import annotations

import json
import logging
import os
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from legacy import ingest as legacy_ingest
from legacy import tables as legacy_tables
from pipeline.domain.activity import format_time
from pipeline.domain.aggregator import Aggregator
from pipeline.domain.delivery import deliver
from pipeline.handlers import ingest
from pipeline.handlers.aggregate import parse_within
from pipeline.stores.facts import FactTable
from pipeline.stores.folds import FoldTables, dedup_expiry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

    from pipeline.domain.queued_fact import QueuedFact
    from pipeline.handlers.http import Response

# The defaults of every stack but prod, in pulumi/cutover_infra/defaults.py.
BOARD_SHARDS: Final = 2
PROGRAM_SHARDS: Final = 2
DEDUP_TTL_DAYS: Final = 40
NOW: Final = datetime(2025, 3, 2, tzinfo=UTC)
HORIZON: Final = NOW - timedelta(days=15)

ENDPOINT: Final = "AWS_ENDPOINT_URL_DYNAMODB"
_MESSAGE_FIELDS: Final = ("employee_id", "event_id", "program_id", "points")
LEGACY_ENVIRONMENT: Final = {
    "EVENTS_TABLE": "legacy_events",
    "PROGRAM_PROGRESS_TABLE": "legacy_program_progress",
    "EMPLOYEE_PROGRESS_TABLE": "legacy_employee_progress",
    "LEADERBOARD_TABLE": "legacy_leaderboard",
}


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


def legacy_ingests(url: str, activities: Iterable[dict[str, Any]]) -> None:
    """Post activities to legacy one by one; all must be accepted."""
    caches = (legacy_tables.dynamodb, legacy_tables.table)
    with patch.dict(os.environ, {**LEGACY_ENVIRONMENT, ENDPOINT: url}), quiet():
        for cached in caches:
            cached.cache_clear()
        for activity in activities:
            answer = legacy_ingest.handler(post(activity), None)
            _expect_accepted(answer["statusCode"])
        for cached in caches:
            cached.cache_clear()


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The pipeline's functions, on one client of DynamoDB."""

    client: DynamoDBClient

    def ingest(self, activities: Iterable[dict[str, Any]]) -> None:
        """Post activities one by one; all must be accepted."""
        table = FactTable(self.client, "facts")
        for number, activity in enumerate(activities):
            response, _ = ingest.accept(post(activity), table, _moment(number))
            _expect_accepted(response)

    def aggregate(self, messages: Sequence[dict[str, Any]], batch_size: int) -> None:
        """Fold messages, `batch_size` an invocation; all must be folded."""
        for begin in range(0, len(messages), batch_size):
            aggregator = self._aggregator(begin // batch_size % PROGRAM_SHARDS)
            delivered = deliver(messages[begin : begin + batch_size], _parse, aggregator.fold)
            if delivered.failed:
                raise RuntimeError(f"not folded: {delivered.failed}")

    def _aggregator(self, shard: int) -> Aggregator:
        """Make the aggregator of one invocation."""
        tables = FoldTables(
            client=self.client,
            dedup="dedup",
            employee_progress="employee_progress",
            program_progress="program_progress",
            board_shards=BOARD_SHARDS,
            program_shard=shard,
            expires_at=dedup_expiry(NOW, DEDUP_TTL_DAYS),
        )
        return Aggregator(tables, wait=_never_wait, has_time=lambda: True)


def messages(activities: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Make the SQS records that stream and pipe make of the facts of ingested activities."""
    return [
        _record(
            number,
            {
                **{name: str(activity[name]) for name in _MESSAGE_FIELDS},
                "ingested_at": format_time(_moment(number)),
            },
        )
        for number, activity in enumerate(activities)
    ]


def _parse(body: str) -> QueuedFact:
    return parse_within(body, HORIZON)


def _moment(number: int) -> datetime:
    return NOW + timedelta(milliseconds=20 * number)


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
