"""The deployed front door and reverse mirror, stage after stage, under the one URL that clients know.

Each story sends activities to the entry and lets the ledger judge both sides by their tables alone. No story
sends an activity twice, so legacy has to be exact as well.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from migration.aws.files.activity_file import ActivityFile
from migration.aws.files.ledger_file import load_ledger
from migration.aws.tables.mirrored_fact import parse_mirrored
from migration.aws.transport.clock import SystemClock
from migration.cli.local.bringing_up import bring_up, shut_down
from migration.cli.main import app
from migration.compare.ledger.check import check_sides
from migration.compare.ledger.settle import settle
from migration.local.emulator import Fault, Faults
from migration.model.acknowledgements import Ledger
from migration.model.legacy.layout import LegacyPlan
from migration.model.side import Side
from migration.model.stages import FULL_WEIGHT, Control, Stage
from migration.wiring.sending import Sending, send
from migration.wiring.workspace import RunningStack, Workspace
from tests.deployed_stack import PATIENCE_S, stop_watchdog, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_sqs.literals import QueueAttributeNameType

    from migration.compare.ledger.verdict import Finding, LedgerVerdict
    from migration.plan.outputs import MigrationOutputs

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
PATIENCE = timedelta(seconds=PATIENCE_S)
COUNT = 80
# Only the door's forward mirror writes a fact whose side is legacy.
FORWARD = Fault(service="dynamodb", operation="PutItem", contains='"side": {"S": "legacy"}')
# Only the reverse mirror marks a row of legacy with what it is about to add.
REVERSE = Fault(service="dynamodb", operation="PutItem", contains='"cutover_adding"')
DEAD: dict[str, Any] = {"kind": "drop"}
SLOW: dict[str, Any] = {"kind": "latency", "latency_ms": 1_000}
THROTTLED: dict[str, Any] = {"code": "ThrottlingException", "status": 400}
POISONED: dict[str, Any] = {"code": "ValidationException", "status": 400}
FAULTS = [DEAD, SLOW, THROTTLED, POISONED]
NAMES = ["dead", "slow", "throttled", "poisoned"]
# A client notices nothing: not a tenth of what the slow side takes.
UNNOTICED_MS = 100.0


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    workspace = Workspace(ROOT, tmp_path_factory.mktemp("door"))
    running, _ = bring_up(workspace, "expand", port=0)
    stop_watchdog(running)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CUTOVER_HOME", str(workspace.home))
        yield running
    shut_down(workspace)


@pytest.fixture
def story(stack: RunningStack, tmp_path: Path, request: pytest.FixtureRequest) -> Story:
    return Story(stack, tmp_path, request.node.name)


@dataclass
class Story:
    """Activities of one test, which nobody else sends, and the proof at its end."""

    stack: RunningStack
    folder: Path
    name: str
    sent: int = 0

    def set_stage(self, control: Control) -> None:
        """Write the control item as an operator would; returns once every door must go by it."""
        assert self.stack.outputs.migration is not None
        numbers = {
            "write_weight": control.write_weight,
            "read_weight": control.read_weight,
            "epoch": control.epoch,
        }
        self.stack.clients.dynamodb.put_item(
            TableName=self.stack.outputs.migration.control_table,
            Item={
                "migration": {"S": "activities"},
                "record": {"S": "state"},
                "stage": {"S": control.stage},
                **{name: {"N": str(number)} for name, number in numbers.items()},
            },
        )
        written = time.monotonic()
        # That is the promise, not a guess: what is sent from then on is judged by the new stage.
        wait_until(lambda: time.monotonic() - written > 2)

    def load(self, count: int = COUNT) -> float:
        """Send new activities to the entry, each acknowledged at the first try; gives the median in ms."""
        lines = [json.dumps(self._activity(self.sent + number)) for number in range(count)]
        self.sent += count
        path = self.folder / f"{self.sent}.jsonl"
        path.write_text("\n".join(lines) + "\n")
        (report,) = send(Sending(ActivityFile(path), None, 4), self.stack.outputs, [Side.LEGACY], self._file)
        assert (report.acknowledged, report.retried) == (count, 0)
        assert self.stack.outputs.legacy is not None
        assert self.stack.outputs.legacy.ingest_url == self.stack.outputs.entry.ingest_url
        assert report.latency is not None
        return report.latency.p50_ms

    def load_beside(self, fault: Fault) -> None:
        """Load without the fault, then with it: clients notice no difference."""
        faults = Faults(self.stack.emulator.endpoint)
        faults.clear()
        self.load(20)  # whatever starts cold has started
        without = self.load()
        with faults.injected(fault):
            # Each instance of the door gives the slow side up by itself, and a busy machine has many of them.
            unnoticed = any(self.load() < without + UNNOTICED_MS for _ in range(3))
            wait_until(faults.log)
        ended = time.monotonic()
        # What a slow side was sent arrives all the same, late; from then on what is missed stays missed.
        wait_until(lambda: time.monotonic() - ended > 2 * fault.latency_ms / 1_000)
        assert unnoticed

    def reconcile(self) -> dict[str, str]:
        """Reconcile from the command line, as an operator does; gives what became of this story's events."""
        arguments = ["--since", "2026-01-01", "--grace", "0", "--yes", "--output", "json"]
        result = CliRunner().invoke(app, ["reconcile", *arguments])
        assert result.exit_code == 0, result.output
        done = json.loads(result.stdout)["activities"]
        return {
            one["event_id"]: one["outcome"] for one in done if one["event_id"].startswith(f"{self.name}/")
        }

    def verdicts(self) -> dict[Side, LedgerVerdict]:
        """Let the ledger judge both sides, once nothing is on its way."""
        pipeline = self.stack.pipeline_tables
        assert pipeline is not None
        assert set(self.stack.tables(LegacyPlan())) == {Side.LEGACY, Side.PIPELINE}
        assert settle(pipeline, SystemClock(), PATIENCE).settled
        wait_until(lambda: self.waiting("mirror_queue_url") == 0 and not self.unmirrored())
        mine = load_ledger(self._file).sides[Side.LEGACY]
        return check_sides(Ledger({Side.LEGACY: mine, Side.PIPELINE: mine}), self.stack.tables(LegacyPlan()))

    def findings(self, side: Side) -> list[Finding]:
        """What is wrong with this story's activities; those of others are nobody's acknowledgement here."""
        return [found for found in self.verdicts()[side].findings if found.kind != "extra"]

    def sides(self) -> Counter[str]:
        """Count this story's facts by who accepted them."""
        return Counter(fact["side"]["S"] for fact in self._facts())

    def waiting(self, queue: str) -> int:
        """Count the messages of one of the migration's queues, also those under way."""
        answer = self.stack.clients.sqs.get_queue_attributes(
            QueueUrl=getattr(self.stack.outputs.migration, queue),
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )
        return sum(map(int, answer["Attributes"].values()))

    def unmirrored(self) -> set[str]:
        """Name the facts that the pipeline accepted and legacy does not have yet."""
        assert self.stack.outputs.legacy is not None
        there = {event["event_id"]["S"] for event in self._scan(self.stack.outputs.legacy.events_table)}
        facts = (fact for fact in self._facts() if fact["side"]["S"] == "pipeline")
        return {fact["event_id"]["S"] for fact in facts} - there

    @contextmanager
    def hidden_for(self, seconds: int) -> Iterator[None]:
        """Have what the reverse mirror failed at delivered again after so many seconds instead of minutes."""
        queue = self._migration.mirror_queue_url
        assert queue is not None
        sqs = self.stack.clients.sqs
        names: list[QueueAttributeNameType] = ["VisibilityTimeout"]
        before = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": str(seconds)})
        yield
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=before)

    def dead_letters(self) -> list[str]:
        """Take everything out of the reverse mirror's dead-letter queue."""
        queue = self._migration.mirror_dead_letter_queue_url
        assert queue is not None
        bodies: list[str] = []
        while messages := self.stack.clients.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in messages:
                bodies.append(message["Body"])
                self.stack.clients.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def reserved_at_legacy(self) -> list[object]:
        """List what legacy holds that no client can have sent."""
        assert self.stack.outputs.legacy is not None
        outputs = self.stack.outputs.legacy
        tables = (outputs.events_table, outputs.program_progress_table, outputs.employee_progress_table)
        items = [item for table in tables for item in self._scan(table)]
        return [item for item in items if any(v.get("S", "").startswith("#") for v in item.values())]

    def _facts(self) -> list[dict[str, dict[str, str]]]:
        assert self.stack.outputs.pipeline is not None
        facts = self._scan(self.stack.outputs.pipeline.facts_table)
        return [fact for fact in facts if fact["event_id"]["S"].startswith(f"{self.name}/")]

    def _scan(self, table: str) -> list[dict[str, dict[str, str]]]:
        pages = self.stack.clients.dynamodb.get_paginator("scan").paginate(
            TableName=table, ConsistentRead=True
        )
        return [item for page in pages for item in page["Items"]]  # type: ignore[misc] # texts and numbers only

    def _activity(self, number: int) -> dict[str, object]:
        return {
            "event_id": f"{self.name}/{number}",
            "employee_id": f"e-{number % 23}",
            "program_id": f"p-{number % 5}",
            "activity_type": "task_completed",
            "points": 1 + number % 7,
            "occurred_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }

    @property
    def _migration(self) -> MigrationOutputs:
        assert self.stack.outputs.migration is not None
        return self.stack.outputs.migration

    @property
    def _file(self) -> Path:
        return self.folder / "ledger.jsonl"


def test_from_stage_to_stage_each_side_has_what_it_should(story: Story) -> None:
    story.set_stage(Control(Stage.OFF))
    story.load(20)
    assert story.sides() == {}, "in stage off the pipeline hears of nothing"
    assert story.findings(Side.LEGACY) == []

    story.folder = story.folder / "moved"
    story.folder.mkdir()
    story.set_stage(Control(Stage.DUALWRITE, epoch=1))
    story.load()
    assert story.sides() == {"legacy": COUNT}
    assert {side: story.findings(side) for side in Side} == {side: [] for side in Side}

    story.set_stage(Control(Stage.LIVE, FULL_WEIGHT // 2, FULL_WEIGHT // 2, epoch=2))
    story.load()
    assert set(story.sides()) == {"legacy", "pipeline"}
    assert {side: story.findings(side) for side in Side} == {side: [] for side in Side}

    before = story.sides()
    story.set_stage(Control(Stage.RAMPDOWN, epoch=3))
    story.load()
    assert story.sides() - before == {"pipeline": COUNT}
    assert {side: story.findings(side) for side in Side} == {side: [] for side in Side}
    assert story.waiting("mirror_dead_letter_queue_url") == 0


def test_a_way_back_from_rampdown_leaves_both_sides_exact(story: Story) -> None:
    story.set_stage(Control(Stage.RAMPDOWN, epoch=4))
    story.load()
    story.set_stage(Control(Stage.DUALWRITE, epoch=5))
    story.load()
    assert story.sides() == {"pipeline": COUNT, "legacy": COUNT}
    assert {side: story.findings(side) for side in Side} == {side: [] for side in Side}


def test_a_pulse_never_reaches_legacy(story: Story) -> None:
    outputs = story.stack.outputs
    assert outputs.pipeline is not None
    story.stack.clients.functions.invoke(FunctionName=outputs.pipeline.snapshot_function)
    story.set_stage(Control(Stage.RAMPDOWN, epoch=6))
    story.load(5)
    assert story.findings(Side.LEGACY) == []
    assert story.reserved_at_legacy() == []


@pytest.mark.parametrize("how", FAULTS, ids=NAMES)
def test_whatever_befalls_the_forward_mirror_clients_do_not_notice_and_reconcile_mends_it(
    story: Story, how: dict[str, Any]
) -> None:
    story.set_stage(Control(Stage.DUALWRITE, epoch=7))
    story.load_beside(FORWARD.model_copy(update=how))
    assert story.findings(Side.LEGACY) == []
    missed = story.findings(Side.PIPELINE)
    assert {(found.kind, found.place) for found in missed} <= {("lost", "facts")}
    # Nothing is half there: what is not missed is a fact, once, and folded.
    assert len(missed) + sum(story.sides().values()) == story.sent
    redriven = story.reconcile()
    assert redriven == {found.event_id: "stored_as_fact" for found in missed}
    assert redriven or how is SLOW, "the fault must have cost mirrors"
    assert {side: story.findings(side) for side in Side} == {side: [] for side in Side}
    assert story.reconcile() == {}


@pytest.mark.parametrize("how", FAULTS, ids=NAMES)
def test_whatever_befalls_the_reverse_mirror_clients_do_not_notice_and_legacy_is_made_up(
    story: Story, how: dict[str, Any]
) -> None:
    story.set_stage(Control(Stage.RAMPDOWN, epoch=8))
    with story.hidden_for(2):  # then what failed comes again soon
        story.load_beside(REVERSE.model_copy(update=how))
        assert {side: story.findings(side) for side in Side} == {side: [] for side in Side}
    assert story.sides() == {"pipeline": story.sent}


def test_what_the_reverse_mirror_gave_up_is_exactly_what_reconcile_applies(story: Story) -> None:
    story.set_stage(Control(Stage.RAMPDOWN, epoch=9))
    story.load(10)
    wait_until(lambda: story.waiting("mirror_queue_url") == 0)
    faults = Faults(story.stack.emulator.endpoint)
    with story.hidden_for(1), faults.injected(REVERSE.model_copy(update=THROTTLED)):
        story.load(20)
        wait_until(lambda: story.waiting("mirror_queue_url") == 0)  # all in the dead-letter queue
        # Nor is a delivery still at work, which would be tried again within some 3 s.
        wait_until(lambda: datetime.now(UTC) - last_of(faults) > timedelta(seconds=6))
    given_up = {parse_mirrored(body).event_id for body in story.dead_letters()}
    assert given_up == story.unmirrored() != set()
    assert story.reconcile() == dict.fromkeys(given_up, "applied_to_legacy")
    assert {side: story.findings(side) for side in Side} == {side: [] for side in Side}


def last_of(faults: Faults) -> datetime:
    return datetime.fromisoformat(faults.log()[-1].at)
