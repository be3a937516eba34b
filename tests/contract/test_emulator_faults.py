"""Injected faults reach whoever calls the local AWS, as AWS's own failures would."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from pydantic import ValidationError

from migration.local.emulator import Fault, Faults
from tests.contract.emulator_aws import ask, eventually

if TYPE_CHECKING:
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
