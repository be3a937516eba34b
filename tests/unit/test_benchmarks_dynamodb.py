"""The benchmarks' stand-in: held to moto by running both sides on both, its prices to the published rules."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.client import BaseClient
from moto import mock_aws

from benchmarks.capacity import index_write_units, item_size, read_units, write_units
from benchmarks.expressions import Scope, holds, updated
from benchmarks.stand_in import StandIn, stand_in
from benchmarks.systems import Pipeline, legacy_ingests, messages
from benchmarks.tables import SCHEMAS
from benchmarks.workload import activities

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.slow  # a server in a process of its own

SENT = activities(20, seed=3)
CLOCKED = ("received_at",)
Items = dict[tuple[str, ...], dict[str, Any]]


@pytest.fixture
def moto() -> Iterator[str]:
    with mock_aws():
        _create_tables(boto3.client("dynamodb"))
        yield "https://dynamodb.us-east-1.amazonaws.com"


@pytest.fixture
def own() -> Iterator[str]:
    with stand_in(0, seed=0) as url:
        yield url


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count what any client asks."""
    made: Counter[str] = Counter()
    call = BaseClient._make_api_call  # type: ignore[attr-defined] # the stubs leave it out

    def counted(client: BaseClient, operation: str, request: Any) -> Any:
        made[operation] += 1
        return call(client, operation, request)

    monkeypatch.setattr(BaseClient, "_make_api_call", counted)
    return made


def test_legacy_makes_the_same_calls_and_leaves_the_same_items_as_on_moto(
    moto: str, own: str, calls: Counter[str]
) -> None:
    asked = [_made(calls, partial(legacy_ingests, url, [*SENT, SENT[0]])) for url in (moto, own)]
    assert asked[0] == asked[1]
    assert set(asked[0]) == {"PutItem", "UpdateItem"}
    assert _items(moto) == _items(own)


def test_the_pipeline_makes_the_same_calls_and_leaves_the_same_items_as_on_moto(
    moto: str, own: str, calls: Counter[str]
) -> None:
    asked = [_made(calls, partial(_use_pipeline, url)) for url in (moto, own)]
    assert asked[0] == asked[1]
    assert set(asked[0]) == {"PutItem", "UpdateItem", "TransactWriteItems"}
    assert _items(moto) == _items(own)


def _use_pipeline(url: str) -> None:
    queued = messages(SENT)
    pipeline = Pipeline(boto3.client("dynamodb", endpoint_url=url))
    pipeline.ingest([*SENT, SENT[0]])
    pipeline.aggregate(queued[:12], 12)
    pipeline.aggregate(queued[9:], 11)  # three come again


def _made(calls: Counter[str], work: Callable[[], None]) -> Counter[str]:
    calls.clear()
    work()
    return Counter(calls)


def _items(url: str) -> dict[str, Items]:
    client = boto3.client("dynamodb", endpoint_url=url)
    return {name: _by_key(name, client.scan(TableName=name)["Items"]) for name in SCHEMAS}


def _by_key(table: str, items: list[Any]) -> Items:
    keys = SCHEMAS[table].keys
    return {tuple(item[key]["S"] for key in keys): _plain(item) for item in items}


def _plain(item: Any) -> dict[str, Any]:
    return {name: _value(**value) for name, value in item.items() if name not in CLOCKED}


def _value(N: str = "", S: str = "") -> Any:  # noqa: N803 - DynamoDB's names of types
    return Decimal(N) if N else S


def _create_tables(client: DynamoDBClient) -> None:
    for name, schema in SCHEMAS.items():
        types: dict[str, Any] = dict.fromkeys(schema.keys, "S")
        more: dict[str, Any] = {}
        if schema.index:
            types |= dict(zip(schema.index.keys, ("S", "N"), strict=True))
            more["GlobalSecondaryIndexes"] = [
                {
                    "IndexName": schema.index.name,
                    "KeySchema": _key_schema(schema.index.keys),
                    "Projection": {
                        "ProjectionType": "INCLUDE",
                        "NonKeyAttributes": list(schema.index.projected),
                    },
                }
            ]
        client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=_key_schema(schema.keys),
            AttributeDefinitions=[
                {"AttributeName": key, "AttributeType": kind} for key, kind in types.items()
            ],
            **more,
        )


def _key_schema(keys: tuple[str, ...]) -> list[Any]:
    return [{"AttributeName": key, "KeyType": "RANGE" if place else "HASH"} for place, key in enumerate(keys)]


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"a": {"S": "xyz"}}, 4),
        ({"é": {"S": "é"}}, 4),
        ({"n": {"N": "0"}}, 2),
        ({"n": {"N": "27"}}, 3),
        ({"n": {"N": "-2700"}}, 3),
        ({"n": {"N": "12.345"}}, 5),
        ({"m": {"M": {"ab": {"S": "xyz"}}}}, 10),
    ],
)
def test_an_item_weighs_its_names_and_values(item: dict[str, dict[str, Any]], size: int) -> None:
    assert item_size(item) == size


def _text(size: int, key: str = "k") -> dict[str, dict[str, str]]:
    return {"k": {"S": key}, "v": {"S": "x" * (size - 2 - len(key))}}


