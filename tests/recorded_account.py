"""A whole account on moto, over HTTP: the command line finds it as it finds any stack, by a file of outputs.

Nothing of the toolkit is replaced, so what it says and does here stays comparable however it is built inside.
"""

from __future__ import annotations

import base64
import io
import json
import threading
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber

from migration.aws.transport import clock
from pipeline.domain.batch import Chunk
from pipeline.domain.fact import fact_item
from pipeline.domain.queued_fact import QueuedFact
from pipeline.stores.folds import FoldTables
from tests.pipeline_aws import SETTINGS, create_tables, table_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from mypy_boto3_dynamodb import DynamoDBClient

REGION: Final = "us-east-1"
PREFIX: Final = "cutover-test"
NOW: Final = 1_772_366_400.0  # 2026-03-01T12:00:00Z
FUNCTIONS: Final = (
    *("door-ingest", "door-serve", "legacy-rebuild", "ingest", "aggregate", "snapshot", "serve"),
    *("mirror", "watchdog", "comparator"),
)
QUEUES: Final = ("queue", "dead", "capture-dead", "mirror", "mirror-dead", "mirror-capture-dead")
TABLES: Final[Mapping[str, tuple[str, str | None]]] = {
    "control": ("migration", "record"),
    "legacy-events": ("employee_id", "event_id"),
    "legacy-employees": ("employee_id", "program_id"),
    "legacy-programs": ("program_id", None),
    "legacy-boards": ("board", "rank"),
}


@dataclass(frozen=True)
class Account:
    """The account, and the project in whose folder commands run."""

    client: DynamoDBClient
    project: Path
    http: ThreadingHTTPServer

    def load(self, items: Mapping[str, list[Any]]) -> None:
        """Write recorded items into the tables."""
        for table, rows in items.items():
            for row in rows:
                self.client.put_item(TableName=f"{PREFIX}-{table}", Item=binary(row))

    def dump(self, *tables: str) -> dict[str, list[Any]]:
        """Read all items of tables, as `load` takes them; of all tables that have any, if none is named."""
        found = {name: self._items(name) for name in tables or self._tables()}
        return {name: items for name, items in found.items() if items}

    def refuse(self, when: Callable[[str, dict[str, Any]], bool]) -> None:
        """From now on refuse DynamoDB's operations that a test names, as if the session had ended."""
        self.http.refused = when  # type: ignore[attr-defined] # how a handler gets at it

    def _tables(self) -> list[str]:
        names = self.client.list_tables()["TableNames"]
        return sorted(name.removeprefix(f"{PREFIX}-") for name in names)

    def _items(self, table: str) -> list[Any]:
        found = self.client.scan(TableName=f"{PREFIX}-{table}", ConsistentRead=True)["Items"]
        return sorted((text(item) for item in found), key=lambda item: json.dumps(item, sort_keys=True))


@contextmanager
def account(folder: Path, phase: str = "expand", plan: str = 'stack = "test"\n') -> Iterator[Account]:
    """Have a stack, and the environment in which commands find it; its time begins at `NOW`."""
    with _served() as http, pytest.MonkeyPatch.context() as patch:
        client = boto3.client("dynamodb", region_name=REGION)
        _create(client)
        (folder / "Pulumi.yaml").touch()
        (folder / "cutover.toml").write_text(plan, encoding="utf-8")
        (folder / "outputs.json").write_text(json.dumps(_outputs(phase)), encoding="utf-8")
        patch.chdir(folder)
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{http.server_address[1]}")
        patch.setenv("CUTOVER_OUTPUTS", str(folder / "outputs.json"))
        watch = Stopwatch()
        patch.setattr("time.time", watch.time)  # AWS's dates follow it
        patch.setattr(clock, "time", watch)
        yield Account(client, folder, http)


@dataclass
class Stopwatch:
    """The time of a whole test: it passes while the toolkit waits, and a little whenever somebody looks."""

    slept: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def time(self) -> float:
        self.sleep(0.001)
        return NOW + self.slept

    monotonic = time

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept += seconds


