"""One suite for each port of the toolkit, run on every adapter, so that the ones in memory cannot lie."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Protocol, cast

import boto3
import pytest
from moto import mock_aws

from migration.aws.files.ledger_file import LedgerFile, load_ledger
from migration.aws.tables.side_tables import MappedLegacy, PipelineTables
from migration.aws.transport.http import HttpSender
from migration.compare.ledger.tables import Backlog, SideTables
from migration.load.sending import NoReply, Reply
from migration.model.answers import Answer, SendOutcome
from migration.model.errors import CredentialsError, IntegrityError, RemoteError
from migration.model.fold import TOTAL, Activity, Fold, Row
from migration.model.legacy.layout import LegacyPlan
from migration.model.side import Side
from migration.plan.outputs import LegacyOutputs, PipelineOutputs
from tests.contract.engines import ENGINES, engine, unique
from tests.doubles.sending import MemoryLedger, MemorySender
from tests.doubles.tables import MemoryTables
from tests.pipeline_aws import KEYS, create_tables, table_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

    from migration.load.acknowledging import AcknowledgementLedger
    from migration.load.sending import Sender
    from migration.model.acknowledgements import Ledger

MOTO = "toolkit"
TIME = "2026-03-01T09:30:00.000Z"
FACTS = [
    Activity(f"emp-{number % 3}", f"ev-{number}", "prog-1", "task_completed", 10, TIME) for number in range(9)
]
PULSE = Activity("#pulse", TIME, "#pulse", "pulse", 0, TIME)
FOLDS = {
    Row("emp-0", "prog-1"): Fold(30, 3, 111),
    Row("emp-0", TOTAL): Fold(30, 3, 111),
    Row(None, "prog-1"): Fold(60, 6, 222),
}


class Tables(SideTables, Backlog, Protocol):
    """What the pipeline's tables are to the engine."""


def in_memory() -> Tables:
    return MemoryTables([*FACTS, PULSE], {**FOLDS, Row(None, "#pulse"): Fold(0, 1, 9)}, messages=3)


def in_dynamodb(client: DynamoDBClient, sqs: SQSClient, prefix: str) -> Tables:
    create_tables(client, prefix)
    names = {name: f"{prefix}-{name}" for name in ("live", "dlq", "capture-dlq")}
    queues = {name: sqs.create_queue(QueueName=queue)["QueueUrl"] for name, queue in names.items()}
    for _ in range(3):
        sqs.send_message(QueueUrl=queues["live"], MessageBody="{}")
    for fact in [*FACTS, PULSE]:
        put_fact(client, prefix, fact)
    put_row(
        client,
        prefix,
        "employee_progress",
        {"employee_id": "emp-0", "program_id": "prog-1"},
        Fold(30, 3, 111),
    )
    put_row(
        client, prefix, "employee_progress", {"employee_id": "emp-0", "program_id": TOTAL}, Fold(30, 3, 111)
    )
    put_row(
        client, prefix, "employee_progress", {"employee_id": "#pulse", "program_id": "#pulse"}, Fold(0, 1, 9)
    )
    put_row(client, prefix, "program_progress", {"program_id": "prog-1", "shard": "00"}, Fold(40, 4, 200))
    put_row(client, prefix, "program_progress", {"program_id": "prog-1", "shard": "01"}, Fold(20, 2, 22))
    put_row(client, prefix, "program_progress", {"program_id": "#pulse", "shard": "00"}, Fold(0, 1, 9))
    freshness = {"program_id": {"S": "#freshness"}, "shard": {"S": "newest"}, "newest_folded_at": {"S": TIME}}
    client.put_item(TableName=table_name(prefix, "program_progress"), Item=freshness)
    return PipelineTables(client, sqs, outputs(queues, prefix))


def in_moto() -> PipelineTables:
    return cast("PipelineTables", in_dynamodb(boto3.client("dynamodb"), boto3.client("sqs"), MOTO))


def outputs(queues: dict[str, str], prefix: str) -> PipelineOutputs:
    names = {f"{table}_table": table_name(prefix, table) for table in KEYS}
    others = dict.fromkeys(PipelineOutputs.model_fields, "unused")
    urls = {
        "queue_url": queues["live"],
        "dead_letter_queue_url": queues["dlq"],
        "capture_dead_letter_queue_url": queues["capture-dlq"],
    }
    return PipelineOutputs.model_validate({**others, **names, **urls})