@pytest.mark.parametrize(
    ("before", "after", "units"),
    [
        (None, _text(1_024), 1),
        (None, _text(1_025), 2),
        (_text(3_000), _text(100), 3),
        (_text(100), _text(3_000), 3),
        (None, None, 1),
    ],
)
def test_a_write_costs_its_larger_image_in_blocks_of_1_kb(before: Any, after: Any, units: int) -> None:
    assert write_units(before, after) == units


@pytest.mark.parametrize(
    ("before", "after", "units"),
    [
        (None, None, 0),
        (None, _text(100), 1),
        (_text(100), None, 1),
        (_text(100), _text(100), 0),
        (_text(100), _text(200), 1),
        (_text(3_000), _text(100), 3),
        (_text(1_500, "a"), _text(1_500, "b"), 4),
    ],
)
def test_an_index_is_charged_for_what_changes_in_it(before: Any, after: Any, units: int) -> None:
    assert index_write_units(before, after, ("k",)) == units


def test_reads_are_charged_in_blocks_of_4_kb_and_half_if_eventually_consistent() -> None:
    assert read_units(4_096, consistent=True) == 1
    assert read_units(4_097, consistent=True) == 2
    assert read_units(4_097, consistent=False) == 1
    assert read_units(0, consistent=False) == 0.5


def _transact(store: StandIn, *actions: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    reply = store.answer("TransactWriteItems", json.dumps({"TransactItems": actions}).encode())
    return reply.status, json.loads(b"".join(reply.content))


def test_a_transaction_doubles_the_table_but_not_the_index() -> None:
    store = StandIn()
    update = {
        "TableName": "employee_progress",
        "Key": {"employee_id": {"S": "e"}, "program_id": {"S": "p"}},
        "UpdateExpression": "ADD points :p SET board = :b, score = if_not_exists(score, :d) + :p",
        "ExpressionAttributeValues": {":p": {"N": "2"}, ":b": {"S": "global#00"}, ":d": {"N": "0.5"}},
    }
    for units_of_index in (1, 2):
        store.writes.clear()
        _transact(store, {"Update": update})
        assert store.writes == {"employee_progress": 2, "employee_progress/by_score": units_of_index}
    row = store.tables["employee_progress"].get(("e", "p"))
    assert row is not None
    assert row["score"] == {"N": "4.5"}


def test_a_cancelled_transaction_writes_nothing_and_is_charged() -> None:
    store = StandIn()
    put = {
        "TableName": "dedup",
        "Item": {"identity": {"S": "i"}},
        "ConditionExpression": "attribute_not_exists(identity)",
    }
    other = {**put, "Item": {"identity": {"S": "j"}}}
    store.answer("PutItem", json.dumps(put).encode())
    store.writes.clear()
    status, refused = _transact(store, {"Put": other}, {"Put": put})
    assert status == 400
    assert refused["CancellationReasons"] == [{"Code": "None"}, {"Code": "ConditionalCheckFailed"}]
    assert store.writes == {"dedup": 4}
    assert len(store.tables["dedup"].items) == 1


def test_a_transaction_that_touches_an_item_twice_or_holds_another_action_is_refused() -> None:
    put = {"Put": {"TableName": "dedup", "Item": {"identity": {"S": "i"}}}}
    assert _transact(StandIn(), put, put)[0] == 400
    with pytest.raises(KeyError):
        _transact(StandIn(), {"Delete": {"TableName": "dedup", "Key": {"identity": {"S": "i"}}}})


def test_a_scan_reads_all_items_in_pages_of_1_mb() -> None:
    store = StandIn()
    for number in range(10):
        store.tables["legacy_leaderboard"].put(
            {"board": {"S": f"{number:04d}"}, "entries": {"S": "x" * 300_000}}
        )
    request: dict[str, Any] = {}
    seen: list[str] = []
    pages, units = 0, 0.0
    while pages == 0 or request:
        asked = {"TableName": "legacy_leaderboard", **request}
        page = json.loads(b"".join(store.answer("Scan", json.dumps(asked).encode()).content))
        seen += [item["board"]["S"] for item in page["Items"]]
        request = {"ExclusiveStartKey": page["LastEvaluatedKey"]} if "LastEvaluatedKey" in page else {}
        pages, units = pages + 1, units + page["ConsumedCapacity"]["CapacityUnits"]
    assert seen == [f"{number:04d}" for number in range(10)]
    assert pages == 3
    assert units == pytest.approx(10 * 300_000 / 8_192, abs=1.5)


def test_expressions_see_the_item_as_it_was() -> None:
    scope = Scope({"a": {"N": "1"}}, {"#a": "a"}, {":x": {"N": "2"}, ":s": {"S": "2"}})
    assert updated("ADD #a :x SET b = a + :x", scope) == {"a": {"N": "3"}, "b": {"N": "3"}}
    assert holds("attribute_not_exists(b) AND (#a = :x OR a < :x)", scope)
    assert not holds("a < :s", scope)
    assert not holds("b = :x", scope)


@pytest.mark.parametrize(
    "expression", ["size(a) < :x", "a BETWEEN :x AND :x", "NOT a = :x", "a = :x extra", "a -"]
)
def test_what_it_does_not_know_is_an_error(expression: str) -> None:
    with pytest.raises(NotImplementedError):
        holds(expression, Scope({"a": {"N": "1"}}, {}, {":x": {"N": "2"}}))
