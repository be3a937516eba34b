"""Legacy's plain writes beside transactions on the same rows: some are refused, and no client hears of it."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import boto3
import pytest
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError

from legacy import ingest as legacy_ingest
from legacy import tables as legacy_tables
from migration.door import ingest
from migration.door.conflicts import PATIENCE_S, conflicts_retried, retrying
from migration.door.mirror import Mirrored
from migration.door.sides import handler_of
from migration.model.stages import Control, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOR_LONG = 1_000_000
CONFLICT = "com.amazonaws.dynamodb.v20120810#TransactionConflictException"


@dataclass
class Rows:
    """DynamoDB as far as it matters here: a plain write to a row that a transaction holds is refused."""

    url: str = ""
    held: dict[str, int] = field(default_factory=dict)
    applied: list[str] = field(default_factory=list)
    refused: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def hold(self, table: str, refusals: int = 3) -> None:
        """Have a transaction hold a table's rows until so many writes were refused, however soon."""
        with self.lock:
            self.held[table] = refusals

    def write(self, parameters: dict[str, Any]) -> tuple[int, bytes]:
        table = parameters["TableName"]
        with self.lock:
            if self.held.get(table):
                self.held[table] -= 1
                self.refused += 1
                return 400, json.dumps({"__type": CONFLICT, "message": "Transaction is ongoing"}).encode()
            self.applied.append(table)
        return 200, b"{}"


@contextmanager
def dynamodb() -> Iterator[Rows]:
    rows = Rows()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, content = rows.write(body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    rows.url = f"http://127.0.0.1:{server.server_port}"
    yield rows
    server.shutdown()
    server.server_close()


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rows]:
    with dynamodb() as served:
        for name, value in {
            "AWS_ENDPOINT_URL": served.url,
            "AWS_REGION": "us-east-1",
            "LEGACY_HANDLER": "legacy.ingest.handler",
            "EVENTS_TABLE": "events",
            "PROGRAM_PROGRESS_TABLE": "programs",
            "EMPLOYEE_PROGRESS_TABLE": "employees",
        }.items():
            monkeypatch.setenv(name, value)
        caches = (legacy_tables.dynamodb, legacy_tables.table, handler_of)
        for cached in caches:
            cached.cache_clear()
        yield served
        for cached in caches:
            cached.cache_clear()


def post(number: int) -> dict[str, Any]:
    fields = {
        "employee_id": "emp-1",
        "event_id": f"ev-{number}",
        "program_id": "prog-1",
        "activity_type": "task_completed",
        "points": 5,
        "occurred_at": "2026-03-01T09:30:00Z",
    }
    http = {"method": "POST", "path": "/activities"}
    return {"rawPath": "/activities", "requestContext": {"http": http}, "body": json.dumps(fields)}


@pytest.mark.parametrize("stage", [Stage.OFF, Stage.LIVE])
def test_a_client_of_legacy_hears_nothing_of_the_transactions_on_its_rows(
    rows: Rows, monkeypatch: pytest.MonkeyPatch, stage: Stage
) -> None:
    """In any stage: after a rollback, what is still on its way is mirrored back."""
    monkeypatch.setattr(ingest, "mirror", lambda: Mock(finish=lambda: Mirrored.STORED))
    monkeypatch.setattr(ingest, "counters", Mock())
    monkeypatch.setattr(ingest, "control", lambda: Mock(current=lambda: Control(stage), blind=False))
    for number in range(10):
        for table in ("programs", "employees"):
            rows.hold(table)
        assert ingest.handler(post(number), None)["statusCode"] == 202
    assert rows.refused == 60
    assert len(rows.applied) == 30, "each write was applied once"


def test_without_the_door_a_client_hears_of_it(rows: Rows) -> None:
    rows.hold("programs", FOR_LONG)
    assert legacy_ingest.handler(post(1), None)["statusCode"] == 503


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
@pytest.mark.parametrize("made", ["before", "after"])
def test_whatever_client_or_resource_it_is_and_however_it_retries(rows: Rows, mode: Any, made: str) -> None:
    config = Config(retries={"mode": mode, "total_max_attempts": 1})

    def make() -> tuple[Any, Any]:
        client = boto3.client("dynamodb", config=config)
        return client, boto3.resource("dynamodb", config=config).Table("programs")

    early = make() if made == "before" else None
    with conflicts_retried():
        client, table = early or make()
        rows.hold("programs")
        client.update_item(TableName="programs", Key={"program_id": {"S": "a"}}, UpdateExpression="ADD n :n")
        rows.hold("programs")
        table.update_item(Key={"program_id": "a"}, UpdateExpression="ADD n :n")
    assert len(rows.applied) == 2


