"""What legacy's own clients feel of the reverse mirror on a program's row: refused requests, and times.

The server does what DynamoDB does and no local one: a transaction holds its rows for 20 ms, and a plain write
to one of them is refused meanwhile. Legacy's handler is the real one, with its own client. The mirror as it
was is its one transaction a fact.
"""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import quantiles
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

import boto3
from botocore.exceptions import ClientError

from benchmarks.report import Report
from benchmarks.systems import ENDPOINT, LEGACY_ENVIRONMENT, post, quiet
from legacy import ingest, tables
from migration.aws.tables.legacy_folds import LegacyFolds
from migration.aws.tables.legacy_rows import LegacyRows
from migration.aws.tables.mirrored_fact import mirrored
from migration.model.fold import Activity
from migration.model.legacy.layout import LegacyPlan
from tests.memory_dynamodb import MemoryDynamoDB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.settings import Settings

    Mirror = Callable[[Any, Activity], object]

HELD_S: Final = 0.02
EVERY_S: Final = 0.1
_AT: Final = "2026-03-01T09:30:00.000Z"
_CONFLICT: Final = b'{"__type":"com.amazonaws.dynamodb.v20120810#TransactionConflictException"}'
_TABLES: Final = (
    LEGACY_ENVIRONMENT["EVENTS_TABLE"],
    LEGACY_ENVIRONMENT["PROGRAM_PROGRESS_TABLE"],
    LEGACY_ENVIRONMENT["EMPLOYEE_PROGRESS_TABLE"],
)


def run(settings: Settings) -> list[Report]:
    """Send the same requests without a mirror, beside it as it was, and beside it as it is."""
    requests = max(150, settings.timed_activities // 2)
    rows = []
    for name, mirror in (("none", None), ("one transaction a fact", _in_a_transaction), ("now", _plainly)):
        times, refused = _clients(requests, mirror)
        rows.append(
            (
                name,
                requests,
                refused,
                round(quantiles(times, n=100)[49], 1),
                round(quantiles(times, n=100)[98], 1),
            )
        )
    columns = ("mirror", "requests", "refused", "median_ms", "p99_ms")
    title = f"legacy beside the reverse mirror at {1 / EVERY_S:g} facts/s on one program"
    return [Report("contention", title, columns, tuple(rows))]


def _clients(requests: int, mirror: Mirror | None) -> tuple[list[float], int]:
    with _dynamodb() as url, patch.dict(os.environ, {**LEGACY_ENVIRONMENT, ENDPOINT: url}), quiet():
        for cached in (tables.dynamodb, tables.table):
            cached.cache_clear()
        over = threading.Event()
        beside = threading.Thread(target=_mirror, args=(mirror, over))
        beside.start()
        try:
            answers = [_timed(number) for number in range(requests)]
        finally:
            over.set()
            beside.join()
        for cached in (tables.dynamodb, tables.table):
            cached.cache_clear()
    return [took for took, _ in answers], sum(status != 202 for _, status in answers)  # noqa: PLR2004 - accepted


def _timed(number: int) -> tuple[float, int]:
    fields = {"employee_id": "emp-x", "event_id": f"e-{number}", "program_id": "prog-1"}
    activity = {**fields, "activity_type": "task_completed", "points": 5, "occurred_at": _AT}
    began = time.perf_counter()
    status = ingest.handler(post(activity), None)["statusCode"]
    return (time.perf_counter() - began) * 1_000, status


def _mirror(apply: Mirror | None, over: threading.Event) -> None:
    client, number = boto3.client("dynamodb"), 0
    while apply is not None and not over.wait(EVERY_S):
        number += 1
        apply(client, Activity(f"emp-{number}", f"m-{number}", "prog-1", "task_completed", 5, _AT))


def _in_a_transaction(client: Any, activity: Activity) -> None:  # noqa: ANN401 - boto3's
    key = {"program_id": {"S": activity.program_id}}
    keys = (key, {**key, "employee_id": {"S": activity.employee_id}})
    updates: list[Any] = [
        {"Update": {"TableName": table, "Key": one, "UpdateExpression": "ADD points :p"}}
        for table, one in zip(_TABLES[1:], keys, strict=True)
    ]
    client.transact_write_items(TransactItems=updates)


def _plainly(client: Any, activity: Activity) -> None:  # noqa: ANN401 - boto3's
    rows = LegacyRows(client, *_TABLES, LegacyPlan().written())
    LegacyFolds(rows, wait=time.sleep, has_time=lambda: True).fold([mirrored(activity, _AT)])


@contextmanager
def _dynamodb() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.memory, server.held, server.lock = MemoryDynamoDB(), {}, threading.Lock()  # type: ignore[attr-defined]
    serving = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    serving.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    serving.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Any

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        if operation == "TransactWriteItems":
            with self.server.lock:
                until = time.monotonic() + HELD_S
                self.server.held |= {_row(one["Update"]): until for one in asked["TransactItems"]}
            time.sleep(HELD_S)
            return self._say(200, b"{}")
        with self.server.lock:
            if "Key" in asked and self.server.held.get(_row(asked), 0) > time.monotonic():
                return self._say(400, _CONFLICT)
            return self._say(*self._answer(operation, asked))

    def _answer(self, operation: str, asked: dict[str, Any]) -> tuple[int, bytes]:
        memory = self.server.memory
        if "received_at" in asked.get("Item", {}) or ":one" in asked.get("ExpressionAttributeValues", {}):
            return 200, b"{}"  # legacy's own: how long it takes and whether it is refused is what counts
        calls = {
            "PutItem": memory.put_item,
            "UpdateItem": memory.update_item,
            "BatchGetItem": memory.batch_get_item,
            "DescribeTable": memory.describe_table,
        }
        try:
            return 200, json.dumps(calls[operation](**asked)).encode()
        except ClientError as error:
            return 400, json.dumps({"__type": f"x#{error.response['Error']['Code']}"}).encode()

    def _say(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


def _row(asked: dict[str, Any]) -> str:
    return json.dumps([asked["TableName"], asked["Key"]], sort_keys=True)
