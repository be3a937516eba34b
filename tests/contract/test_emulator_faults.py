"""Injected faults reach whoever calls the local AWS, as AWS's own failures would."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from pydantic import ValidationError

from migration.local.emulator import Fault, Faults
from tests.contract.emulator_aws import ask, eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migration.local.emulator import Emulator
    from tests.contract.emulator_aws import Clients

pytestmark = pytest.mark.slow


def ids(aws: Clients, table: str) -> set[str]:
    return {item["id"]["S"] for item in aws.dynamodb.scan(TableName=table)["Items"]}


def test_an_error_reaches_the_caller_and_nothing_is_applied(aws: Clients, faults: Faults) -> None:
    table = aws.table()
    throttle = Fault(
        service="dynamodb",
        operation="PutItem",
        code="ProvisionedThroughputExceededException",
        message="slow down",
        status=400,
        count=1,
    )
    with (
        faults.injected(throttle),
        pytest.raises(aws.dynamodb.exceptions.ProvisionedThroughputExceededException, match="slow down"),
    ):
        aws.put(table, "a")
    assert ids(aws, table) == set()


def test_a_cancelled_transaction_carries_its_reasons(aws: Clients, faults: Faults) -> None:
    table = aws.table()
    reasons: list[Any] = [{"Code": "TransactionConflict", "Message": "conflict"}, {"Code": "None"}]
    conflict = Fault(
        service="dynamodb",
        operation="TransactWriteItems",
        code="TransactionCanceledException",
        status=400,
        extra={"CancellationReasons": reasons},
        count=1,
    )
    put: Any = {"Put": {"TableName": table, "Item": {"id": {"S": "a"}}}}
    with faults.injected(conflict):
        with pytest.raises(aws.dynamodb.exceptions.TransactionCanceledException) as cancelled:
            aws.dynamodb.transact_write_items(TransactItems=[put])
        assert cancelled.value.response["CancellationReasons"] == reasons
        aws.dynamodb.transact_write_items(TransactItems=[put])
    assert ids(aws, table) == {"a"}


@pytest.mark.parametrize("service", ["sqs", "sts", "lambda", "pipes"])
def test_an_error_is_written_in_the_protocol_of_its_service(
    emulator: Emulator, faults: Faults, service: str
) -> None:
    calls = {
        "sqs": "list_queues",
        "sts": "get_caller_identity",
        "lambda": "list_functions",
        "pipes": "list_pipes",
    }
    session: Any = boto3.Session()
    client = session.client(
        service, **emulator.client_arguments, config=Config(retries={"total_max_attempts": 1})
    )
    throttle = Fault(service=service, code="Throttled", message="too <many>", status=429)
    with faults.injected(throttle), pytest.raises(ClientError, match="too <many>") as refusal:
        getattr(client, calls[service])()
    assert refusal.value.response["Error"]["Code"] == "Throttled"
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429


def test_latency_delays_a_call_that_is_then_applied(aws: Clients, emulator: Emulator, faults: Faults) -> None:
    table = aws.table()
    session: Any = boto3.Session()
    hasty = session.client(
        "dynamodb",
        **emulator.client_arguments,
        config=Config(read_timeout=0.3, retries={"total_max_attempts": 1}),
    )
    with faults.injected(Fault(service="dynamodb", operation="PutItem", kind="latency", latency_ms=900)):
        with pytest.raises(ReadTimeoutError):
            hasty.put_item(TableName=table, Item={"id": {"S": "late"}})
        assert ids(aws, table) == set()
        eventually(lambda: ids(aws, table) == {"late"})


def test_a_dropped_call_closes_the_connection_unapplied(aws: Clients, faults: Faults) -> None:
    table = aws.table()
    with faults.injected(Fault(service="dynamodb", operation="PutItem", kind="drop", count=1)):
        with pytest.raises(ConnectionClosedError):
            aws.put(table, "a")
        aws.put(table, "b")
    assert ids(aws, table) == {"b"}


def test_an_ambiguous_write_is_applied_and_reported_as_failed(aws: Clients, faults: Faults) -> None:
    table = aws.table()
    ambiguity = Fault(service="dynamodb", operation="PutItem", kind="after", count=1)
    with faults.injected(ambiguity), pytest.raises(ClientError) as failure:
        aws.put(table, "a")
    assert failure.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert ids(aws, table) == {"a"}


def test_a_client_that_retries_gets_over_an_ambiguous_write(
    aws: Clients, emulator: Emulator, faults: Faults
) -> None:
    table = aws.table()
    session: Any = boto3.Session()
    patient = session.client("dynamodb", **emulator.client_arguments)
    with faults.injected(Fault(service="dynamodb", operation="PutItem", kind="after", count=1)):
        patient.put_item(TableName=table, Item={"id": {"S": "a"}})
    assert [injection.kind for injection in faults.log()] == ["after"]
    assert ids(aws, table) == {"a"}


def test_a_fault_meets_the_calls_that_handlers_make(aws: Clients, faults: Faults) -> None:
    table = aws.table()
    function = aws.function(
        """
        import boto3, os
        from botocore.config import Config
        from botocore.exceptions import ClientError

        table = boto3.client("dynamodb", config=Config(retries={"total_max_attempts": 1}))

        def handler(event, context):
            try:
                table.put_item(TableName=os.environ["TABLE"], Item={"id": {"S": event}})
            except ClientError as error:
                return error.response["Error"]["Code"]
            return "stored"
        """,
        Environment={"Variables": {"TABLE": table}},
        Timeout=10,
    )
    fault = Fault(
        service="dynamodb", operation="PutItem", contains=table, code="InternalServerError", count=1
    )
    with faults.injected(fault):
        assert aws.invoke(function, "a") == "InternalServerError"
        assert aws.invoke(function, "b") == "stored"


def test_a_fault_meets_the_clients_of_a_function_url(
    aws: Clients, emulator: Emulator, faults: Faults
) -> None:
    function = aws.function("def handler(event, context):\n    return {'statusCode': 202, 'body': 'ok'}")
    url = aws.functions.create_function_url_config(FunctionName=function, AuthType="NONE")["FunctionUrl"]
    here = emulator.local_url(url) + "activities"
    with faults.injected(Fault(service="lambda-url", operation="POST /activities", status=503, count=1)):
        assert [ask(here, method)[0] for method in ("GET", "POST", "POST")] == [202, 503, 202]
    with (
        faults.injected(Fault(service="lambda-url", kind="drop")),
        pytest.raises(http.client.RemoteDisconnected),
    ):
        ask(here)


def test_only_calls_that_hold_the_text_are_met(aws: Clients, faults: Faults) -> None:
    met, spared = aws.table(), aws.table()
    with faults.injected(Fault(service="dynamodb", operation="PutItem", contains=f'"{met}"')):
        aws.put(spared, "a")
        with pytest.raises(ClientError):
            aws.put(met, "a")


def test_a_share_of_the_calls_is_drawn_from_the_seed(aws: Clients, faults: Faults) -> None:
    table = aws.table()

    def outcomes(seed: int) -> list[bool]:
        failed = []
        with faults.injected(Fault(service="dynamodb", operation="PutItem", probability=0.5, seed=seed)):
            for number in range(40):
                try:
                    aws.put(table, str(number))
                    failed.append(False)
                except ClientError:
                    failed.append(True)
        return failed

    first = outcomes(1)
    assert 8 < first.count(True) < 32
    assert outcomes(1) == first
    assert outcomes(2) != first


def test_every_injection_is_logged_until_the_log_is_cleared(aws: Clients, faults: Faults) -> None:
    table = aws.table()
    fault_id = faults.inject(
        Fault(service="dynamodb", operation="PutItem", kind="latency", latency_ms=1, count=2)
    )
    aws.put(table, "a", "b", "c")
    log = faults.log()
    assert [(entry.fault, entry.kind, entry.service, entry.operation) for entry in log] == [
        (fault_id, "latency", "dynamodb", "PutItem")
    ] * 2
    assert [json.loads(entry.body)["Item"]["id"]["S"] for entry in log] == ["a", "b"]
    assert log[0].at.endswith("Z")
    faults.withdraw(fault_id)
    assert faults.log() == log
    faults.clear()
    assert faults.log() == []


def test_a_wrong_fault_is_refused_on_both_sides(emulator: Emulator) -> None:
    with pytest.raises(ValidationError, match="latency needs latency_ms"):
        Fault(service="sqs", kind="latency")
    wrong = json.dumps({"service": "sqs", "kind": "explode"})
    status, answer = ask(emulator.endpoint + "/_cutover/faults", "POST", wrong)
    assert status == 400
    assert "kind" in json.loads(answer)["error"]


def test_other_calls_of_a_service_keep_their_bodies_and_answers(aws: Clients, faults: Faults) -> None:
    url, _ = aws.queue()
    body = "x" * 200_000
    with faults.injected(Fault(service="sqs", operation="DeleteQueue")):
        aws.sqs.send_message(QueueUrl=url, MessageBody=body)
        assert aws.received(url, 1) == [body]
    assert faults.log() == []


CONTENTION = Fault(service="dynamodb", kind="hold", latency_ms=60)


def add(table: str, item_id: str) -> Any:
    return {
        "TableName": table,
        "Key": {"id": {"S": item_id}},
        "UpdateExpression": "ADD points :p",
        "ExpressionAttributeValues": {":p": {"N": "1"}},
    }


@contextmanager
def transactions(aws: Clients, *actions: Any) -> Iterator[list[str]]:
    """Repeat a transaction beside the block; lists how each ended."""
    ended: list[str] = []
    stop = threading.Event()

    def repeat() -> None:
        while not stop.is_set():
            try:
                aws.dynamodb.transact_write_items(TransactItems=list(actions))
                ended.append("applied")
            except ClientError as error:
                ended.append(error.response["Error"]["Code"])

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield ended
    finally:
        stop.set()
        thread.join()


def refused_once(write: Callable[[], object]) -> dict[str, Any]:
    """Repeat a write until it is refused, and return what was said."""

    def said() -> dict[str, Any] | None:
        try:
            write()
        except ClientError as error:
            answer: Any = error.response
            return answer  # type: ignore[no-any-return] # botocore's own dictionary
        return None

    return eventually(said)


def test_a_transaction_that_takes_its_time_refuses_plain_writes_to_its_items(
    aws: Clients, faults: Faults
) -> None:
    table = aws.table()
    held: Any = {"id": {"S": "held"}}
    writes: dict[str, Callable[[], object]] = {
        "UpdateItem": lambda: aws.dynamodb.update_item(**add(table, "held")),
        "PutItem": lambda: aws.dynamodb.put_item(TableName=table, Item={**held, "points": {"N": "0"}}),
        "DeleteItem": lambda: aws.dynamodb.delete_item(TableName=table, Key=held),
    }
    with faults.injected(CONTENTION), transactions(aws, {"Update": add(table, "held")}):
        for name, write in writes.items():
            said = refused_once(write)
            assert said["Error"]["Code"] == "TransactionConflictException", name
            assert said["Error"]["Message"] == "Transaction is ongoing for the item"
        aws.put(table, "free")
        aws.dynamodb.get_item(TableName=table, Key=held)
    refused = {one.operation for one in faults.log() if one.kind == "error"}
    assert refused == set(writes)


def test_what_a_held_item_refused_was_not_applied_and_all_else_was(aws: Clients, faults: Faults) -> None:
    table = aws.table()
    outcomes: list[bool] = []

    def both_seen() -> bool:
        try:
            aws.dynamodb.update_item(**add(table, "sum"))
            outcomes.append(True)
        except aws.dynamodb.exceptions.TransactionConflictException:
            outcomes.append(False)
        return len(set(outcomes)) > 1

    often = Fault(service="dynamodb", kind="hold", latency_ms=10)
    with faults.injected(often), transactions(aws, {"Update": add(table, "sum")}) as ended:
        eventually(both_seen)
    [item] = aws.dynamodb.scan(TableName=table)["Items"]
    assert int(item["points"]["N"]) == outcomes.count(True) + ended.count("applied")


def test_a_transaction_that_meets_another_is_cancelled_and_told_for_which_item(
    aws: Clients, faults: Faults
) -> None:
    table = aws.table()
    with faults.injected(CONTENTION), transactions(aws, {"Update": add(table, "held")}):
        put: Any = {"Put": {"TableName": table, "Item": {"id": {"S": "free"}}}}
        check: Any = {
            "ConditionCheck": {
                "TableName": table,
                "Key": {"id": {"S": "held"}},
                "ConditionExpression": "attribute_exists(id) OR attribute_not_exists(id)",
            }
        }
        said = refused_once(lambda: aws.dynamodb.transact_write_items(TransactItems=[put, check]))
        assert said["Error"]["Code"] == "TransactionCanceledException"
        assert [reason["Code"] for reason in said["CancellationReasons"]] == ["None", "TransactionConflict"]
        get: Any = {"Get": {"TableName": table, "Key": {"id": {"S": "held"}}}}
        said = refused_once(lambda: aws.dynamodb.transact_get_items(TransactItems=[get]))
        assert [reason["Code"] for reason in said["CancellationReasons"]] == ["TransactionConflict"]


def test_a_held_item_is_free_again_when_its_transaction_has_ended_or_failed(
    aws: Clients, faults: Faults
) -> None:
    table = aws.table()
    impossible: Any = {**add(table, "a"), "ConditionExpression": "attribute_exists(id)"}
    with faults.injected(Fault(service="dynamodb", kind="hold", latency_ms=1)):
        with pytest.raises(aws.dynamodb.exceptions.TransactionCanceledException):
            aws.dynamodb.transact_write_items(TransactItems=[{"Update": impossible}])
        aws.dynamodb.update_item(**add(table, "a"))
        aws.dynamodb.transact_write_items(TransactItems=[{"Update": add(table, "a")}])
        aws.dynamodb.update_item(**add(table, "a"))
    assert ids(aws, table) == {"a"}


@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "ThrottlingException"])
def test_a_table_throttles_a_share_of_its_writes_and_no_other_table(
    aws: Clients, faults: Faults, code: str
) -> None:
    busy, idle = aws.table(), aws.table()
    throttle = Fault(service="dynamodb", contains=f'"{busy}"', code=code, status=400, probability=0.5, seed=3)
    codes = []
    with faults.injected(throttle):
        for number in range(20):
            aws.put(idle, str(number))
            try:
                aws.put(busy, str(number))
            except ClientError as error:
                codes.append(error.response["Error"]["Code"])
    assert set(codes) == {code}
    assert len(ids(aws, busy)) == 20 - len(codes) > 0
    assert len(ids(aws, idle)) == 20


def test_an_answer_that_drips_comes_whole_to_who_waits_and_is_applied_anyway(
    aws: Clients, faults: Faults
) -> None:
    table = aws.table()
    with faults.injected(Fault(service="dynamodb", operation="PutItem", kind="drip", latency_ms=1)):
        aws.put(table, "a")
        aws.put(table, "b")
    assert ids(aws, table) == {"a", "b"}


def test_an_answer_drips_from_its_first_header_on(aws: Clients, emulator: Emulator, faults: Faults) -> None:
    """Each read of it gets something, so a time limit for each read is never met."""
    parts = urlsplit(emulator.endpoint)
    body = json.dumps({"TableName": aws.table(), "Key": {"id": {"S": "a"}}})
    head = "".join(f"{name}: {text}\r\n" for name, text in asking("GetItem").items())
    request = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{head}\r\n{body}"
    with (
        faults.injected(Fault(service="dynamodb", operation="GetItem", kind="drip", latency_ms=1)),
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20) as connection,
    ):
        connection.sendall(request.encode())
        pieces = list(iter(lambda: connection.recv(65536), b""))
    assert b"\r\n\r\n" not in pieces[0]
    assert len(pieces) > 20
    assert b"".join(pieces).endswith(b"\r\n\r\n{}")


@pytest.mark.parametrize("body", ["[]", '"busy"', "null", "no JSON", ""])
@pytest.mark.parametrize("status", [200, 503])
def test_any_answer_can_stand_in_for_the_right_one_and_nothing_is_applied(
    aws: Clients, faults: Faults, emulator: Emulator, body: str, status: int
) -> None:
    table = aws.table()
    odd = Fault(service="dynamodb", operation="PutItem", kind="answer", status=status, body=body)
    request = json.dumps({"TableName": table, "Item": {"id": {"S": "a"}}})
    with faults.injected(odd):
        assert ask_dynamodb(emulator, "PutItem", request) == (status, body)
    assert ids(aws, table) == set()


def asking(operation: str) -> dict[str, str]:
    scope = "AWS4-HMAC-SHA256 Credential=test/20260301/us-east-1/dynamodb/aws4_request"
    return {"X-Amz-Target": f"DynamoDB_20120810.{operation}", "Authorization": scope}


def ask_dynamodb(emulator: Emulator, operation: str, body: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(emulator.endpoint.removeprefix("http://"), timeout=20)
    connection.request("POST", "/", body, asking(operation))
    answer = connection.getresponse()
    status, text = answer.status, answer.read().decode()
    connection.close()
    return status, text


def test_a_function_can_answer_what_is_no_answer(aws: Clients, faults: Faults) -> None:
    function = aws.function("def handler(event, context):\n    return {'statusCode': 202}")
    odd = Fault(service="lambda", operation="POST *invocations", kind="answer", status=200, body="[]")
    with faults.injected(odd):
        assert aws.invoke(function) == []
    assert aws.invoke(function) == {"statusCode": 202}


def by_board(aws: Clients) -> str:
    table = aws.table()
    aws.dynamodb.update_table(
        TableName=table,
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "board", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexUpdates=[
            {
                "Create": {
                    "IndexName": "by_board",
                    "KeySchema": [{"AttributeName": "board", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            }
        ],
    )
    return table


def test_a_read_that_need_not_be_consistent_tells_what_was_there_before(aws: Clients, faults: Faults) -> None:
    table = by_board(aws)
    read: Any = {"TableName": table, "Key": {"id": {"S": "a"}}}
    query: Any = {
        "TableName": table,
        "IndexName": "by_board",
        "KeyConditionExpression": "board = :b",
        "ExpressionAttributeValues": {":b": {"S": "new"}},
    }
    with faults.injected(Fault(service="dynamodb", kind="lag", latency_ms=60_000)):
        aws.put(table, "a", board="old")
        assert "Item" not in aws.dynamodb.get_item(**read)
        aws.put(table, "a", board="new")
        aws.dynamodb.delete_item(TableName=table, Key={"id": {"S": "gone"}})
        assert aws.dynamodb.get_item(**read, ConsistentRead=True)["Item"]["board"] == {"S": "new"}
        assert aws.dynamodb.query(**query)["Items"] == []
        assert aws.dynamodb.scan(TableName=table)["Items"] == []
        assert len(aws.dynamodb.scan(TableName=table, ConsistentRead=True)["Items"]) == 1
    assert aws.dynamodb.get_item(**read)["Item"]["board"] == {"S": "new"}
    assert len(aws.dynamodb.query(**query)["Items"]) == 1


def test_a_read_lags_no_longer_than_it_is_told(aws: Clients, faults: Faults) -> None:
    table = aws.table()
    with faults.injected(Fault(service="dynamodb", kind="lag", latency_ms=200)):
        aws.put(table, "a")
        eventually(lambda: ids(aws, table) == {"a"})


def test_an_item_vanishes_before_it_is_read_and_its_stream_tells(aws: Clients, faults: Faults) -> None:
    table, (url, arn) = aws.table(stream="NEW_AND_OLD_IMAGES"), aws.queue()
    aws.put(table, "control", "other")
    aws.pipe(aws.stream(table), arn, template="<$.eventName> <$.dynamodb.Keys.id.S>")
    key: Any = {"id": {"S": "control"}}
    with faults.injected(Fault(service="dynamodb", operation="GetItem", kind="vanish", count=1)):
        assert "Item" not in aws.dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)
    assert ids(aws, table) == {"other"}
    assert aws.received(url, 3)[-1] == "REMOVE control"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"service": "dynamodb", "kind": "hold"}, "hold needs latency_ms"),
        ({"service": "sqs", "kind": "vanish"}, "vanish is of service dynamodb only"),
        ({"service": "sqs", "status": 600}, "less than or equal to 599"),
    ],
)
def test_a_fault_says_what_it_lacks(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Fault(**fields)
