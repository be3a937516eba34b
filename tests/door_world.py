"""DynamoDB as the front door meets it: over HTTP, with every answer scripted, right or wrong."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from migration.door.count_item import counts_of

if TYPE_CHECKING:
    import socketserver
    from collections.abc import Callable, Iterator

    from migration.door.counts import DoorCounts

# No answer is late because this machine is busy.
PATIENT_S = 1.5
TAKEN = {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}
THROTTLED = {"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException"}
CONFLICT = {"__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException"}


@dataclass
class FakeDynamoDB:
    """DynamoDB on the wire: answers scripted per operation, what came in is kept."""

    answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)
    received: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    endpoint: str = ""

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
    def write(request: BaseHTTPRequestHandler) -> None:
        content = json.dumps(body).encode()
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
