"""The benchmarks of moving and proving data: each runs small, and finds what it must; no time is asserted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from benchmarks import backfill, diff, door
from benchmarks.apart import apart
from benchmarks.settings import Settings
from benchmarks.stand_in import StandIn, legacy_events, stand_in
from migration.model.fold import fold_all
from migration.model.legacy.layout import LegacyEvents
from migration.model.legacy.mapping import activity_mapper

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from migration.model.fold import Fold, Row

pytestmark = pytest.mark.slow
TINY = Settings(timed_activities=12, facts=300, rounds=1)


@pytest.fixture(scope="module")
def client() -> Iterator[DynamoDBClient]:
    with stand_in(10, seed=1) as url:
        yield boto3.client("dynamodb", endpoint_url=url)


def test_a_backfill_ends_right_and_costs_a_unit_a_fact() -> None:
    times, units = backfill.run(TINY)
    assert [row[0] for row in times.rows] == ["copy", "fold", "install", "fold again", "all"]
    costs = {str(record["for"]): int(record["units"]) for record in units.records()}
    assert costs["the fact"] == 300
    rows = list(folds_of(300))
    of_employees = sum(row.employee_id is not None for row in rows)
    assert costs["program rows"] == len(rows) - of_employees
    assert costs["employee rows"] == costs["their entries in the board's index"] == of_employees
    assert costs["all"] == sum(costs.values()) - costs["all"]


def test_the_check_of_a_backfill_finds_a_fact_that_is_missing_and_a_row_that_is_wrong() -> None:
    with stand_in(20, seed=1) as url:
        backfill.backfill(url)
        settings = Settings(facts=20)
        backfill.check(url, settings)
        with pytest.raises(AssertionError):
            backfill.check(url, Settings(facts=21))
        boto3.client("dynamodb", endpoint_url=url).update_item(
            TableName="program_progress",
            Key={"program_id": {"S": "p-00"}, "shard": {"S": "base"}},
            UpdateExpression="ADD points :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )
        with pytest.raises(AssertionError):
            backfill.check(url, settings)


def test_the_stand_in_refuses_a_put_whose_condition_fails_and_shows_what_is_there(
    client: DynamoDBClient,
) -> None:
    item: Any = {"employee_id": {"S": "e"}, "event_id": {"S": "v"}, "points": {"N": "1"}}
    put: Any = {"TableName": "facts", "ConditionExpression": "attribute_not_exists(event_id)"}
    client.put_item(Item=item, **put)
    with pytest.raises(ClientError, match="ConditionalCheckFailedException") as refused:
        client.put_item(
            Item={**item, "points": {"N": "2"}}, ReturnValuesOnConditionCheckFailure="ALL_OLD", **put
        )
    assert refused.value.response["Item"] == item  # type: ignore[typeddict-item] # the stubs do not know it
    key: Any = {"employee_id": {"S": "e"}, "event_id": {"S": "v"}}
    assert client.get_item(TableName="facts", Key=key)["Item"] == item


@pytest.mark.parametrize("segments", [1, 3])
def test_the_segments_of_the_stand_in_hold_each_item_once(client: DynamoDBClient, segments: int) -> None:
    pages = client.get_paginator("scan")
    found = [
        item["event_id"]["S"]
        for number in range(segments)
        for page in pages.paginate(
            TableName="legacy_events",
            Segment=number,
            TotalSegments=segments,
            PaginationConfig={"PageSize": 2},
        )
        for item in page["Items"]
    ]
    assert len(found) == len(set(found)) == 10


def test_what_the_stand_in_does_not_know_is_an_error() -> None:
    with pytest.raises(KeyError):
        StandIn().answer("BatchWriteItem", b"{}")
    query = {"TableName": "facts", "KeyConditionExpression": "a > :a", "ExpressionAttributeValues": {}}
    with pytest.raises(NotImplementedError):
        StandIn().answer("Query", json.dumps(query).encode())


def test_the_join_of_a_diff_holds_all_keys_and_finds_the_wrong_one() -> None:
    [report] = diff.run(Settings(diffed_keys=900))
    assert report.rows == (("employee in program", 600, 1), ("employee", 300, 0), ("program", 50, 0))


def test_a_measurement_in_another_process_has_its_own_memory() -> None:
    ballast = bytes(200_000_000)
    assert apart("builtins", "len", "abc")["peak_mb"] < 150
    assert len(ballast) == 200_000_000


def test_the_door_adds_one_write_where_it_mirrors_and_none_elsewhere() -> None:
    legacy, pipeline = door.run(TINY)
    # Beside these the door tells its counts, at most once a second: a fraction of a write for each request.
    assert {row["side"]: int(float(str(row["writes"]))) for row in legacy.records()} == {
        "legacy's handler alone": 3,
        "door, off": 3,
        "door, dualwrite": 4,
        "door, shadow": 4,
        "door, live, write weight 0 %": 4,
    }
    assert {int(float(str(row["writes"]))) for row in pipeline.records()} == {1}


def folds_of(count: int) -> dict[Row, Fold]:
    return fold_all(map(activity_mapper(LegacyEvents()), legacy_events(count, seed=1)))
