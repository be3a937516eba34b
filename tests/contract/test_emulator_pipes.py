"""Pipes from a DynamoDB stream to a queue do on the local AWS what AWS documents."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from migration.local.emulator import Fault, Faults
from tests.contract.emulator_aws import ROLE, eventually, texts
from tests.contract.engines import unique

if TYPE_CHECKING:
    from tests.contract.emulator_aws import Clients

pytestmark = pytest.mark.slow

LIVE_INSERTS = {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"lane": {"S": ["live"]}}}}


def test_delivers_what_the_filter_matches_and_nothing_else(aws: Clients) -> None:
    table, (url, arn) = aws.table(), aws.queue()
    aws.pipe(aws.stream(table), arn, filters=[LIVE_INSERTS])
    aws.put(table, "a", lane="live")
    aws.put(table, "b", lane="history")
    aws.put(table, "a", lane="live", changed="yes")  # MODIFY
    aws.dynamodb.delete_item(TableName=table, Key={"id": {"S": "a"}})
    aws.put(table, "no-lane")
    aws.put(table, "c", lane="live")
    assert aws.received(url, 2) == ["a", "c"]
    assert aws.depth(url) == 0


def test_delivers_what_becomes_what_the_filter_matches(aws: Clients) -> None:
    table, (url, arn) = aws.table(), aws.queue()
    ours = {"eventName": ["INSERT", "MODIFY"], "dynamodb": {"NewImage": {"side": {"S": ["pipeline"]}}}}
    aws.pipe(aws.stream(table), arn, filters=[ours], template='"<$.eventName> <$.dynamodb.Keys.id.S>"')
    aws.put(table, "a", side="legacy")
    aws.dynamodb.update_item(
        TableName=table,
        Key={"id": {"S": "a"}},
        UpdateExpression="SET #side = :to",
        ConditionExpression="#side = :was",
        ExpressionAttributeNames={"#side": "side"},
        ExpressionAttributeValues={":to": {"S": "pipeline"}, ":was": {"S": "legacy"}},
    )
    aws.put(table, "b", side="legacy")
    aws.put(table, "b", side="legacy", changed="yes")
    aws.put(table, "c", side="pipeline")
    assert aws.received(url, 2) == ['"MODIFY a"', '"INSERT c"']
    assert aws.depth(url) == 0


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([{"dynamodb": {"NewImage": {"color": {"S": ["red", "blue"]}}}}], ["1", "2"]),
        ([{"dynamodb": {"NewImage": {"color": {"S": [{"anything-but": ["red"]}]}}}}], ["2", "3"]),
        ([{"dynamodb": {"NewImage": {"color": {"S": [{"prefix": "gr"}]}}}}], ["3"]),
        ([{"dynamodb": {"NewImage": {"color": {"S": [{"exists": False}]}}}}], ["4"]),
        (
            [{"dynamodb": {"Keys": {"id": {"S": ["1"]}}}}, {"dynamodb": {"Keys": {"id": {"S": ["4"]}}}}],
            ["1", "4"],
        ),
        ([], ["1", "2", "3", "4", "end"]),
    ],
)
def test_filters_match_as_event_patterns(aws: Clients, filters: list[Any], expected: list[str]) -> None:
    table, (url, arn) = aws.table(), aws.queue()
    for item_id, color in (("1", "red"), ("2", "blue"), ("3", "green")):
        aws.put(table, item_id, color=color)
    aws.put(table, "4")
    end = [{"dynamodb": {"Keys": {"id": {"S": ["end"]}}}}] if filters else []
    aws.pipe(aws.stream(table), arn, filters=filters + end)
    aws.put(table, "end", color="red")
    matched = [*expected, "end"] if filters and expected[-1] != "end" else expected
    assert aws.received(url, len(matched)) == matched


def test_keeps_the_order_of_the_stream_over_many_batches(aws: Clients) -> None:
    table, (url, arn) = aws.table(), aws.queue()
    aws.put(table, *texts("before-", range(25)))
    aws.pipe(aws.stream(table), arn)
    aws.put(table, *texts("after-", range(35)))
    assert aws.received(url, 60) == texts("before-", range(25)) + texts("after-", range(35))


def test_latest_starts_after_what_is_in_the_stream(aws: Clients) -> None:
    table, (url, arn) = aws.table(), aws.queue()
    aws.put(table, "before")
    aws.pipe(aws.stream(table), arn, stream={"StartingPosition": "LATEST"})
    aws.put(table, "after")
    assert aws.received(url, 1) == ["after"]


def test_a_value_that_is_not_in_quotes_becomes_valid_json(aws: Clients) -> None:
    table, (url, arn) = aws.table(), aws.queue()
    template = '{"id":<$.dynamodb.NewImage.id.S>,"n":<$.dynamodb.NewImage.n.N>,"all":<$.dynamodb.Keys>}'
    aws.pipe(aws.stream(table), arn, template=template)
    awkward = 'say "hi" \\ <b> \u00e9\u6f22\U0001f600'
    aws.dynamodb.put_item(TableName=table, Item={"id": {"S": awkward}, "n": {"N": "12.50"}})
    [body] = aws.received(url, 1)
    assert json.loads(body) == {"id": awkward, "n": "12.5", "all": {"id": {"S": awkward}}}


def test_renders_text_reserved_variables_and_paths_that_lead_nowhere(aws: Clients) -> None:
    table, (url, arn) = aws.table(), aws.queue()
    template = '{"text":"<$.eventName> of <$.dynamodb.Keys.id.S>","gone":<$.dynamodb.OldImage.id.S>,'
    template += '"from":<aws.pipes.source-arn>,"pipe":<aws.pipes.pipe-name>,"event":<aws.pipes.event.json>}'
    stream = aws.stream(table)
    pipe = aws.pipe(stream, arn, template=template)
    aws.put(table, "x")
    body = json.loads(aws.received(url, 1)[0])
    assert body.pop("event")["dynamodb"]["NewImage"] == {"id": {"S": "x"}}
    assert body == {"text": "INSERT of x", "gone": "", "from": stream, "pipe": pipe}


def test_without_a_template_the_message_is_the_record(aws: Clients) -> None:
    table, (url, arn) = aws.table(), aws.queue()
    aws.pipe(aws.stream(table), arn, template="")
    aws.put(table, "x")
    record = json.loads(aws.received(url, 1)[0])
    assert record["eventName"] == "INSERT"
    assert record["eventSource"] == "aws:dynamodb"
    assert record["eventSourceARN"] == aws.stream(table)
    assert record["dynamodb"]["NewImage"] == {"id": {"S": "x"}}
    assert record["dynamodb"]["StreamViewType"] == "NEW_IMAGE"


def test_describe_returns_the_parameters_and_update_replaces_what_it_names(aws: Clients) -> None:
    table, (_, arn), (_, dead_arn) = aws.table(), aws.queue(), aws.queue()
    stream = {"BatchSize": 5, "MaximumRetryAttempts": 3, "DeadLetterConfig": {"Arn": dead_arn}}
    pipe = aws.pipe(aws.stream(table), arn, stream=stream, filters=[LIVE_INSERTS], template="<$.eventID>")
    before = aws.pipes.describe_pipe(Name=pipe)
    assert before["SourceParameters"]["DynamoDBStreamParameters"] == {
        "StartingPosition": "TRIM_HORIZON",
        **stream,
    }
    assert json.loads(before["SourceParameters"]["FilterCriteria"]["Filters"][0]["Pattern"]) == LIVE_INSERTS
    assert before["TargetParameters"]["InputTemplate"] == "<$.eventID>"

    aws.pipes.update_pipe(
        Name=pipe,
        RoleArn=ROLE,
        SourceParameters={"DynamoDBStreamParameters": {"BatchSize": 7}},
        TargetParameters={"InputTemplate": ""},
    )
    after = aws.pipes.describe_pipe(Name=pipe)
    assert after["SourceParameters"]["DynamoDBStreamParameters"] == {
        "StartingPosition": "TRIM_HORIZON",
        "BatchSize": 7,
    }
    assert after["SourceParameters"]["FilterCriteria"] == before["SourceParameters"]["FilterCriteria"]
    assert "TargetParameters" not in after


def test_a_stopped_pipe_goes_on_where_it_stood(aws: Clients) -> None:
    table, (url, arn) = aws.table(), aws.queue()
    pipe = aws.pipe(aws.stream(table), arn)
    aws.put(table, "a")
    assert aws.received(url, 1) == ["a"]
    aws.pipes.stop_pipe(Name=pipe)
    assert aws.pipes.describe_pipe(Name=pipe)["CurrentState"] == "STOPPED"
    aws.put(table, "b", "c")
    aws.pipes.start_pipe(Name=pipe)
    assert aws.received(url, 2) == ["b", "c"]


def test_a_deleted_pipe_that_is_made_again_starts_anew(aws: Clients) -> None:
    table, (url, arn) = aws.table(), aws.queue()
    pipe = aws.pipe(aws.stream(table), arn)
    aws.put(table, "a")
    assert aws.received(url, 1) == ["a"]
    aws.pipes.delete_pipe(Name=pipe)
    aws.put(table, "b")
    aws.pipe(aws.stream(table), arn)
    assert aws.received(url, 2) == ["a", "b"]


def test_what_the_target_refuses_is_sent_again_until_it_is_taken(aws: Clients) -> None:
    table, later = aws.table(), unique("later")
    pipe = aws.pipe(aws.stream(table), f"arn:aws:sqs:us-east-1:000000000000:{later}")
    aws.put(table, "a", "b")
    assert aws.pipes.describe_pipe(Name=pipe)["CurrentState"] == "RUNNING"
    url = aws.sqs.create_queue(QueueName=later)["QueueUrl"]
    assert aws.received(url, 2) == ["a", "b"]


def test_retries_used_up_are_reported_by_place_and_the_rest_goes_on(aws: Clients) -> None:
    table, (dead_url, dead_arn) = aws.table(), aws.queue()
    url, arn = aws.queue(MaximumMessageSize="1024")
    too_large = "x" * 1500
    aws.put(table, "a", too_large, "b")
    stream = {"MaximumRetryAttempts": 1, "DeadLetterConfig": {"Arn": dead_arn}}
    pipe = aws.pipe(aws.stream(table), arn, stream=stream, template="")
    assert [json.loads(body)["dynamodb"]["Keys"]["id"]["S"] for body in aws.received(url, 2)] == ["a", "b"]
    [letter] = [json.loads(body) for body in aws.received(dead_url, 1)]
    described = aws.pipes.describe_pipe(Name=pipe)
    assert letter["context"] == {
        "partnerResourceArn": described["Arn"],
        "condition": "RetryAttemptsExhausted",
    }
    info = letter["DDBStreamBatchInfo"]
    assert info["batchSize"] == 1
    assert info["startSequenceNumber"] == info["endSequenceNumber"]
    assert info["streamArn"] == aws.stream(table)


@pytest.mark.parametrize(
    ("handling", "sizes"), [({}, [3]), ({"OnPartialBatchItemFailure": "AUTOMATIC_BISECT"}, [1, 1, 1])]
)
def test_a_pipe_that_bisects_reports_each_record(
    aws: Clients, handling: dict[str, str], sizes: list[int]
) -> None:
    table, (dead_url, dead_arn) = aws.table(), aws.queue()
    aws.put(table, "a", "b", "c")
    stream = {"MaximumRetryAttempts": 0, "DeadLetterConfig": {"Arn": dead_arn}, **handling}
    aws.pipe(aws.stream(table), f"arn:aws:sqs:us-east-1:000000000000:{unique('never')}", stream=stream)
    letters = [json.loads(body) for body in aws.received(dead_url, len(sizes))]
    assert [letter["DDBStreamBatchInfo"]["batchSize"] for letter in letters] == sizes


def test_records_older_than_the_pipe_allows_are_given_up_unsent(aws: Clients) -> None:
    table, (url, arn), (dead_url, dead_arn) = aws.table(), aws.queue(), aws.queue()
    aws.put(table, "old")
    written = time.time()
    eventually(lambda: time.time() > written + 2.1)  # the stream keeps whole seconds
    stream = {"MaximumRecordAgeInSeconds": 1, "DeadLetterConfig": {"Arn": dead_arn}}
    aws.pipe(aws.stream(table), arn, stream=stream)
    [letter] = [json.loads(body) for body in aws.received(dead_url, 1)]
    assert letter["context"]["condition"] == "RecordAgeExceeded"
    assert aws.depth(url) == 0


def test_a_stream_that_is_enabled_again_orphans_its_pipe(aws: Clients) -> None:
    table, (url, arn) = aws.table(), aws.queue()
    pipe = aws.pipe(aws.stream(table), arn)
    aws.put(table, "a")
    assert aws.received(url, 1) == ["a"]
    aws.dynamodb.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})
    aws.dynamodb.update_table(
        TableName=table, StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    )
    aws.put(table, "b")
    assert "Stream not found" in eventually(lambda: aws.pipes.describe_pipe(Name=pipe).get("StateReason"))
    aws.pipe(aws.stream(table), arn)
    assert aws.received(url, 1) == ["b"]


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"stream": {"BatchSize": 11}}, "BatchSize"),
        ({"filters": ["not an object"]}, "Filter pattern"),
        ({"filters": [{"eventName": "INSERT"}]}, "Filter pattern"),
        ({"template": "<$.dynamodb.*>"}, "does not render"),
        ({"stream": {"DeadLetterConfig": {"Arn": f"arn:aws:sns:us-east-1:{0:012}:topic"}}}, "has no"),
    ],
)
def test_refuses_what_aws_refuses_and_what_it_could_not_do(
    aws: Clients, parameters: dict[str, Any], reason: str
) -> None:
    table, (_, arn) = aws.table(), aws.queue()
    with pytest.raises(ClientError, match=reason) as refusal:
        aws.pipe(aws.stream(table), arn, **parameters)
    assert refusal.value.response["Error"]["Code"] == "ValidationException"


def test_a_starting_position_is_required(aws: Clients) -> None:
    table, (_, arn) = aws.table(), aws.queue()
    with pytest.raises(ClientError, match="StartingPosition"):
        aws.pipes.create_pipe(Name=unique("pipe"), Source=aws.stream(table), Target=arn, RoleArn=ROLE)


def test_a_delivery_of_unknown_outcome_is_made_again(aws: Clients, faults: Faults) -> None:
    table, (url, arn) = aws.table(), aws.queue()
    with faults.injected(Fault(service="pipes", operation="Deliver", kind="after", count=1)):
        aws.put(table, "a", "b")
        aws.pipe(aws.stream(table), arn)
        assert aws.received(url, 4) == ["a", "b", "a", "b"]


def test_a_refused_delivery_is_made_once_it_is_taken(aws: Clients, faults: Faults) -> None:
    table, (url, arn) = aws.table(), aws.queue()
    with faults.injected(Fault(service="pipes", operation="Deliver", contains="a", count=3)):
        aws.put(table, "a")
        aws.pipe(aws.stream(table), arn)
        assert aws.received(url, 1) == ["a"]
    assert [injection.operation for injection in faults.log()] == ["Deliver"] * 3
    assert aws.depth(url) == 0
