"""A dead-letter queue is redriven on the local AWS as AWS documents it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.emulator_aws import ACCOUNT, eventually, texts

if TYPE_CHECKING:
    from tests.contract.emulator_aws import Clients

pytestmark = pytest.mark.slow


def bury(aws: Clients, url: str, dead_url: str, *bodies: str) -> None:
    """Send messages that nobody deletes, until they are dead letters."""
    for body in bodies:
        aws.sqs.send_message(
            QueueUrl=url,
            MessageBody=body,
            MessageAttributes={"kind": {"DataType": "String", "StringValue": "test"}},
        )

    def buried() -> bool:
        aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return aws.depth(dead_url) == len(bodies)

    eventually(buried)


def newest_task(aws: Clients, arn: str) -> Any:
    return aws.sqs.list_message_move_tasks(SourceArn=arn)["Results"][0]


def test_messages_return_to_the_queue_they_came_from_as_new_ones(aws: Clients) -> None:
    url, dead_url, dead_arn = aws.redriven_queue()
    bury(aws, url, dead_url, "a", "b", "c")
    [dead] = aws.sqs.receive_message(
        QueueUrl=dead_url, VisibilityTimeout=0, MessageSystemAttributeNames=["All"]
    )["Messages"]
    assert dead["Attributes"]["DeadLetterQueueSourceArn"].endswith(url.rpartition("/")[2])

    handle = aws.sqs.start_message_move_task(SourceArn=dead_arn)["TaskHandle"]
    assert handle
    task = eventually(lambda: (found := newest_task(aws, dead_arn))["Status"] == "COMPLETED" and found)
    assert task["ApproximateNumberOfMessagesMoved"] == task["ApproximateNumberOfMessagesToMove"] == 3
    assert task["SourceArn"] == dead_arn
    assert "TaskHandle" not in task
    assert "DestinationArn" not in task
    assert aws.depth(dead_url) == 0
    [returned] = aws.sqs.receive_message(
        QueueUrl=url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
    )["Messages"]
    assert returned["Body"] == "a"
    assert returned["MessageId"] != dead["MessageId"]
    assert returned["Attributes"]["ApproximateReceiveCount"] == "1"
    assert "DeadLetterQueueSourceArn" not in returned["Attributes"]
    assert returned["MessageAttributes"]["kind"]["StringValue"] == "test"


def test_messages_go_to_a_named_queue(aws: Clients) -> None:
    url, dead_url, dead_arn = aws.redriven_queue()
    other_url, other_arn = aws.queue()
    bury(aws, url, dead_url, *texts("m", range(12)))
    aws.sqs.start_message_move_task(SourceArn=dead_arn, DestinationArn=other_arn)
    assert sorted(aws.received(other_url, 12)) == sorted(texts("m", range(12)))
    assert newest_task(aws, dead_arn)["DestinationArn"] == other_arn
    assert aws.depth(url) == aws.depth(dead_url) == 0


def test_one_task_at_a_time_which_can_be_cancelled(aws: Clients) -> None:
    url, dead_url, dead_arn = aws.redriven_queue()
    bury(aws, url, dead_url, *texts("m", range(9)))
    started = aws.sqs.start_message_move_task(SourceArn=dead_arn, MaxNumberOfMessagesPerSecond=1)
    running = newest_task(aws, dead_arn)
    assert (running["Status"], running["TaskHandle"]) == ("RUNNING", started["TaskHandle"])
    assert running["MaxNumberOfMessagesPerSecond"] == 1
    with pytest.raises(ClientError, match="already a task running"):
        aws.sqs.start_message_move_task(SourceArn=dead_arn)

    aws.sqs.cancel_message_move_task(TaskHandle=started["TaskHandle"])
    eventually(lambda: newest_task(aws, dead_arn)["Status"] == "CANCELLED")
    moved = newest_task(aws, dead_arn)["ApproximateNumberOfMessagesMoved"]
    assert 1 <= moved < 9
    assert (aws.depth(url), aws.depth(dead_url)) == (moved, 9 - moved)
    with pytest.raises(ClientError, match="does not exist"):
        aws.sqs.cancel_message_move_task(TaskHandle=started["TaskHandle"])

    aws.sqs.start_message_move_task(SourceArn=dead_arn)
    eventually(lambda: newest_task(aws, dead_arn)["Status"] == "COMPLETED")
    assert aws.depth(url) == 9
    statuses = [
        task["Status"]
        for task in aws.sqs.list_message_move_tasks(SourceArn=dead_arn, MaxResults=10)["Results"]
    ]
    assert statuses == ["COMPLETED", "CANCELLED"]


def test_a_message_that_came_from_no_queue_fails_the_task_and_stays(aws: Clients) -> None:
    _, dead_url, dead_arn = aws.redriven_queue()
    aws.sqs.send_message(QueueUrl=dead_url, MessageBody="sent here")
    aws.sqs.start_message_move_task(SourceArn=dead_arn)
    task = eventually(lambda: (found := newest_task(aws, dead_arn))["Status"] == "FAILED" and found)
    assert task["FailureReason"] == "CouldNotDetermineMessageSource"
    assert aws.depth(dead_url) == 1


def test_refuses_queues_that_do_not_exist_or_are_no_dead_letter_queue(aws: Clients) -> None:
    _, _, dead_arn = aws.redriven_queue()
    _, plain_arn = aws.queue()
    missing = f"arn:aws:sqs:us-east-1:{ACCOUNT}:missing"
    with pytest.raises(ClientError, match="SourceArn parameter doesn't exist"):
        aws.sqs.start_message_move_task(SourceArn=missing)
    with pytest.raises(ClientError, match="DestinationArn parameter doesn't exist"):
        aws.sqs.start_message_move_task(SourceArn=dead_arn, DestinationArn=missing)
    with pytest.raises(ClientError, match="configured as a Dead Letter Queue"):
        aws.sqs.start_message_move_task(SourceArn=plain_arn)
    with pytest.raises(ClientError, match="between 1 and 500"):
        aws.sqs.start_message_move_task(SourceArn=dead_arn, MaxNumberOfMessagesPerSecond=501)