def put_fact(client: DynamoDBClient, prefix: str, fact: Activity, lane: str = "live") -> None:
    item: dict[str, Any] = {
        name: {"S": getattr(fact, name)}
        for name in ("employee_id", "event_id", "program_id", "activity_type", "occurred_at")
    }
    points: Any = {"N": str(fact.points)}
    accepted = {"ingested_at": {"S": TIME}, "lane": {"S": lane}, "side": {"S": "legacy"}}
    client.put_item(TableName=table_name(prefix, "facts"), Item={**item, "points": points, **accepted})


def put_row(client: DynamoDBClient, prefix: str, table: str, key: dict[str, str], fold: Fold) -> None:
    item: dict[str, Any] = {name: {"S": value} for name, value in key.items()}
    sums = {name: {"N": str(getattr(fold, name))} for name in ("points", "events", "fingerprint")}
    client.put_item(TableName=table_name(prefix, table), Item={**item, **sums})


@pytest.fixture(params=["memory", *ENGINES])
def tables(request: pytest.FixtureRequest) -> Iterator[Tables]:
    if request.param == "memory":
        yield in_memory()
        return
    with engine(request) as aws:
        yield in_dynamodb(aws.dynamodb, aws.sqs, unique("toolkit"))


def test_every_fact_is_read_reserved_ones_too(tables: Tables) -> None:
    assert sorted(tables.activities(), key=str) == sorted([*FACTS, PULSE], key=str)


def test_program_shards_are_summed_and_reserved_rows_left_out(tables: Tables) -> None:
    assert tables.folds() == FOLDS


def test_the_backlog_counts_facts_folds_and_messages_without_reserved_ones(tables: Tables) -> None:
    assert (tables.stored(), tables.folded(), tables.queued()) == (9, 6, 3)


def test_facts_of_the_history_lane_are_not_waited_for() -> None:
    with mock_aws():
        tables = in_moto()
        put_fact(
            tables.client,
            MOTO,
            Activity("emp-9", "ev-h", "prog-1", "task_completed", 10, TIME),
            lane="history",
        )
        assert tables.stored() == 9
        assert len(list(tables.activities())) == 11


def test_a_number_that_no_side_writes_is_named_and_not_guessed() -> None:
    with mock_aws():
        tables = in_moto()
        put_row(
            tables.client, MOTO, "program_progress", {"program_id": "prog-1", "shard": "00"}, Fold(0, 0, 0)
        )
        broken = {"program_id": {"S": "prog-1"}, "shard": {"S": "00"}, "points": {"N": "1.5"}}
        tables.client.put_item(TableName=table_name(MOTO, "program_progress"), Item=cast("Any", broken))
        with pytest.raises(
            IntegrityError, match=r"points of the item with program_id prog-1, shard 00.*1\.5"
        ):
            tables.folds()


def test_a_table_that_is_not_there_is_a_remote_error_that_names_it() -> None:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        others = dict.fromkeys(LegacyOutputs.model_fields, "gone")
        with pytest.raises(RemoteError, match="reading gone"):
            list(MappedLegacy(client, LegacyOutputs.model_validate(others), LegacyPlan()).activities())


def test_refused_credentials_are_told_apart() -> None:
    with mock_aws():
        tables = in_moto()

        def refuse(**_: object) -> None:
            raise tables.client.exceptions.ClientError(
                {"Error": {"Code": "UnrecognizedClientException", "Message": "no"}}, "Scan"
            )

        tables.client.meta.events.register("before-call.dynamodb.Scan", refuse)
        with pytest.raises(CredentialsError):
            tables.folds()