@dataclass(frozen=True)
class Sides:
    """Both sides' tables, filled event by event as their code would."""

    client: DynamoDBClient

    def accept(self, *numbers: int) -> None:
        """Have both sides know and count activities."""
        for number in numbers:
            self.legacy_stores(number)
            self.legacy_counts(number)
            self.store(number)
            self.fold(number)

    def legacy_stores(self, number: int, points: int | None = None) -> None:
        item: Any = fact_item(Activity.numbered(number, points), "", lane="", side="")
        for name in ("ingested_at", "lane", "side"):
            del item[name]
        item["received_at"] = {"S": _at(number)}
        self.client.put_item(TableName=f"{PREFIX}-legacy-events", Item=item)

    def legacy_counts(self, number: int) -> None:
        one = Activity.numbered(number)
        program, employee = {"program_id": {"S": one.program_id}}, {"employee_id": {"S": one.employee_id}}
        keys: dict[str, Any] = {"legacy-programs": program, "legacy-employees": {**employee, **program}}
        for table, key in keys.items():
            self.client.update_item(
                TableName=f"{PREFIX}-{table}",
                Key=key,
                UpdateExpression="ADD points :points, events :one",
                ExpressionAttributeValues={":points": {"N": str(one.points)}, ":one": {"N": "1"}},
            )

    def store(self, number: int, points: int | None = None) -> None:
        item: Any = fact_item(Activity.numbered(number, points), _at(number), lane="live", side="legacy")
        self.client.put_item(TableName=table_name(PREFIX, "facts"), Item=item)

    def fold(self, number: int, *, again: bool = False) -> None:
        one = Activity.numbered(number)
        fact = QueuedFact(one.employee_id, one.event_id, one.program_id, one.points, _at(number))
        names = ("dedup", "employee_progress", "program_progress")
        dedup, employees, programs = (table_name(PREFIX, name) for name in names)
        expires = datetime(2027, 1, 1, tzinfo=UTC)
        tables = FoldTables(self.client, dedup, employees, programs, 3, number % 2, expires)
        if again:  # as if its entry had expired too early
            key: Any = {"identity": {"S": fact.identity}}
            self.client.delete_item(TableName=tables.dedup, Key=key)
        tables.commit(Chunk((fact,)))


@dataclass(frozen=True)
class Activity:
    """One activity; all of it follows from its number."""

    employee_id: str
    event_id: str
    program_id: str
    activity_type: str
    points: int
    occurred_at: str

    @classmethod
    def numbered(cls, number: int, points: int | None = None) -> Activity:
        who, what = f"e-{number % 4}", f"p-{number % 2}"
        worth = 10 + number if points is None else points
        return cls(who, f"ev-{number:03d}", what, "task_completed", worth, _at(number))


def text(item: Any) -> Any:
    """Write an item as JSON has it: bytes as base64."""
    return {
        name: {"B": base64.b64encode(value["B"]).decode()} if "B" in value else value
        for name, value in item.items()
    }


def binary(item: Any) -> Any:
    """Read one back."""
    return {
        name: {"B": base64.b64decode(value["B"])} if "B" in value else value for name, value in item.items()
    }


def _at(number: int) -> str:
    return f"2026-03-01T09:{number // 60:02d}:{number % 60:02d}.000Z"


@contextmanager
def _served() -> Iterator[ThreadingHTTPServer]:
    with mock_aws(config={"lambda": {"use_docker": False}}):
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        server.refused = lambda *_: False  # type: ignore[attr-defined] # how a handler gets at it
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


_DENIED: Final = (
    "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
)


