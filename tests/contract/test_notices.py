"""Notices arrive at whoever listens to the bus and to the topic; what does not arrive is said, not raised."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import pytest

from migration.aws.stack.notices import AwsNotices
from migration.aws.transport.clients import NoticeClients
from migration.cutover.moves import Move
from migration.cutover.notice import notice_of_breach, notice_of_move
from migration.model.guardrails import GuardrailVerdict, Outcome
from migration.model.stages import Control, Stage
from tests.doubles.hooks import MemoryNotices

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.cutover.notices import Notices
    from migration.local.emulator import Emulator

MOVE = Move(
    "activities",
    Control(Stage.LIVE, 100, 100, 4),
    Control(Stage.SHADOW, epoch=5),
    "2026-03-01T09:30:00.000Z",
    "watchdog",
    "watchdog",
    "rolled back from live (writes 1 %, reads 1 %) to shadow: dead letters: 3",
    "dead letters: 3",
)
VERDICTS = [
    GuardrailVerdict("dead_letters", Outcome.FAIL, "3 in the queue, at most 0", 1.5),
    GuardrailVerdict("lag", Outcome.PASS, "2 s", 1.5),
    GuardrailVerdict("cost", Outcome.FAIL, "dry", 1.5, dry=True),
]
BREACH = notice_of_breach("activities", "dead_letters failed in 3 looks", VERDICTS)


class Listening(NamedTuple):
    """Notices, and queues that hear what arrives on the bus and on the topic."""

    notices: AwsNotices
    sqs: Any
    bus: str
    topic: str

    def heard(self, queue: str) -> Any:
        """Give the one message that arrives."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            answer = self.sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1, MaxNumberOfMessages=10)
            if messages := answer.get("Messages"):
                (message,) = messages
                return json.loads(message["Body"])
        raise AssertionError("nothing arrived")


@pytest.fixture
def listening(emulator: Emulator) -> Iterator[Listening]:
    sqs = boto3.client("sqs", **emulator.client_arguments)
    sns = boto3.client("sns", **emulator.client_arguments)
    events = boto3.client("events", **emulator.client_arguments)
    bus, topic = (sqs.create_queue(QueueName=f"heard-{way}")["QueueUrl"] for way in ("bus", "topic"))
    arns = [
        sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        for url in (bus, topic)
    ]
    events.put_rule(Name="cutover", EventPattern=json.dumps({"source": ["cutover"]}))
    events.put_targets(Rule="cutover", Targets=[{"Id": "heard", "Arn": arns[0]}])
    told = sns.create_topic(Name="told")["TopicArn"]
    sns.subscribe(TopicArn=told, Protocol="sqs", Endpoint=arns[1])
    yield Listening(AwsNotices(NoticeClients(events, sns), told), sqs, bus, topic)
    for queue in (bus, topic):
        sqs.delete_queue(QueueUrl=queue)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("notice", "kind"), [(notice_of_move(MOVE), "Transition"), (BREACH, "Guardrail breached")]
)
def test_a_notice_arrives_on_the_bus_and_on_the_topic(listening: Listening, notice: Any, kind: str) -> None:
    assert listening.notices.tell(notice) == []
    event = listening.heard(listening.bus)
    assert (event["source"], event["detail-type"]) == ("cutover", kind)
    assert event["detail"] == json.loads(json.dumps(notice.detail))
    message = listening.heard(listening.topic)
    assert message["Subject"] == f"Cutover, activities: {kind}"
    sentence, _, detail = message["Message"].partition("\n\n")
    assert (sentence, json.loads(detail)) == (notice.text, event["detail"])


@pytest.mark.slow
def test_a_topic_that_is_gone_is_said_and_the_bus_is_told_all_the_same(listening: Listening) -> None:
    gone = AwsNotices(listening.notices.clients, f"{listening.notices.topic}-gone")
    (failure,) = gone.tell(BREACH)
    assert "telling the topic" in failure
    assert listening.heard(listening.bus)["detail-type"] == "Guardrail breached"


def test_a_breach_tells_what_counts_as_failed() -> None:
    assert [one["name"] for one in BREACH.detail["guardrails"]] == ["dead_letters"]


def test_the_port_has_a_memory_adapter() -> None:
    memory = MemoryNotices(["no"])
    notices: Notices = memory
    assert notices.tell(BREACH) == ["no"]
    assert memory.told == [BREACH]
