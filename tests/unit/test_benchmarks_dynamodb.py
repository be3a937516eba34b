"""The benchmarks' DynamoDB: held to moto by running both sides on both, its prices to the published rules."""

from __future__ import annotations

import base64
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from benchmarks.capacity import index_write_units, item_size, read_units, write_units
from benchmarks.dynamodb import MeteredDynamoDB, RefusedError
from benchmarks.expressions import Scope, holds, updated
from benchmarks.systems import NOW, messages, running_legacy, running_pipeline
from benchmarks.tables import SCHEMAS
from benchmarks.workload import activities

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from benchmarks.systems import Backend

pytestmark = pytest.mark.slow  # a server in a process of its own

SENT = activities(20, seed=3)
CLOCKED = ("received_at", "rebuilt_at")
Items = dict[tuple[str, ...], dict[str, Any]]


@dataclass
class Moto:
    """moto instead of AWS; counts the calls that it lets through."""

    calls: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def answering(self, client: DynamoDBClient) -> Iterator[DynamoDBClient]:
        def count(model: Any, **_: object) -> None:
            self.calls[model.name] += 1

        client.meta.events.register("before-call.dynamodb", count)
        yield client


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[Moto]:
    monkeypatch.setattr("pipeline.snapshotter._PARALLEL", 1)  # moto is not made for threads
    with mock_aws():
        _create_tables(boto3.client("dynamodb"))
        yield Moto()


def test_legacy_makes_the_same_calls_and_leaves_the_same_items_as_on_moto(moto: Moto) -> None:
    store = MeteredDynamoDB()
    for backend in (moto, store):
        _use_legacy(backend)
    assert moto.calls == store.meter.calls
    assert set(moto.calls) == {"PutItem", "UpdateItem", "Scan"}
    assert _items_on_moto() == _items_of(store)


def test_the_pipeline_makes_the_same_calls_and_leaves_the_same_items_as_on_moto(moto: Moto) -> None:
    store = MeteredDynamoDB()
    for backend in (moto, store):
        _use_pipeline(backend)
    assert moto.calls == store.meter.calls
    assert set(moto.calls) == {"PutItem", "UpdateItem", "TransactWriteItems", "GetItem", "Query", "Scan"}
    assert _items_on_moto() == _items_of(store)


def _use_legacy(backend: Backend) -> None:
    with running_legacy(backend) as legacy:
        legacy.ingest([*SENT, SENT[0]])
        legacy.rebuild()


def _use_pipeline(backend: Backend) -> None:
    queued = messages(_facts())
    with running_pipeline(backend) as pipeline:
        pipeline.ingest([*SENT, SENT[0]])
        pipeline.aggregate(queued[:12], 12)
        pipeline.aggregate(queued[9:], 11)  # three come again
        pipeline.snapshot(NOW)
        pipeline.snapshot(NOW + timedelta(minutes=1))


def _facts() -> list[Any]:
    store = MeteredDynamoDB()
    with running_pipeline(store) as pipeline:
        pipeline.ingest(SENT)
    return list(store.tables["facts"].items.values())


def _items_of(store: MeteredDynamoDB) -> dict[str, Items]:
    return {name: _by_key(name, list(table.items.values())) for name, table in store.tables.items()}


def _items_on_moto() -> dict[str, Items]:
    client = boto3.client("dynamodb")
    return {name: _by_key(name, client.scan(TableName=name)["Items"]) for name in SCHEMAS}


def _by_key(table: str, items: list[Any]) -> Items:
    keys = SCHEMAS[table].keys
    return {tuple(item[key]["S"] for key in keys): _plain(item) for item in items}


def _plain(item: Any) -> dict[str, Any]:
    return {name: _value(**value) for name, value in item.items() if name not in CLOCKED}


def _value(N: str = "", S: str = "", B: bytes | str = b"") -> Any:  # noqa: N803 - DynamoDB's names of types
    if B:
        return base64.b64decode(B) if isinstance(B, str) else B  # as on the wire, or as the SDK gives it
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


def test_a_transaction_doubles_the_table_but_not_the_index() -> None:
    store = MeteredDynamoDB()
    row = {"employee_id": {"S": "e"}, "program_id": {"S": "p"}}
    update = {
        "TableName": "employee_progress",
        "Key": row,
        "UpdateExpression": "ADD points :p SET board = :b, score = if_not_exists(score, :d) + :p",
        "ExpressionAttributeValues": {":p": {"N": "2"}, ":b": {"S": "global#00"}, ":d": {"N": "0.5"}},
    }
    for units_of_index in (1, 2):
        meter = store.new_meter()
        store.transact_write_items({"TransactItems": [{"Update": dict(update)}], "ClientRequestToken": "t"})
        assert meter.table_writes == 2
        assert meter.index_writes == units_of_index
    assert store.tables["employee_progress"].ranked("global#00")[0]["score"] == {"N": "4.5"}


def test_a_cancelled_transaction_writes_nothing_and_is_charged() -> None:
    store = MeteredDynamoDB()
    put = {
        "TableName": "dedup",
        "Item": {"identity": {"S": "i"}},
        "ConditionExpression": "attribute_not_exists(identity)",
    }
    other = {**put, "Item": {"identity": {"S": "j"}}}
    store.put_item(dict(put))
    meter = store.new_meter()
    with pytest.raises(RefusedError) as refused:
        store.transact_write_items(
            {"TransactItems": [{"Put": dict(other)}, {"Put": dict(put)}], "ClientRequestToken": "t"}
        )
    assert refused.value.answer["CancellationReasons"] == [
        {"Code": "None"},
        {"Code": "ConditionalCheckFailed"},
    ]
    assert meter.table_writes == 4
    assert len(store.tables["dedup"].items) == 1


def test_a_scan_reads_all_items_in_pages_of_1_mb() -> None:
    store = MeteredDynamoDB()
    store.tables["legacy_leaderboard"].put_all(
        {"board": {"S": f"{number:04d}"}, "entries": {"S": "x" * 300_000}} for number in range(10)
    )
    request: dict[str, Any] = {}
    seen: list[str] = []
    pages = 0
    while pages == 0 or request:
        page = store.scan({"TableName": "legacy_leaderboard", **request})
        seen += [item["board"]["S"] for item in page["Items"]]
        request = {"ExclusiveStartKey": page["LastEvaluatedKey"]} if "LastEvaluatedKey" in page else {}
        pages += 1
    assert seen == [f"{number:04d}" for number in range(10)]
    assert pages == 3
    assert store.meter.read_units == pytest.approx(10 * 300_000 / 8_192, abs=1.5)


def test_a_query_reads_the_best_of_an_index_partition_and_nothing_else() -> None:
    store = MeteredDynamoDB()
    store.tables["employee_progress"].put_all(
        {
            "employee_id": {"S": f"e-{score}"},
            "program_id": {"S": "#total"},
            "board": {"S": f"global#{score % 2:02d}"},
            "score": {"N": str(score)},
        }
        for score in range(20)
    )
    answer = store.query(
        {
            "TableName": "employee_progress",
            "IndexName": "by_score",
            "KeyConditionExpression": "board = :b",
            "ExpressionAttributeValues": {":b": {"S": "global#01"}},
            "ScanIndexForward": False,
            "Limit": 3,
        }
    )
    assert [entry["score"]["N"] for entry in answer["Items"]] == ["19", "17", "15"]
    assert (store.meter.items_read, store.meter.read_units) == (3, 0.5)


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
