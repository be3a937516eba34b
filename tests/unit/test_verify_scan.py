"""The fast scan reads what boto3 reads, resumes where it was, keeps its pace, and gives up in the end."""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migration.aws.transport.pages import Number, Text
from migration.aws.transport.scan import Batch, ReadPace, Scan, batches
from migration.model.errors import CredentialsError, IntegrityError, RemoteError
from tests.doubles.clock import MemoryClock
from tests.dynamodb_http import Fault, HttpDynamoDB, dynamodb_over_http

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = "things"
THROTTLED = b'{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}'


class Thing(msgspec.Struct):
    id: Text
    points: Number = Number("0")


@pytest.fixture(scope="module")
def server() -> Iterator[HttpDynamoDB]:
    with dynamodb_over_http() as dynamodb:
        yield dynamodb


@pytest.fixture
def dynamodb(server: HttpDynamoDB) -> Iterator[HttpDynamoDB]:
    server.client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    server.requests.clear()
    yield server
    server.faults.clear()
    server.client.delete_table(TableName=TABLE)


def fill(dynamodb: HttpDynamoDB, count: int) -> set[str]:
    names = {f"thing-{number}" for number in range(count)}
    for name in names:
        dynamodb.client.put_item(TableName=TABLE, Item={"id": {"S": name}, "points": {"N": "7"}})
    return names


def read(dynamodb: HttpDynamoDB, scan: Scan[Any], clock: MemoryClock | None = None) -> list[Batch[Any]]:
    clock = clock or MemoryClock()
    return list(batches(dynamodb.raw(clock), scan, ReadPace(None, clock)))


def names(found: list[Batch[Any]]) -> list[str]:
    return sorted(item.id.S for batch in found for item in batch.items)


texts = st.text(st.characters(codec="utf-8"), max_size=20)
numbers = st.one_of(
    st.integers(-(10**38) + 1, 10**38 - 1).map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-1000, max_value=1000).map(str),
)
scalars = st.one_of(
    st.builds(lambda value: {"S": value}, texts),
    st.builds(lambda value: {"N": value}, numbers),
    st.builds(lambda value: {"B": value}, st.binary(max_size=20)),
    st.builds(lambda value: {"BOOL": value}, st.booleans()),
    st.just({"NULL": True}),
    st.builds(lambda value: {"SS": sorted(value)}, st.sets(texts.filter(bool), min_size=1, max_size=3)),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.builds(lambda value: {"L": value}, st.lists(inner, max_size=3)),
        st.builds(lambda value: {"M": value}, st.dictionaries(texts.filter(bool), inner, max_size=3)),
    ),
    max_leaves=5,
)
items = st.dictionaries(texts.filter(lambda name: name and name != "id"), values, max_size=4)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(texts.filter(bool), items, max_size=8), st.integers(1, 4))
def test_any_items_are_read_as_boto3_reads_them(
    dynamodb: HttpDynamoDB, table: dict[str, Any], segments: int
) -> None:
    for name in [item["id"]["S"] for item in dynamodb.client.scan(TableName=TABLE)["Items"]]:
        dynamodb.client.delete_item(TableName=TABLE, Key={"id": {"S": name}})
    for name, item in table.items():
        dynamodb.client.put_item(TableName=TABLE, Item={**item, "id": {"S": name}})
    pages = dynamodb.client.get_paginator("scan").paginate(TableName=TABLE)
    expected = {item["id"]["S"]: plain(item) for page in pages for item in page["Items"]}
    found = read(dynamodb, Scan(TABLE, dict, segments, page_items=2))
    ours = [item for batch in found for item in batch.items]
    assert {item["id"]["S"]: item for item in ours} == expected
    assert len(ours) == len(expected) == len(table)


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


@pytest.mark.parametrize("segments", [1, 3])
def test_every_item_is_read_once_over_pages_and_segments(dynamodb: HttpDynamoDB, segments: int) -> None:
    expected = fill(dynamodb, 23)
    found = read(dynamodb, Scan(TABLE, Thing, segments, page_items=2))
    assert names(found) == sorted(expected)
    assert {item.points.N for batch in found for item in batch.items} == {"7"}
    assert sum(batch.position is None for batch in found) == segments


def test_numbers_keep_their_38_digits_and_odd_names_their_characters(dynamodb: HttpDynamoDB) -> None:
    name, number = 'a"b\\c\n\u2028\U0001f600 \u0000', "9" * 38
    dynamodb.client.put_item(TableName=TABLE, Item={"id": {"S": name}, "points": {"N": number}})
    [batch] = read(dynamodb, Scan(TABLE, Thing, 1))
    assert [(item.id.S, Decimal(item.points.N)) for item in batch.items] == [(name, Decimal(number))]