class _Handler(BaseHTTPRequestHandler):
    server: Any
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or every answer waits for the client's acknowledgement of its headers
    one_at_a_time = threading.Lock()  # moto is not thread-safe

    def _ask(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        _, _, region, service, *_ = self.headers["Authorization"].partition(",")[0].split("/")
        target = self.headers.get("X-Amz-Target", "").partition(".")[2]
        with self.one_at_a_time:
            if service == "dynamodb" and self.server.refused(target, json.loads(body)):
                return self._answer(400, {}, b'{"__type":"x#AccessDeniedException","message":"no"}')
            url = f"https://{service}.{region}.amazonaws.com{self.path}"
            status, fields, content = self._moto(url, body)
        return self._answer(int(status), fields, content.encode() if isinstance(content, str) else content)

    def _moto(self, url: str, body: bytes) -> Any:
        headers = HTTPHeaders()
        for name, value in self.headers.items():
            headers[name] = value
        request = AWSPreparedRequest(self.command, url, headers, body, stream_output=False)
        try:
            answer = BotocoreStubber().process_request(request)
        except NotImplementedError:
            return 403, {}, _DENIED
        assert answer is not None, url
        return answer

    def _answer(self, status: int, fields: Mapping[str, Any], content: bytes) -> None:
        self.send_response(status)
        for name, value in fields.items():
            if name.lower() not in ("content-length", "date", "server", "x-amz-crc32"):
                self.send_header(name, str(value))
        self.send_header("Content-Length", str(len(content)))
        self.send_header("x-amz-crc32", str(zlib.crc32(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = _ask  # noqa: N815 - the base class's names

    def log_message(self, *_: object) -> None:
        pass


def _create(client: DynamoDBClient) -> None:
    create_tables(client, PREFIX)
    for name, (partition, sort) in TABLES.items():
        keys: Any = [(partition, "HASH"), *([(sort, "RANGE")] if sort else [])]
        client.create_table(
            TableName=f"{PREFIX}-{name}",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
            AttributeDefinitions=[
                {"AttributeName": key, "AttributeType": "N" if key == "rank" else "S"} for key, _ in keys
            ],
        )
    facts = table_name(PREFIX, "facts")
    stream: Any = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    client.update_table(TableName=facts, StreamSpecification=stream)
    sqs = boto3.client("sqs", region_name=REGION)
    for queue in QUEUES:
        sqs.create_queue(QueueName=f"{PREFIX}-{queue}")
    boto3.client("sns", region_name=REGION).create_topic(Name=f"{PREFIX}-notices")
    _create_functions()


def _create_functions() -> None:
    trusting = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = boto3.client("iam").create_role(RoleName=PREFIX, AssumeRolePolicyDocument=trusting)["Role"]["Arn"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("handler.py", "")
    functions = boto3.client("lambda", region_name=REGION)
    for name in FUNCTIONS:
        functions.create_function(
            FunctionName=f"{PREFIX}-{name}",
            Runtime="python3.13",
            Role=role,
            Handler="handler.handler",
            Code={"ZipFile": archive.getvalue()},
            Environment={"Variables": SETTINGS},
        )


def _outputs(phase: str) -> dict[str, Any]:
    url = "https://example.test"
    entry = {
        "ingest_url": url,
        "serve_url": url,
        "ingest_function": f"{PREFIX}-door-ingest",
        "serve_function": f"{PREFIX}-door-serve",
    }
    legacy = {
        **entry,
        "rebuild_function": f"{PREFIX}-legacy-rebuild",
        "events_table": f"{PREFIX}-legacy-events",
        "program_progress_table": f"{PREFIX}-legacy-programs",
        "employee_progress_table": f"{PREFIX}-legacy-employees",
        "leaderboard_table": f"{PREFIX}-legacy-boards",
    }
    tables = ("facts", "dedup", "employee_progress", "program_progress", "snapshots")
    pipeline = {
        **entry,
        "ingest_function": f"{PREFIX}-ingest",
        "serve_function": f"{PREFIX}-serve",
        "aggregate_function": f"{PREFIX}-aggregate",
        "snapshot_function": f"{PREFIX}-snapshot",
        **{f"{name}_table": table_name(PREFIX, name) for name in tables},
        "queue_url": _queue("queue"),
        "dead_letter_queue_url": _queue("dead"),
        "capture_dead_letter_queue_url": _queue("capture-dead"),
        "pipe": f"{PREFIX}-capture",
    }
    control = {
        "control_table": f"{PREFIX}-control",
        "notice_topic": f"arn:aws:sns:{REGION}:123456789012:{PREFIX}-notices",
    }
    between = {
        **control,
        "watchdog_function": f"{PREFIX}-watchdog",
        "mirror_function": f"{PREFIX}-mirror",
        "mirror_queue_url": _queue("mirror"),
        "mirror_dead_letter_queue_url": _queue("mirror-dead"),
        "mirror_capture_dead_letter_queue_url": _queue("mirror-capture-dead"),
        "mirror_pipe": f"{PREFIX}-mirror",
        "comparator_function": f"{PREFIX}-comparator",
    }
    sides = {
        "legacy": {"legacy": legacy},
        "expand": {"legacy": legacy, "pipeline": pipeline, "migration": between},
        "contract": {"pipeline": pipeline, "migration": control},
    }
    return {"stack": "test", "phase": phase, "region": REGION, "entry": entry, **sides[phase]}


def _queue(name: str) -> str:
    return f"https://sqs.{REGION}.amazonaws.com/123456789012/{PREFIX}-{name}"
