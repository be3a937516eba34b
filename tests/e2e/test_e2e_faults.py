"""The deployed pipeline under faults: whatever goes wrong between queue and tables, the folds end exact.

Each story sends activities over HTTP while the fault layer, or this test itself, does its worst, waits until
nothing is on its way, and lets the ledger judge: it has its own arithmetic and reads the tables alone.
"""

from __future__ import annotations

import json
import os
import random
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from migration.aws.files.activity_file import ActivityFile
from migration.aws.files.ledger_file import load_ledger
from migration.aws.transport.clock import SystemClock
from migration.cli.local.bringing_up import bring_up, shut_down
from migration.compare.ledger.check import check_sides
from migration.compare.ledger.settle import settle
from migration.load.activities import generate
from migration.local.emulator import Fault, Faults
from migration.model.side import Side
from migration.wiring.sending import Sending, send
from migration.wiring.workspace import RunningStack, Workspace
from tests.deployed_stack import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
PATIENCE = timedelta(seconds=90)
COMMIT = Fault(service="dynamodb", operation="TransactWriteItems", probability=0.4)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    workspace = Workspace(ROOT, tmp_path_factory.mktemp("faults"))
    running, _ = bring_up(workspace, "expand", port=0)
    outputs = running.outputs.pipeline
    assert outputs is not None
    # What fails is delivered again after 2 s instead of 2 minutes; also while its first delivery still works.
    running.clients.sqs.set_queue_attributes(
        QueueUrl=outputs.queue_url, Attributes={"VisibilityTimeout": "2"}
    )
    yield running
    shut_down(workspace)


@pytest.fixture
def story(stack: RunningStack, tmp_path: Path, request: pytest.FixtureRequest) -> Story:
    return Story(stack, tmp_path, request.node.name)


class Story:
    """One load, and the proof at its end. All stories share a stack, so each brings its own activities."""

    def __init__(self, stack: RunningStack, folder: Path, name: str) -> None:
        self.stack, self.folder = stack, folder
        self.ledger = folder / "ledger.jsonl"
        self.faults = Faults(stack.emulator.endpoint)
        self.seed = sum(name.encode())
        assert stack.outputs.pipeline is not None
        self.outputs = stack.outputs.pipeline

    def load(self, count: int = 150) -> None:
        path = self.folder / "activities.jsonl"
        now = datetime.now(UTC).replace(microsecond=0)
        path.write_bytes(b"".join(line + b"\n" for line in generate(count, self.seed, now)))
        send(Sending(ActivityFile(path), None, 4), self.stack.outputs, [Side.PIPELINE], self.ledger)

    def assert_exact(self) -> None:
        tables = self.stack.pipeline_tables
        assert tables is not None
        look = settle(tables, SystemClock(), PATIENCE)
        assert look.settled, look
        everything = check_sides(load_ledger(self.ledger), {Side.PIPELINE: tables})[Side.PIPELINE]
        # Facts of earlier stories are nobody's acknowledgement here; every other finding is a failure.
        assert [f for f in everything.findings if f.kind != "extra"] == []

    def queued_facts(self) -> list[str]:
        """Every fact as the pipe's message."""
        names = ("employee_id", "event_id", "program_id", "points", "ingested_at")
        pages = self.stack.clients.dynamodb.get_paginator("scan").paginate(TableName=self.outputs.facts_table)
        items = [item for page in pages for item in page["Items"]]
        return [json.dumps({n: next(iter(item[n].values())) for n in names}) for item in items]

    def queue(self, bodies: list[str]) -> None:
        for body in bodies:
            self.stack.clients.sqs.send_message(QueueUrl=self.outputs.queue_url, MessageBody=body)


@pytest.mark.parametrize(
    "fault",
    [
        COMMIT.model_copy(
            update={
                "code": "TransactionCanceledException",
                "status": 400,
                "extra": {"CancellationReasons": [{"Code": "TransactionConflict"}]},
            }
        ),
        COMMIT.model_copy(update={"code": "ThrottlingException", "status": 400}),
        COMMIT.model_copy(update={"kind": "after"}),
        COMMIT.model_copy(update={"kind": "drop"}),
        Fault(service="pipes", operation="Deliver", kind="after", probability=0.4),
    ],
    ids=["conflicts", "throttles", "ambiguous commits", "lost connections", "pipe delivers twice"],
)
def test_the_folds_are_exact(story: Story, fault: Fault) -> None:
    with story.faults.injected(fault):
        story.load()
        wait_until(lambda: len(story.faults.log()) > 0)
    story.assert_exact()


def test_a_batch_redelivered_reordered_and_duplicated_changes_nothing(story: Story) -> None:
    story.load(60)
    story.assert_exact()
    again = story.queued_facts() * 2
    random.Random(story.seed).shuffle(again)
    story.queue(again)
    story.assert_exact()


def test_a_consumer_killed_mid_batch_folds_its_batch_once(story: Story) -> None:
    slow = Fault(service="dynamodb", operation="TransactWriteItems", kind="latency", latency_ms=300)
    with story.faults.injected(slow):
        story.load(60)
        wait_until(lambda: kill_workers(story.stack, story.outputs.aggregate_function) > 0)
    story.assert_exact()


def test_a_poisoned_message_ends_in_the_dead_letter_queue_and_the_rest_is_folded(story: Story) -> None:
    sqs = story.stack.clients.sqs
    sqs.purge_queue(QueueUrl=story.outputs.dead_letter_queue_url)
    story.queue(["no json", json.dumps({"employee_id": "e"})])
    story.load(60)

    def dead() -> int:
        answer = sqs.get_queue_attributes(
            QueueUrl=story.outputs.dead_letter_queue_url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    wait_until(lambda: dead() == 2)
    story.assert_exact()


def kill_workers(stack: RunningStack, function: str) -> int:
    """Kill this local AWS's processes that run a function; returns how many there were.

    Functions of other local AWSs on this machine have the same names, and other tests' work in their hands.
    """
    server = stack.emulator.pid
    wanted = f"AWS_LAMBDA_FUNCTION_NAME={function}\0".encode()
    killed = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((process / "stat").read_text().rpartition(") ")[2].split()[1])
            if parent == server and wanted in (process / "environ").read_bytes() + b"\0":
                os.kill(int(process.name), signal.SIGKILL)
                killed += 1
        except (OSError, ValueError):
            continue
    return killed
