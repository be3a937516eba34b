"""Rules of DynamoDB that this project meets: the local AWS and any other engine refuse what AWS refuses.

What a rule says is from AWS's documentation of `UpdateExpression`, `FilterExpression` and transactions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from migration.local.emulator.gaps.update_clauses import said_twice
from tests.contract.engines import REAL, engine, unique

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

OVERLAP = "Two document paths overlap"
ONCE = 'The "SET" section can only be used once in an update expression;'


@pytest.fixture(params=REAL, scope="module")
def dynamodb(request: pytest.FixtureRequest) -> Iterator[DynamoDBClient]:
    with engine(request) as opened:
        yield opened.dynamodb


@pytest.fixture(scope="module")
def table(dynamodb: DynamoDBClient) -> str:
    name = unique("rules")
    keys = {"board": "HASH", "rank": "RANGE"}
    others = {"owner": "HASH", "score": "RANGE"}
    schemas: list[Any] = [
        [{"AttributeName": key, "KeyType": kind} for key, kind in one.items()] for one in (keys, others)
    ]
    dynamodb.create_table(
        TableName=name,
        KeySchema=schemas[0],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys | others],
        GlobalSecondaryIndexes=[
            {"IndexName": "by_owner", "KeySchema": schemas[1], "Projection": {"ProjectionType": "ALL"}}
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def unchecked(client: DynamoDBClient) -> DynamoDBClient:
    """The same DynamoDB, asked for what botocore would refuse by itself."""
    config = Config(parameter_validation=False)
    meta = client.meta
    return boto3.client(
        "dynamodb", endpoint_url=meta.endpoint_url, region_name=meta.region_name, config=config
    )


def key(rank: str) -> Any:
    return {"board": {"S": "global"}, "rank": {"S": rank}}


def values(expression: str, number: str = "1") -> Any:
    return {name: {"N": number} for name in (":x", ":y") if name in expression}


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("SET a = :x ADD a :y", OVERLAP),
        ("ADD a :x SET a = :y", OVERLAP),
        ("SET a = :x REMOVE a", OVERLAP),
        ("SET a = :x, a = :y", OVERLAP),
        ("SET #a = :x ADD a :y", OVERLAP),
        ("SET a.b = :x REMOVE a", OVERLAP),
        ("SET a[1] = :x, a = :y", OVERLAP),
        ("SET a = :x SET b = :y", ONCE),
        ("set a = :x SET b = :y", ONCE),
        ("ADD a :x ADD b :y", ONCE.replace("SET", "ADD")),
    ],
)
def test_an_update_that_says_something_twice_is_refused(
    dynamodb: DynamoDBClient, table: str, expression: str, why: str
) -> None:
    names: Any = {"ExpressionAttributeNames": {"#a": "a"}} if "#a" in expression else {}
    update: Any = {
        "TableName": table,
        "Key": key("twice"),
        "UpdateExpression": expression,
        "ExpressionAttributeValues": values(expression),
        **names,
    }
    for ask in (
        lambda: dynamodb.update_item(**update),
        lambda: dynamodb.transact_write_items(TransactItems=[{"Update": update}]),
    ):
        with pytest.raises(ClientError, match=why) as refusal:
            ask()
        assert refusal.value.response["Error"]["Code"] == "ValidationException"
    assert "Item" not in dynamodb.get_item(TableName=table, Key=key("twice"), ConsistentRead=True)


def test_an_update_may_read_what_it_changes_and_change_what_lies_beside(
    dynamodb: DynamoDBClient, table: str
) -> None:
    expression = "SET a = if_not_exists(a, :x), ab = :y, c = :y REMOVE d ADD e :x"
    dynamodb.update_item(
        TableName=table,
        Key=key("once"),
        UpdateExpression=expression,
        ExpressionAttributeValues=values(expression),
    )
    found = dynamodb.get_item(TableName=table, Key=key("once"), ConsistentRead=True)["Item"]
    assert set(found) == {"board", "rank", "a", "ab", "c", "e"}


def test_what_overlaps_is_named() -> None:
    assert said_twice("SET a.b[0] = :x ADD a :y", {}) == (
        "Two document paths overlap with each other; must remove or rewrite one of these paths; "
        "path one: [a, b, [0]], path two: [a]"
    )
    assert said_twice("SET a = b + :x, b = a", {}) is None
    assert said_twice("SET a[0] = :x, a[1] = :y", {}) is None


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("#r = :f", "rank"),
        ("board = :f", "board"),
        ("points > :p AND contains(#r, :f)", "rank"),
        ("owner = :f", None),
        ("details.board = :f", None),
    ],
)
def test_a_query_is_not_filtered_by_its_keys(
    dynamodb: DynamoDBClient, table: str, condition: str, kept: str | None
) -> None:
    query: Any = {
        "TableName": table,
        "KeyConditionExpression": "#b = :b",
        "FilterExpression": condition.replace("owner", "#o").replace("board", "#b"),
        "ExpressionAttributeNames": {"#b": "board"}
        | ({"#r": "rank"} if "#r" in condition else {})
        | ({"#o": "owner"} if "owner" in condition else {}),
        "ExpressionAttributeValues": {":b": {"S": "global"}, ":f": {"S": "x"}}
        | ({":p": {"N": "1"}} if ":p" in condition else {}),
    }
    if kept is None:
        assert dynamodb.query(**query)["Items"] == []
        return
    rule = f"Filter Expression can only contain non-primary key attributes: Primary key attribute: {kept}"
    with pytest.raises(ClientError, match=rule) as refusal:
        dynamodb.query(**query)
    assert refusal.value.response["Error"]["Code"] == "ValidationException"


def test_an_indexs_query_is_filtered_by_the_tables_keys_and_not_by_its_own(
    dynamodb: DynamoDBClient, table: str
) -> None:
    query: Any = {
        "TableName": table,
        "IndexName": "by_owner",
        "KeyConditionExpression": "#o = :o",
        "ExpressionAttributeNames": {"#o": "owner", "#f": "rank"},
        "ExpressionAttributeValues": {":o": {"S": "ada"}, ":f": {"S": "x"}},
        "FilterExpression": "#f = :f",
    }
    assert dynamodb.query(**query)["Items"] == []
    with pytest.raises(ClientError, match="Primary key attribute: score"):
        dynamodb.query(**query | {"ExpressionAttributeNames": {"#o": "owner", "#f": "score"}})


def test_a_transaction_is_not_empty_and_its_token_counts(dynamodb: DynamoDBClient, table: str) -> None:
    with pytest.raises(ClientError, match="length greater than or equal to 1"):
        unchecked(dynamodb).transact_write_items(TransactItems=[])
    add: Any = {
        "Update": {
            "TableName": table,
            "Key": key("token"),
            "UpdateExpression": "ADD a :x",
            "ExpressionAttributeValues": values(":x"),
        }
    }
    for _ in range(2):
        dynamodb.transact_write_items(TransactItems=[add], ClientRequestToken=table)
    found = dynamodb.get_item(TableName=table, Key=key("token"), ConsistentRead=True)["Item"]
    assert found["a"] == {"N": "1"}


@pytest.mark.parametrize(
    ("item", "why"),
    [
        ({"score": {"N": "1"}}, "Type mismatch for Index Key score"),
        ({"points": {"N": "1" * 39}}, "more than 38 significant digits"),
    ],
)
def test_what_no_table_takes_is_refused(
    dynamodb: DynamoDBClient, table: str, item: dict[str, Any], why: str
) -> None:
    with pytest.raises(ClientError, match=why) as refusal:
        dynamodb.put_item(TableName=table, Item={**key("odd"), **item})
    assert refusal.value.response["Error"]["Code"] == "ValidationException"