def test_only_the_chosen_attributes_and_items_are_sent(dynamodb: HttpDynamoDB) -> None:
    fill(dynamodb, 3)
    scan: Scan[Any] = Scan(
        TABLE,
        dict,
        1,
        attributes=("id",),
        condition="#p <> :six AND #i > :name",
        names={"#p": "points", "#i": "id"},
        values={":six": {"N": "6"}, ":name": {"S": "thing-0"}},
    )
    found = [item for batch in read(dynamodb, scan) for item in batch.items]
    assert sorted(found, key=str) == [{"id": {"S": "thing-1"}}, {"id": {"S": "thing-2"}}]
    assert dynamodb.requests[0]["ConsistentRead"] is True


def test_a_scan_goes_on_where_each_segment_was_left(dynamodb: HttpDynamoDB) -> None:
    expected = fill(dynamodb, 20)
    clock = MemoryClock()
    scan = Scan(TABLE, Thing, 2, page_items=2)
    positions: dict[int, bytes | None] = {}
    kept: list[Batch[Thing]] = []
    running = batches(dynamodb.raw(clock), scan, ReadPace(None, clock))
    for batch in running:
        kept.append(batch)
        positions[batch.segment] = batch.position
        if len(kept) == 5:
            break
    running.close()  # type: ignore[attr-defined] # a generator: the process was stopped here
    rest = list(batches(dynamodb.raw(clock), scan, ReadPace(None, clock), positions))
    assert rest
    assert names([*kept, *rest]) == sorted(expected)
    finished = dict.fromkeys(range(2), None)
    assert list(batches(dynamodb.raw(clock), scan, ReadPace(None, clock), finished)) == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault(400, THROTTLED),
        Fault(500, b"<html>not JSON</html>"),
        Fault(503, b""),
        Fault(None),
        Fault(200, b'{"Items":[]}', crc=1),
    ],
    ids=["throttled", "internal error", "unavailable", "connection closed", "wrong checksum"],
)
def test_what_passes_is_tried_again(dynamodb: HttpDynamoDB, fault: Fault) -> None:
    expected = fill(dynamodb, 2)
    dynamodb.faults.extend([fault, fault, fault])
    clock = MemoryClock()
    began = clock.now()
    assert names(read(dynamodb, Scan(TABLE, Thing, 1), clock)) == sorted(expected)
    assert clock.now() > began


def test_what_does_not_pass_is_an_error_after_the_last_attempt(dynamodb: HttpDynamoDB) -> None:
    dynamodb.faults.extend([Fault(400, THROTTLED)] * 10)
    with pytest.raises(RemoteError, match=TABLE):
        read(dynamodb, Scan(TABLE, Thing, 1))
    assert not dynamodb.faults


def test_what_can_never_pass_is_not_tried_again(dynamodb: HttpDynamoDB) -> None:
    dynamodb.faults.append(Fault(400, b'{"__type":"x#AccessDeniedException","message":"no"}'))
    with pytest.raises(CredentialsError):
        read(dynamodb, Scan(TABLE, Thing, 1))
    with pytest.raises(RemoteError, match="not found"):
        read(dynamodb, Scan("nowhere", Thing, 1))


def test_one_segment_that_fails_fails_the_scan_and_stops_the_others(dynamodb: HttpDynamoDB) -> None:
    fill(dynamodb, 12)
    dynamodb.faults.append(Fault(400, b'{"__type":"x#ValidationException","message":"broken"}'))
    with pytest.raises(RemoteError, match="broken"):
        read(dynamodb, Scan(TABLE, Thing, 3, page_items=1))


def test_an_item_of_another_kind_is_named(dynamodb: HttpDynamoDB) -> None:
    fill(dynamodb, 3)
    dynamodb.client.put_item(TableName=TABLE, Item={"id": {"S": "odd"}, "points": {"NULL": True}})
    strict = msgspec.defstruct("Strict", [("points", msgspec.defstruct("N", [("N", str)]))])
    with pytest.raises(IntegrityError, match="odd"):
        read(dynamodb, Scan(TABLE, strict, 1))


def test_the_pace_holds_all_segments_together_to_the_rate() -> None:
    clock = MemoryClock()
    began = clock.elapsed()
    pace = ReadPace(10, clock)
    for _ in range(5):
        pace.spend(20)
    assert clock.elapsed() - began == pytest.approx(10)
    clock.sleep(100)  # what was not used before is not saved up
    pace.spend(20)
    assert clock.elapsed() - began == pytest.approx(112)