def test_a_row_that_is_held_for_long_is_the_sides_own_trouble_in_time(rows: Rows) -> None:
    rows.hold("programs", FOR_LONG)
    began = time.monotonic()
    with conflicts_retried():
        assert legacy_ingest.handler(post(1), None)["statusCode"] == 503
    assert time.monotonic() - began < PATIENCE_S + 2


def refusal(code: str, *reasons: str | None) -> ClientError:
    parsed: Any = {"Error": {"Code": code, "Message": ""}}
    if reasons:
        parsed["CancellationReasons"] = [{} if reason is None else {"Code": reason} for reason in reasons]
    return ClientError(parsed, "UpdateItem")


NO_REASONS: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": None}
ODD = ClientError(NO_REASONS, "TransactWriteItems")


class Calling:
    """A call that is refused so many times, and a clock that is only moved by waiting."""

    def __init__(self, error: Exception, times: int) -> None:
        self.error, self.times, self.at = error, times, 0.0
        self.waits: list[float] = []

    def __call__(self, *arguments: Any, **named: Any) -> object:
        if self.times:
            self.times -= 1
            raise self.error
        return arguments, named

    def retried(self) -> Callable[..., Any]:
        return retrying(self, lambda: self.at, self.wait, lambda: 1.0)

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.at += seconds


@pytest.mark.parametrize(
    "error",
    [
        refusal("TransactionConflictException"),
        refusal("TransactionCanceledException", "TransactionConflict", "None"),
        refusal("TransactionCanceledException", None, "TransactionConflict"),
    ],
)
def test_what_was_refused_for_a_conflict_alone_is_tried_again(error: ClientError) -> None:
    calling = Calling(error, 4)
    with conflicts_retried():
        assert calling.retried()("client", "UpdateItem", params={"a": 1}) == (
            ("client", "UpdateItem"),
            {"params": {"a": 1}},
        )
    assert calling.waits == [0.005, 0.01, 0.02, 0.04]


@pytest.mark.parametrize(
    "error",
    [
        refusal("ConditionalCheckFailedException"),
        refusal("ProvisionedThroughputExceededException"),
        refusal("TransactionCanceledException", "TransactionConflict", "ConditionalCheckFailed"),
        refusal("TransactionCanceledException", "None"),
        refusal("TransactionCanceledException"),
        refusal("TransactionInProgressException"),
        ClientError({}, "UpdateItem"),
        ODD,
        RuntimeError("TransactionConflictException"),
    ],
)
def test_whatever_else_is_raised_is_raised_at_once_and_as_it_is(error: Exception) -> None:
    calling = Calling(error, 1)
    with conflicts_retried(), pytest.raises(type(error)) as raised:
        calling.retried()("client")
    assert raised.value is error
    assert calling.waits == []


def test_a_conflict_that_does_not_end_is_raised_before_patience_is_over() -> None:
    calling = Calling(refusal("TransactionConflictException"), 1_000_000)
    with conflicts_retried(), pytest.raises(ClientError) as raised:
        calling.retried()("client")
    assert raised.value is calling.error
    assert PATIENCE_S / 2 < calling.at <= PATIENCE_S
    assert max(calling.waits) <= 0.1


def test_what_nobody_asked_for_is_left_as_it_is() -> None:
    calling = Calling(refusal("TransactionConflictException"), 1)
    with pytest.raises(ClientError):
        calling.retried()("client")
    assert calling.waits == []


def test_it_stays_in_place_once_and_with_others_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with conflicts_retried():
        pass
    ours = BaseClient._make_api_call  # type: ignore[attr-defined]
    monkeypatch.setattr(BaseClient, "_make_api_call", lambda *given: partial(ours, *given)())
    theirs = BaseClient._make_api_call  # type: ignore[attr-defined]
    with conflicts_retried(), conflicts_retried():
        pass
    assert BaseClient._make_api_call is theirs  # type: ignore[attr-defined]
