"""The vital evidence's port, held to one contract in memory, and on every DynamoDB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from migration.aws.stack.stack_vitals import StackVitals
from migration.aws.tables.control_plane_table import ControlPlaneTable
from migration.door.count_item import counts_of, item_of
from migration.door.counts import NOTHING, Answers, DoorCounts, Role, Witness
from migration.model.errors import RemoteError
from migration.model.journal import Entry, EntryKind
from migration.model.live_lane import LiveState
from migration.model.moments import epoch_of, moment_text
from migration.model.side import Side
from migration.plan.outputs import MigrationOutputs, PipelineOutputs
from pipeline.domain.activity import Activity
from pipeline.domain.fact import fact_item
from tests.contract.engines import ENGINES, engine, unique
from tests.doubles.vitals import MemoryVitals
from tests.guarding_world import NOW, answers, door
from tests.pipeline_aws import KEYS, create_table, create_tables, table_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.guardrails.registry import VitalEvidence

QUEUES = ("activities", "activities-dlq", "capture-dlq", "mirror", "mirror-dlq", "mirror-capture-dlq")


class MemoryStack:
    """What happens to a stack, in memory."""

    def __init__(self) -> None:
        self.evidence = MemoryVitals()

    def tell(self, counts: DoorCounts) -> None:
        self.evidence.doors = [
            *(one for one in self.evidence.doors if one.instance != counts.instance),
            counts,
        ]

    def store(self, fact: Witness, lane: str = "live") -> None:
        if lane == "live":
            self.evidence.facts[fact.identity] = fact.at
        else:
            self.evidence.history.add(fact.identity)

    def fold(self, fact: Witness) -> None:
        self.evidence.folded.add(fact.identity)
        self.evidence.live = LiveState(self.evidence.live.queued, fact.at)

    def queue(self, name: str) -> None:
        if name == "activities":
            self.evidence.live = LiveState(self.evidence.live.queued + 1, self.evidence.live.newest_folded_at)
        elif name == "mirror":
            self.evidence.mirror_messages += 1
        else:
            what = {
                "activities-dlq": "not folded",
                "capture-dlq": "not captured",
                "mirror-dlq": "not mirrored back",
                "mirror-capture-dlq": "not captured for legacy",
            }
            self.evidence.letters[what[name]] = self.evidence.letters.get(what[name], 0) + 1

    def publish(self, at: float) -> None:
        self.evidence.board_at = at

    def write(self, entry: Entry) -> None:
        self.evidence.plane.append(entry)


@dataclass
class AwsStack:
    """The same with tables and queues."""

    dynamodb: Any
    sqs: Any
    prefix: str

    def __post_init__(self) -> None:
        create_tables(self.dynamodb, self.prefix)
        create_table(self.dynamodb, f"{self.prefix}-control", "migration", "record")
        self.urls = {
            name: self.sqs.create_queue(QueueName=f"{self.prefix}-{name}")["QueueUrl"] for name in QUEUES
        }
        tables = {f"{name}_table": table_name(self.prefix, name) for name in KEYS}
        unused = ("ingest", "aggregate", "snapshot", "serve")
        pipeline = PipelineOutputs(
            **tables,
            **{f"{name}_function": name for name in unused},
            ingest_url="",
            serve_url="",
            pipe="",
            queue_url=self.urls["activities"],
            dead_letter_queue_url=self.urls["activities-dlq"],
            capture_dead_letter_queue_url=self.urls["capture-dlq"],
        )
        between = MigrationOutputs(
            control_table=f"{self.prefix}-control",
            mirror_queue_url=self.urls["mirror"],
            mirror_dead_letter_queue_url=self.urls["mirror-dlq"],
            mirror_capture_dead_letter_queue_url=self.urls["mirror-capture-dlq"],
        )
        self.evidence = StackVitals(self.dynamodb, self.sqs, pipeline, between, "activities")

    def _put(self, table: str, item: Any) -> None:
        self.dynamodb.put_item(TableName=table_name(self.prefix, table), Item=item)

    def tell(self, counts: DoorCounts) -> None:
        self._put("control", item_of(counts, "activities", NOW + 3_600))

    def store(self, fact: Witness, lane: str = "live") -> None:
        activity = Activity(fact.event_id, fact.employee_id, "prog-1", "task_completed", 5, moment_text(NOW))
        self._put("facts", fact_item(activity, moment_text(fact.at), lane=lane, side="legacy"))

    def fold(self, fact: Witness) -> None:
        self._put("dedup", {"identity": {"S": fact.identity}, "expires_at": {"N": "1"}})
        newest = {"newest_folded_at": {"S": moment_text(fact.at)}}
        self._put("program_progress", {"program_id": {"S": "#freshness"}, "shard": {"S": "newest"}, **newest})

    def queue(self, name: str) -> None:
        self.sqs.send_message(QueueUrl=self.urls[name], MessageBody="{}")

    def publish(self, at: float) -> None:
        key = {"board": {"S": "global"}, "version": {"S": "latest"}}
        self._put("snapshots", {**key, "generated_at": {"S": moment_text(at)}, "body": {"B": b"-"}})

    def write(self, entry: Entry) -> None:
        ControlPlaneTable(self.dynamodb, f"{self.prefix}-control", "activities").append(entry)


Stack = MemoryStack | AwsStack


@pytest.fixture(params=["memory", *ENGINES])
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    if request.param == "memory":
        yield MemoryStack()
        return
    with engine(request) as aws:
        yield AwsStack(aws.dynamodb, aws.sqs, unique("vitals"))


def fact(name: str, at: float = NOW) -> Witness:
    return Witness("emp-1", name, at)


def test_what_doors_told_comes_back_whole(stack: Stack) -> None:
    evidence: VitalEvidence = stack.evidence
    assert list(evidence.door()) == []
    full = DoorCounts(
        "a",
        Role.INGEST,
        7,
        NOW - 60.125,
        NOW - 1.5,
        {Side.LEGACY: answers(9, 1, {0.2: 3, 40.0: 5, 99_999.0: 1}), Side.PIPELINE: answers(2)},
        Answers(3, 1, answers(3).times),
        {"MirrorStored": 8, "MirrorMissed": 1},
        NOW - 30,
        fact("ev-1", NOW - 2),
        NOW - 20,
        4,
        NOW - 10.5,
    )
    stack.tell(full)
    stack.tell(door(instance="b", role=Role.SERVE))
    assert {one.instance: one for one in evidence.door()} == {
        "a": full,
        "b": door(instance="b", role=Role.SERVE),
    }
    stack.tell(door(answers(10), instance="a"))
    assert len(evidence.door()) == 2, "an instance has one item"


def test_the_lane_tells_what_waits_and_what_was_folded_last(stack: Stack) -> None:
    assert stack.evidence.lane() == LiveState(0, None)
    stack.queue("activities")
    stack.fold(fact("ev-1"))
    assert stack.evidence.lane() == LiveState(1, NOW)


def test_facts_are_looked_up_one_by_one(stack: Stack) -> None:
    folded, waiting, history = fact("folded"), fact("waiting", NOW - 7), fact("history")
    for one in (folded, waiting):
        stack.store(one)
    stack.store(history, lane="history")
    stack.fold(folded)
    unstored = fact("never stored")
    checked = stack.evidence.check([folded, waiting, history, unstored])
    assert checked.unfolded == (waiting,)
    assert checked.unstored == (unstored,)
    assert checked.settled == {one.identity for one in (folded, history)}
    assert stack.evidence.check([]).unfolded == ()


def test_a_fact_that_is_gone_after_it_was_folded_is_still_folded(stack: Stack) -> None:
    gone = fact("gone")
    stack.fold(gone)
    assert stack.evidence.check([gone]).settled == {gone.identity}


def test_what_was_given_up_is_counted_by_what_could_not_be_done(stack: Stack) -> None:
    assert set(stack.evidence.dead().values()) == set(stack.evidence.mirrors_dead().values()) == {0}
    for name in ("activities-dlq", "activities-dlq", "capture-dlq", "mirror-dlq", "mirror-capture-dlq"):
        stack.queue(name)
    assert stack.evidence.dead() == {"not captured": 1, "not folded": 2}
    assert stack.evidence.mirrors_dead() == {"not captured for legacy": 1, "not mirrored back": 1}


def test_the_way_back_and_the_board(stack: Stack) -> None:
    assert (stack.evidence.mirrored_back(), stack.evidence.snapshot_at()) == (0, None)
    stack.queue("mirror")
    stack.publish(NOW - 40)
    assert (stack.evidence.mirrored_back(), stack.evidence.snapshot_at()) == (1, NOW - 40)


def test_the_journal_is_read_on_from_where_one_was(stack: Stack) -> None:
    assert list(stack.evidence.journal()) == []
    first, second = (
        Entry(f"{moment_text(at)}#abcd", EntryKind.REPAIRED, "ana", 7, "reconcile", "", {"began": at})
        for at in (NOW, NOW + 1)
    )
    for entry in (first, second):
        stack.write(entry)
    assert list(stack.evidence.journal()) == [first, second]
    assert list(stack.evidence.journal(first.id)) == [second]


def test_an_older_fact_that_was_sent_again_has_not_to_be_folded_now() -> None:
    """Its dedup entry may have expired long ago, and its duplicate was accepted a moment ago."""
    with mock_aws():
        region = "us-east-1"
        old = AwsStack(
            boto3.client("dynamodb", region_name=region), boto3.client("sqs", region_name=region), "old"
        )
        old.store(fact("ev-1", NOW - 40 * 86_400))
        assert old.evidence.check([fact("ev-1", NOW)]).unfolded == ()


def test_keys_that_dynamodb_left_out_are_no_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    with mock_aws():
        region = "us-east-1"
        busy = AwsStack(
            boto3.client("dynamodb", region_name=region), boto3.client("sqs", region_name=region), "busy"
        )
        answer: Any = {"Responses": {}, "UnprocessedKeys": {"busy-dedup": {}}}
        monkeypatch.setattr(busy.dynamodb, "batch_get_item", lambda **_: answer)
        with pytest.raises(RemoteError, match="did not read all keys"):
            busy.evidence.check([fact("ev-1")])


def test_counts_that_are_nothing_take_no_room() -> None:
    item = item_of(door(NOTHING, NOTHING), "activities", NOW)
    assert {"legacy", "pipeline", "pulses", "mirrored", "missed_at", "witness", "baked"}.isdisjoint(item)
    assert counts_of(item) == door()
    assert epoch_of(moment_text(NOW)) == NOW
