"""DynamoDB over HTTP on moto, for readers that do not use boto3, and for what goes wrong on the way."""

from __future__ import annotations

import base64
import json
import threading
import zlib
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws

from migration.aws.transport.raw_dynamodb import beside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from migration.aws.transport.raw_dynamodb import RawDynamoDB
    from tests.doubles.clock import MemoryClock


@dataclass(frozen=True)
class Fault:
    """An answer instead of the right one; without a status the connection is closed."""

    status: int | None
    body: bytes = b""
    crc: int | None = None


@dataclass
class HttpDynamoDB:
    """The server, the client that fills its tables, and what it does wrong, one a request."""

    client: DynamoDBClient
    endpoint_url: str
    faults: deque[Fault] = field(default_factory=deque)
    requests: list[dict[str, Any]] = field(default_factory=list)

    def raw(self, clock: MemoryClock) -> RawDynamoDB:
        """A raw reader of it."""
        return beside(boto3.client("dynamodb", endpoint_url=self.endpoint_url), 8, clock)


@contextmanager
def dynamodb_over_http() -> Iterator[HttpDynamoDB]:
    """Serve moto's DynamoDB on a free port."""
    with mock_aws():
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        client = boto3.client("dynamodb")
        dynamodb = HttpDynamoDB(client, f"http://127.0.0.1:{server.server_address[1]}")
        server.dynamodb = dynamodb  # type: ignore[attr-defined] # how a handler gets at it
        server.one_at_a_time = threading.Lock()  # type: ignore[attr-defined] # moto is not thread-safe
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield dynamodb
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or every answer waits for the client's acknowledgement of its headers
    server: Any

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        dynamodb: HttpDynamoDB = self.server.dynamodb
        dynamodb.requests.append(body)
        if not self.headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential="):
            self._answer(403, b'{"__type":"IncompleteSignatureException"}')
        elif dynamodb.faults:
            self._go_wrong(dynamodb.faults.popleft())
        else:
            with self.server.one_at_a_time:
                self._answer(*_ask(dynamodb.client, self.headers["X-Amz-Target"], body))

    def _go_wrong(self, fault: Fault) -> None:
        if fault.status is None:
            self.close_connection = True
        else:
            self._answer(fault.status, fault.body, fault.crc)

    def _answer(self, status: int, content: bytes, crc: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("x-amz-crc32", str(zlib.crc32(content) if crc is None else crc))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


def _ask(client: DynamoDBClient, target: str, body: dict[str, Any]) -> tuple[int, bytes]:
    try:
        answer = client._make_api_call(target.rpartition(".")[2], _decoded(body))  # type: ignore[attr-defined] # as named
    except ClientError as error:
        response: Any = error.response
        code = f"com.amazonaws.dynamodb.v20120810#{response['Error']['Code']}"
        more = {name: response[name] for name in ("CancellationReasons", "Item") if name in response}
        body = {"__type": code, "message": response["Error"]["Message"], **more}
        return 400, json.dumps(body, default=_encode).encode()
    fields = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
    return 200, json.dumps(fields, default=_encode, ensure_ascii=False).encode()


def _encode(value: Any) -> Any:
    return value.timestamp() if isinstance(value, datetime) else base64.b64encode(value).decode()


def _decoded(value: Any) -> Any:
    """Give boto3 bytes where the wire has base64."""
    if isinstance(value, list):
        return [_decoded(one) for one in value]
    if not isinstance(value, dict):
        return value
    if list(value) == ["B"] and isinstance(value["B"], str):
        return {"B": base64.b64decode(value["B"])}
    return {name: _decoded(one) for name, one in value.items()}
