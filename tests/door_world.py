"""DynamoDB as the front door meets it: over HTTP, with every answer scripted, right or wrong."""

from __future__ import annotations

import base64
import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from migration.door import control as control_module
from migration.door import counters as counters_module
from migration.door import ingest
from migration.door import mirror as mirror_module
from migration.door.count_item import counts_of
from migration.door.sides import handler_of, pinned

if TYPE_CHECKING:
    import socketserver
    from collections.abc import Callable, Iterator

    import pytest

    from migration.door.counts import DoorCounts
    from migration.model.stages import Control

# No answer is late because this machine is busy.
PATIENT_S = 1.5
TAKEN = {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}
THROTTLED = {"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException"}
CONFLICT = {"__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException"}
ACTIVITY = {
    "employee_id": "emp-1",
    "program_id": "prog-1",
    "activity_type": "task_completed",
    "points": 10,
    "occurred_at": "2026-03-01T09:30:00Z",
}


@dataclass
class FakeDynamoDB:
    """DynamoDB on the wire: answers scripted per operation, what came in is kept."""

    answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)
    received: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def of(self, operation: str) -> list[dict[str, Any]]:
        return [body for name, body in self.received if name == operation and body["TableName"] != "control"]

    @property
    def reads(self) -> int:
        """How often the stage was read."""
        return sum(name == "GetItem" for name, _ in self.received)

    def told(self) -> list[DoorCounts]:
        """What the door told of its counts."""
        items = [body for name, body in self.received if name == "PutItem" and body["TableName"] == "control"]
        assert all(item["Item"]["migration"] == {"S": "activities#door"} for item in items)
        return [counts_of(item["Item"]) for item in items]


def reply(status: int, body: dict[str, Any]) -> Callable[[BaseHTTPRequestHandler], None]:
    return reply_text(status, json.dumps(body))


def reply_text(status: int, text: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def write(request: BaseHTTPRequestHandler) -> None:
        content = text.encode()
        request.send_response(status)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    return write


def hang(request: BaseHTTPRequestHandler) -> None:
    time.sleep(2 * PATIENT_S)
    request.close_connection = True


def hang_up(request: BaseHTTPRequestHandler) -> None:
    request.close_connection = True


def garbage(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"no http at all\r\n\r\n")
    request.close_connection = True


@contextmanager
def wire_server(fake: FakeDynamoDB) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.received = body
            fake.received.append((operation, body))
            fake.answers.get(operation, reply(200, {}))(self)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that gave up is what some tests are about."""

    server: socketserver.TCPServer = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


class Sides:
    """Both sides' handlers, recording what they were asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.raised: BaseException | None = None
        self.pipeline_answer: Any = {"statusCode": 202, "body": "pipeline"}
        self.legacy_answer: Any = {"statusCode": 202, "body": "legacy", "headers": {"X": "1"}}

    def answer(self, side: str, event: Any) -> Any:
        self.asked.append((side, event))
        if self.raised is not None:
            raise self.raised
        return self.legacy_answer if side == "legacy" else self.pipeline_answer


SIDES = Sides()


def legacy_handler(event: Any, _context: object) -> Any:
    return SIDES.answer("legacy", event)


def pipeline_handler(event: Any, _context: object) -> Any:
    return SIDES.answer("pipeline", event)


@contextmanager
def deployed_door(patch: pytest.MonkeyPatch, **environment: str) -> Iterator[FakeDynamoDB]:
    """Both doors in this process, as in a fresh one, before two sides that the test scripts."""
    dynamodb = FakeDynamoDB()
    SIDES.__init__()  # type: ignore[misc] # the handlers are found by name, so they share one object
    with wire_server(dynamodb) as endpoint:
        for name, value in {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": "us-east-1",
            "CONTROL_TABLE": "control",
            "MIGRATION": "activities",
            "BAKED_CONTROL": '{"stage":"off"}',
            "FACTS_TABLE": "facts",
            "LEGACY_HANDLER": f"{__name__}.legacy_handler",
            "PIPELINE_HANDLER": f"{__name__}.pipeline_handler",
            **environment,
        }.items():
            patch.setenv(name, value)
        for module, timeout in (
            (control_module, "READ_TIMEOUT_S"),
            (counters_module, "TIMEOUT_S"),
            (ingest, "TIMEOUT_S"),
            (mirror_module, "TIMEOUT_S"),
        ):
            patch.setattr(module, timeout, PATIENT_S)
        forget()
        yield dynamodb
        forget()


def forget() -> None:
    for cached in (control_module.control, counters_module.counters, ingest.mirror, handler_of, pinned):
        cached.cache_clear()


def set_control(fake: FakeDynamoDB, control: Control) -> None:
    item = {
        "stage": {"S": control.stage},
        "write_weight": {"N": str(control.write_weight)},
        "read_weight": {"N": str(control.read_weight)},
        "epoch": {"N": str(control.epoch)},
    }
    fake.answers["GetItem"] = reply(200, {"Item": item})


def post(body: str, *, encoded: bool = False) -> dict[str, Any]:
    return {
        "rawPath": "/activities",
        "requestContext": {"http": {"method": "POST"}},
        "body": base64.b64encode(body.encode()).decode() if encoded else body,
        "isBase64Encoded": encoded,
    }
