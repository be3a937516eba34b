"""What this project relies on in DynamoDB holds on the local AWS too, and on any engine that is named."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.emulator_aws import Clients
from tests.contract.engines import REAL, engine, unique

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.local.emulator import Emulator

UNUSED: Any = None


@pytest.fixture(params=REAL, scope="module")
def aws(request: pytest.FixtureRequest) -> Iterator[Clients]:
    """Clients of which tests use DynamoDB's alone."""
    with engine(request) as opened:
        yield Clients(opened.dynamodb, UNUSED, UNUSED, UNUSED)


UNSEEN = "attribute_not_exists(id)"


def put(table: str, item_id: str, **more: Any) -> Any:
    return {"Put": {"TableName": table, "Item": {"id": {"S": item_id}}, **more}}


def put_once(table: str, item_id: str) -> Any:
    once = {"ConditionExpression": UNSEEN, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    return put(table, item_id, **once)


def add(table: str, item_id: str, points: str) -> Any:
    return {
        "Update": {
            "TableName": table,
            "Key": {"id": {"S": item_id}},
            "UpdateExpression": "ADD points :p",
            "ExpressionAttributeValues": {":p": {"N": points}},
        }
    }


def item(aws: Clients, table: str, item_id: str) -> dict[str, Any]:
    found: dict[str, Any] = aws.dynamodb.get_item(TableName=table, Key={"id": {"S": item_id}}).get("Item", {})
    return found


def test_a_cancelled_transaction_says_which_put_failed_and_applies_nothing(aws: Clients) -> None:
    table = aws.table()
    aws.put(table, "seen", color="red")
    actions = [put_once(table, "new"), put_once(table, "seen"), add(table, "sum", "5")]
    with pytest.raises(aws.dynamodb.exceptions.TransactionCanceledException) as cancelled:
        aws.dynamodb.transact_write_items(TransactItems=actions)
    reasons: Any = cancelled.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", "ConditionalCheckFailed", "None"]
    assert reasons[1]["Item"] == {"id": {"S": "seen"}, "color": {"S": "red"}}
    assert item(aws, table, "new") == item(aws, table, "sum") == {}


def test_a_transaction_holds_a_hundred_actions(aws: Clients) -> None:
    table = aws.table()
    actions = [put_once(table, str(number)) for number in range(101)]
    with pytest.raises(ClientError, match="100"):
        aws.dynamodb.transact_write_items(TransactItems=actions)
    aws.dynamodb.transact_write_items(TransactItems=actions[:100])
    assert aws.dynamodb.scan(TableName=table, Select="COUNT")["Count"] == 100


def test_a_transaction_with_the_same_token_is_applied_once(aws: Clients) -> None:
    table, token = aws.table(), unique("token")
    for _ in range(2):
        aws.dynamodb.transact_write_items(TransactItems=[add(table, "sum", "5")], ClientRequestToken=token)
    assert item(aws, table, "sum")["points"] == {"N": "5"}
    with pytest.raises(aws.dynamodb.exceptions.IdempotentParameterMismatchException):
        aws.dynamodb.transact_write_items(TransactItems=[add(table, "sum", "6")], ClientRequestToken=token)


def test_set_with_a_default_and_add_in_one_update_keep_exact_decimals(aws: Clients) -> None:
    table = aws.table()
    for points in ("12345", "1", "9999"):
        aws.dynamodb.update_item(
            TableName=table,
            Key={"id": {"S": "e"}},
            UpdateExpression="SET score = if_not_exists(score, :f) + :p, board = :b ADD points :p, events :e",
            ExpressionAttributeValues={
                ":f": {"N": "0.123456789012"},
                ":p": {"N": points},
                ":b": {"S": "global#00"},
                ":e": {"N": "1"},
            },
        )
    found = item(aws, table, "e")
    assert found["score"] == {"N": "22345.123456789012"}
    assert (found["points"], found["events"]) == ({"N": "22345"}, {"N": "3"})


def test_add_is_exact_far_beyond_a_float(aws: Clients) -> None:
    table = aws.table()
    parts = [2**60 - 1, 2**60 - 3, 10**37 + 7]
    for part in parts:
        aws.dynamodb.transact_write_items(TransactItems=[add(table, "sum", str(part))])
    assert Decimal(item(aws, table, "sum")["points"]["N"]) == Decimal(sum(parts))


def test_a_refused_put_returns_what_is_there(aws: Clients) -> None:
    table = aws.table()
    aws.put(table, "a", color="red")
    with pytest.raises(aws.dynamodb.exceptions.ConditionalCheckFailedException) as refusal:
        aws.dynamodb.put_item(
            TableName=table,
            Item={"id": {"S": "a"}, "color": {"S": "blue"}},
            ConditionExpression=UNSEEN,
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    response: Any = refusal.value.response
    assert response["Item"] == {"id": {"S": "a"}, "color": {"S": "red"}}
    assert item(aws, table, "a")["color"] == {"S": "red"}


def board(aws: Clients) -> str:
    name = unique("board")
    aws.dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "board", "AttributeType": "S"},
            {"AttributeName": "score", "AttributeType": "N"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_score",
                "KeySchema": [
                    {"AttributeName": "board", "KeyType": "HASH"},
                    {"AttributeName": "score", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["points"]},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def test_an_index_gives_the_highest_numbers_first_with_what_it_projects(aws: Clients) -> None:
    table = board(aws)
    for item_id, score in (("a", "9.5"), ("b", "100.000000000001"), ("c", "100.000000000002"), ("d", "20")):
        texts: Any = {"id": {"S": item_id}, "board": {"S": "global#00"}, "secret": {"S": "x"}}
        aws.dynamodb.put_item(TableName=table, Item={**texts, "score": {"N": score}, "points": {"N": "1"}})
    aws.dynamodb.put_item(TableName=table, Item={"id": {"S": "on-no-board"}, "points": {"N": "1000"}})
    top: Any = {
        "TableName": table,
        "IndexName": "by_score",
        "KeyConditionExpression": "board = :b",
        "ExpressionAttributeValues": {":b": {"S": "global#00"}},
        "ScanIndexForward": False,
        "Limit": 3,
    }
    first = aws.dynamodb.query(**top)
    assert [found["id"]["S"] for found in first["Items"]] == ["c", "b", "d"]
    assert set(first["Items"][0]) == {"id", "board", "score", "points"}
    rest = aws.dynamodb.query(**top, ExclusiveStartKey=first["LastEvaluatedKey"])
    assert [found["id"]["S"] for found in rest["Items"]] == ["a"]


def test_a_time_to_live_attribute_is_accepted(aws: Clients) -> None:
    table = aws.table()
    aws.dynamodb.update_time_to_live(
        TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
    )
    described = aws.dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert described == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}


@pytest.mark.slow
def test_a_stream_has_one_record_per_change_in_order_and_none_for_a_refused_put(emulator: Emulator) -> None:
    aws = Clients.of(emulator)
    table, (url, arn) = aws.table(), aws.queue()
    aws.put(table, "a")
    with pytest.raises(aws.dynamodb.exceptions.ConditionalCheckFailedException):
        aws.dynamodb.put_item(TableName=table, Item={"id": {"S": "a"}}, ConditionExpression=UNSEEN)
    aws.dynamodb.transact_write_items(TransactItems=[put(table, "b"), add(table, "c", "1")])
    aws.put(table, "a", color="red")
    aws.pipe(aws.stream(table), arn, template="<$.eventName> <$.dynamodb.Keys.id.S>")
    assert aws.received(url, 4) == ["INSERT a", "INSERT b", "INSERT c", "MODIFY a"]