@dataclass
class Server:
    """A side that echoes what it was sent, with the status that the body asks for."""

    url: str
    connections: set[tuple[str, int]]


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        server = cast("Any", self.server)
        server.connections.add(self.client_address)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body == b"hang up":
            self.close_connection = True
            return
        status, extra = (503, [("Retry-After", "2")]) if body == b"busy" else (202, [])
        answer = json.dumps([self.path, self.headers["Content-Type"]]).encode() + body
        self.send_response(status)
        for name, value in [*extra, ("Content-Length", str(len(answer)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server() -> Iterator[Server]:
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    httpd.daemon_threads = True
    connections: set[tuple[str, int]] = set()
    cast("Any", httpd).connections = connections
    threading.Thread(target=httpd.serve_forever, args=[0.01], daemon=True).start()
    yield Server(f"http://127.0.0.1:{httpd.server_address[1]}/side/", connections)
    httpd.shutdown()
    httpd.server_close()


def scripted(body: bytes) -> Reply | NoReply:
    if body == b"hang up":
        return NoReply("connection lost")
    answer = b'["/side/activities", "application/json"]' + body
    return Reply(503, answer, 2.0) if body == b"busy" else Reply(202, answer)


@pytest.fixture(params=["memory", "http"])
def sender(request: pytest.FixtureRequest, server: Server) -> Sender:
    if request.param == "memory":
        return MemorySender(scripted)
    return HttpSender(server.url, connections=2, timeout=timedelta(seconds=10))


def test_a_body_arrives_as_it_is_and_its_answer_comes_back(sender: Sender) -> None:
    body = b'\xff\x00{"a": 1}\r'
    assert sender.send(body) == Reply(202, b'["/side/activities", "application/json"]' + body)


def test_a_status_is_an_answer_and_says_when_to_come_back(sender: Sender) -> None:
    reply = sender.send(b"busy")
    assert isinstance(reply, Reply)
    assert (reply.status, reply.retry_after_s) == (503, 2.0)


def test_a_lost_connection_is_no_reply_and_the_next_send_works(sender: Sender) -> None:
    assert sender.send(b"hang up") == NoReply("connection lost")
    assert isinstance(sender.send(b"{}"), Reply)


def test_connections_are_kept_alive_and_bounded(server: Server) -> None:
    sender = HttpSender(server.url, connections=2, timeout=timedelta(seconds=10))
    threads = [threading.Thread(target=lambda: [sender.send(b"{}") for _ in range(20)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.connections) <= 2


def test_nobody_listening_is_no_reply() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as httpd:
        port = httpd.server_address[1]
    sender = HttpSender(f"http://127.0.0.1:{port}/", connections=1, timeout=timedelta(seconds=10))
    assert sender.send(b"{}") == NoReply("connection refused")


def test_an_answer_that_takes_too_long_is_no_reply() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as silent:  # listens, and never accepts
        port = silent.server_address[1]
        sender = HttpSender(f"http://127.0.0.1:{port}/", connections=1, timeout=timedelta(milliseconds=50))
        assert sender.send(b"{}") == NoReply("timeout")


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_a_ledger_gives_back_what_it_was_told(kind: str, tmp_path: Path) -> None:
    body = (
        b'{"event_id":"ev-1","employee_id":"emp-1","program_id":"prog-1","activity_type":"task_completed",'
        b'"points":10,"occurred_at":"2026-03-01T09:30:00Z"}'
    )

    def fill(ledger: AcknowledgementLedger) -> None:
        for side, outcome in ((Side.PIPELINE, SendOutcome.ACKNOWLEDGED), (Side.LEGACY, SendOutcome.CONFLICT)):
            send = ledger.sending(side, body, 1.0)
            ledger.answered(send, Answer(outcome, 202, "emp-1", "ev-1"), ["timeout", "202"], 2.0, 5.0)
        ledger.sending(Side.PIPELINE, b"\xff", 3.0)

    def read() -> Ledger:
        if kind == "memory":
            memory = MemoryLedger()
            fill(memory)
            return memory.read()
        with LedgerFile(tmp_path / "ledger.jsonl", "run") as file:
            fill(file)
        return load_ledger(tmp_path / "ledger.jsonl")

    ledger = read()
    pipeline, legacy = ledger.sides[Side.PIPELINE], ledger.sides[Side.LEGACY]
    [[acknowledged]] = pipeline.acknowledged.values()
    assert (acknowledged.activity.points, acknowledged.tries) == (10, 2)
    assert (pipeline.sent, pipeline.unknown_sends, legacy.conflicts, ledger.unreadable) == (2, 1, 1, 0)
