"""What this project relies on when functions run on the local AWS, and the gaps filled there."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.emulator_aws import ask, eventually, texts

if TYPE_CHECKING:
    from migration.local.emulator import Emulator
    from tests.contract.emulator_aws import Clients

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SLEEPS = """
    import time

    def handler(event, context):
        time.sleep(event["s"])
        return "slept"
"""
TELLS_ITS_NAME = """
    import os, pathlib, time

    def handler(event, context):
        pathlib.Path(event["begun"]).touch()
        time.sleep(event["s"])
        return os.environ["NAME"]
"""
KEEPS_BATCHES = """
    import boto3, os

    table = boto3.client("dynamodb")

    def handler(event, context):
        bodies = [record["body"] for record in event["Records"]]
        table.put_item(
            TableName=os.environ["TABLE"],
            Item={"id": {"S": context.aws_request_id}, "bodies": {"SS": bodies}},
        )
        failed = [record["messageId"] for record in event["Records"] if "poison" in record["body"]]
        return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}
"""


def throttles(aws: Clients, function: str, calls: int, **options: str) -> int:
    """Count how many of several calls at the same time are throttled."""
    with ThreadPoolExecutor(calls) as pool:
        answers = pool.map(lambda _: attempt(aws, function, **options), range(calls))
    return list(answers).count("ReservedFunctionConcurrentInvocationLimitExceeded")


def attempt(aws: Clients, function: str, **options: str) -> Any:
    try:
        return aws.invoke(function, {"s": 1}, **options)
    except aws.functions.exceptions.TooManyRequestsException as throttle:
        response: Any = throttle.response
        return response["Reason"]


def batches(aws: Clients, table: str) -> list[list[str]]:
    """List the bodies of each batch that a function kept."""
    return [list(item["bodies"]["SS"]) for item in aws.dynamodb.scan(TableName=table)["Items"]]


def all_batches(aws: Clients, table: str, messages: int) -> list[list[str]]:
    """Wait until a function was given so many messages."""
    eventually(lambda: sum(map(len, batches(aws, table))) == messages)
    return batches(aws, table)


def map_queue(aws: Clients, function: str, arn: str, **settings: Any) -> str:
    mapping = aws.functions.create_event_source_mapping(FunctionName=function, EventSourceArn=arn, **settings)
    return mapping["UUID"]


@pytest.mark.parametrize("qualifier", [None, "alias", "version"])
def test_reserved_concurrency_holds_however_the_function_is_named(
    aws: Clients, qualifier: str | None
) -> None:
    function = aws.function(SLEEPS, Timeout=10)
    version = aws.functions.publish_version(FunctionName=function)["Version"]
    aws.functions.create_alias(FunctionName=function, Name="live", FunctionVersion=version)
    aws.functions.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=2)
    options = {None: {}, "alias": {"Qualifier": "live"}, "version": {"Qualifier": version}}[qualifier]
    assert throttles(aws, function, 4, **options) == 2


def test_no_reserved_concurrency_stops_a_function_behind_an_alias(aws: Clients) -> None:
    function = aws.function(SLEEPS)
    version = aws.functions.publish_version(FunctionName=function)["Version"]
    aws.functions.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    assert throttles(aws, function, 1, Qualifier=version) == 1


def test_a_mapping_gives_as_many_messages_as_it_was_told(aws: Clients) -> None:
    table, (url, arn) = aws.table(), aws.queue()
    function = aws.function(KEEPS_BATCHES, Environment={"Variables": {"TABLE": table}}, Timeout=10)
    mapping = map_queue(aws, function, arn, BatchSize=100, MaximumBatchingWindowInSeconds=1, Enabled=False)
    for start in range(0, 120, 10):
        entries: Any = [{"Id": one, "MessageBody": one} for one in texts("m", range(start, start + 10))]
        aws.sqs.send_message_batch(QueueUrl=url, Entries=entries)
    aws.functions.update_event_source_mapping(UUID=mapping, Enabled=True)
    found = all_batches(aws, table, 120)
    assert sorted(map(len, found)) == [20, 100]
    assert sorted(body for batch in found for body in batch) == sorted(texts("m", range(120)))


def test_a_batch_never_outgrows_an_invocation(aws: Clients) -> None:
    url, arn = aws.queue()
    table = aws.table()
    source = KEEPS_BATCHES.replace('record["body"] for', 'record["body"][:4] + record["messageId"] for')
    function = aws.function(source, Environment={"Variables": {"TABLE": table}}, Timeout=10)
    mapping = map_queue(aws, function, arn, BatchSize=100, MaximumBatchingWindowInSeconds=1, Enabled=False)
    for _ in range(8):
        aws.sqs.send_message(QueueUrl=url, MessageBody="x" * 1_000_000)
    aws.functions.update_event_source_mapping(UUID=mapping, Enabled=True)
    found = all_batches(aws, table, 8)
    assert max(map(len, found)) == 6


def test_only_the_messages_reported_as_failed_come_again_and_then_are_dead_letters(aws: Clients) -> None:
    table, (url, dead_url, _) = aws.table(), aws.redriven_queue(receives=2, VisibilityTimeout="2")
    arn = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    function = aws.function(KEEPS_BATCHES, Environment={"Variables": {"TABLE": table}}, Timeout=2)
    # A cold start could outlast the visibility timeout, and then everything comes again.
    aws.invoke(function, {"Records": [{"body": "warm", "messageId": "0"}]})
    entries: Any = [{"Id": one, "MessageBody": one} for one in ("a", "poison", "b")]
    aws.sqs.send_message_batch(QueueUrl=url, Entries=entries)
    map_queue(aws, function, arn, BatchSize=10, FunctionResponseTypes=["ReportBatchItemFailures"])
    assert aws.received(dead_url, 1) == ["poison"]
    assert aws.depth(url) == 0
    given = sorted(body for batch in batches(aws, table) for body in batch)
    assert given == ["a", "b", "poison", "poison", "warm"]


def test_a_mapping_filters_what_a_stream_holds(aws: Clients) -> None:
    source, target = aws.table(), aws.table()
    function = aws.function(
        """
        import boto3, os

        table = boto3.client("dynamodb")

        def handler(event, context):
            for record in event["Records"]:
                table.put_item(TableName=os.environ["TABLE"], Item=record["dynamodb"]["NewImage"])
        """,
        Environment={"Variables": {"TABLE": target}},
    )
    pattern = json.dumps({"eventName": ["INSERT"], "dynamodb": {"NewImage": {"side": {"S": ["pipeline"]}}}})
    map_queue(
        aws,
        function,
        aws.stream(source),
        StartingPosition="TRIM_HORIZON",
        FilterCriteria={"Filters": [{"Pattern": pattern}]},
    )
    aws.put(source, "a", side="legacy")
    aws.put(source, "b", side="pipeline")
    aws.put(source, "b", side="pipeline", changed="yes")
    aws.put(source, "c", side="pipeline")
    eventually(lambda: aws.dynamodb.get_item(TableName=target, Key={"id": {"S": "c"}}).get("Item"))
    items = aws.dynamodb.scan(TableName=target)["Items"]
    assert sorted(item["id"]["S"] for item in items) == ["b", "c"]
    assert not any("changed" in item for item in items)


def test_a_function_url_answers_under_the_endpoint(aws: Clients, emulator: Emulator) -> None:
    function = aws.function(
        """
        import json

        def handler(event, context):
            http = event["requestContext"]["http"]
            said = [http["method"], event["rawPath"], event["rawQueryString"], event.get("body")]
            return {"statusCode": 202, "body": json.dumps(said)}
        """
    )
    url = aws.functions.create_function_url_config(FunctionName=function, AuthType="NONE")["FunctionUrl"]
    here = emulator.local_url(url)
    assert here.startswith(emulator.endpoint)
    status, body = ask(f"{here}activities?a=b", "POST", '{"points":1}')
    assert (status, json.loads(body)) == (202, ["POST", "/activities", "a=b", '{"points":1}'])


def test_a_handler_finds_its_zip_and_the_runtime_but_not_this_repository(aws: Clients) -> None:
    function = aws.function(
        """
        import importlib.util

        def handler(event, context):
            return {name: importlib.util.find_spec(name) is not None for name in event}
        """,
        # As an editable install would, put the repository on the path of every interpreter.
        Environment={"Variables": {"PYTHONPATH": f"{ROOT}:{ROOT / 'pulumi'}"}},
    )
    names = ["boto3", "code", "pipeline", "legacy", "migration", "cutover_infra"]
    found = aws.invoke(function, names)
    assert [name for name in names if found[name]] == ["boto3", "code"]


def test_a_handler_sees_nothing_of_the_environment_that_started_the_local_aws(aws: Clients) -> None:
    function = aws.function("import os\ndef handler(event, context):\n    return dict(os.environ)")
    seen = aws.invoke(function)
    assert seen["AWS_REGION"] == "us-east-1"
    assert seen["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert seen["AWS_LAMBDA_FUNCTION_NAME"] == function
    assert not {"PYTEST_CURRENT_TEST", "PYTHONPATH", "POWERTOOLS_SERVICE_NAME"} & set(seen)


def test_each_invocation_is_logged_with_what_it_printed(aws: Clients) -> None:
    function = aws.function("def handler(event, context):\n    print('\\n'.join(event), end='')")
    logs = []
    for lines in (["one"], ["two", "three"], [], ["four"]):
        answer = aws.functions.invoke(FunctionName=function, Payload=json.dumps(lines), LogType="Tail")
        logs.append(base64.b64decode(answer.get("LogResult", "")).decode())
    assert logs == ["one", "two\nthree", "", "four"]


def test_a_handler_that_fails_is_logged_and_the_next_call_is_served(aws: Clients) -> None:
    function = aws.function("def handler(event, context):\n    print('before')\n    return 1 // event")
    failed = aws.functions.invoke(FunctionName=function, Payload="0", LogType="Tail")
    assert failed["FunctionError"] == "Unhandled"
    log = base64.b64decode(failed["LogResult"]).decode()
    assert "before" in log
    assert "ZeroDivisionError" in log
    assert aws.invoke(function, 1) == 1


def test_a_request_under_way_finishes_when_its_function_is_updated(aws: Clients, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    function = aws.function(TELLS_ITS_NAME, Timeout=10, Environment={"Variables": {"NAME": "old"}})
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(aws.invoke, function, {"s": 2, "begun": str(begun)})
        eventually(begun.exists)
        aws.functions.update_function_configuration(
            FunctionName=function, Environment={"Variables": {"NAME": "new"}}
        )
        assert aws.invoke(function, {"s": 0, "begun": str(begun)}) == "new"
        assert under_way.result() == "old"
