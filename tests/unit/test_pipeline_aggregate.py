"""Aggregate: SQS batches into folds, exactly once in effect, with the handler's real code on moto."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from pipeline.domain.activity import format_time
from pipeline.domain.fold import fingerprint
from pipeline.handlers import aggregate
from tests.pipeline_aws import scan, table_name
from tests.waiting import hurry

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient

PREFIX = "unit"


class Context:
    """What the handler asks of Lambda."""

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def fact(number: int, employee: str = "emp-1", program: str = "prog-1", **changes: str) -> dict[str, str]:
    return {
        "employee_id": employee,
        "event_id": f"ev-{number}",
        "program_id": program,
        "points": "10",
        "ingested_at": format_time(datetime.now(UTC)),
        **changes,
    }


def deliver(*bodies: Any) -> list[int]:
    """Deliver a batch; returns the positions of the messages that were given back."""
    texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
    records = [{"messageId": str(n), "body": text} for n, text in enumerate(texts)]
    answer = aggregate.handler({"Records": records}, Context())
    return sorted(int(failure["itemIdentifier"]) for failure in answer["batchItemFailures"])


def employee_rows(client: DynamoDBClient) -> dict[tuple[str, str], tuple[int, int, int]]:
    return {
        (row["employee_id"], row["program_id"]): (row["points"], row["events"], row["fingerprint"])
        for row in scan(client, PREFIX, "employee_progress")
    }


def program_sums(client: DynamoDBClient) -> dict[str, tuple[int, int, int]]:
    sums: dict[str, tuple[int, int, int]] = {}
    for row in scan(client, PREFIX, "program_progress"):
        if row["program_id"] != "#freshness":
            old = sums.get(row["program_id"], (0, 0, 0))
            sums[row["program_id"]] = (
                old[0] + row["points"],
                old[1] + row["events"],
                old[2] + row["fingerprint"],
            )
    return sums


def test_a_batch_is_folded_per_employee_and_program(pipeline_aws: DynamoDBClient) -> None:
    one, two, three = fact(1), fact(2), fact(3, program="prog-2", points="5")
    assert deliver(one, two, three) == []
    f1, f2, f3 = (fingerprint(f"emp-1\nev-{n}") for n in (1, 2, 3))
    assert employee_rows(pipeline_aws) == {
        ("emp-1", "prog-1"): (20, 2, f1 + f2),
        ("emp-1", "prog-2"): (5, 1, f3),
        ("emp-1", "#total"): (25, 3, f1 + f2 + f3),
    }
    assert program_sums(pipeline_aws) == {"prog-1": (20, 2, f1 + f2), "prog-2": (5, 1, f3)}
    [newest] = [r for r in scan(pipeline_aws, PREFIX, "program_progress") if r["program_id"] == "#freshness"]
    assert newest["newest_folded_at"] == max(f["ingested_at"] for f in (one, two, three))


def test_boards_are_indexed_by_score_and_pulses_are_not(pipeline_aws: DynamoDBClient) -> None:
    deliver(fact(1), fact(2, employee="#pulse", program="#pulse", points="0"))
    rows = {(r["employee_id"], r["program_id"]): r for r in scan(pipeline_aws, PREFIX, "employee_progress")}
    assert rows["emp-1", "#total"]["board"].startswith("global#0")
    assert rows["emp-1", "prog-1"]["board"].startswith("program#prog-1#0")
    assert rows["emp-1", "prog-1"]["score"].startswith("10.0")
    assert all("board" not in row for (employee, _), row in rows.items() if employee == "#pulse")


def test_duplicates_in_a_batch_and_across_batches_are_folded_once(pipeline_aws: DynamoDBClient) -> None:
    assert deliver(fact(1), fact(1), fact(2)) == []
    once = employee_rows(pipeline_aws), program_sums(pipeline_aws)
    assert deliver(fact(2), fact(1)) == []
    assert (employee_rows(pipeline_aws), program_sums(pipeline_aws)) == once
    assert deliver(fact(1), fact(3)) == []
    assert employee_rows(pipeline_aws)["emp-1", "#total"][:2] == (30, 3)


@pytest.mark.parametrize(
    "poison",
    [
        "not json",
        "[]",
        json.dumps({"employee_id": "e"}),
        json.dumps(fact(9, points="-1")),
        json.dumps(fact(9, points="1e3")),
        json.dumps(fact(9, points="99999")),
        json.dumps(fact(9, ingested_at="yesterday")),
        json.dumps(fact(9, ingested_at="2026-03-01T09:30:00")),
        json.dumps(fact(9, employee="a\nb")),
        json.dumps({**fact(9), "points": 5}),
    ],
)
def test_an_unprocessable_message_is_given_back_and_the_rest_is_folded(
    pipeline_aws: DynamoDBClient, poison: str
) -> None:
    assert deliver(fact(1), poison, fact(2)) == [1]
    assert employee_rows(pipeline_aws)["emp-1", "#total"][:2] == (20, 2)


def test_a_message_beyond_the_dedup_horizon_is_parked_not_folded(pipeline_aws: DynamoDBClient) -> None:
    old = format_time(datetime.now(UTC) - timedelta(days=25, seconds=1))
    assert deliver(fact(1, ingested_at=old), fact(2)) == [0]
    assert employee_rows(pipeline_aws)["emp-1", "#total"][:2] == (10, 1)


class FaultyClient:
    """DynamoDB with a script of mishaps, one a transaction; the transactions themselves are moto's."""

    def __init__(self, client: DynamoDBClient, *mishaps: str | list[str]) -> None:
        self._client = client
        self._mishaps = list(mishaps)
        self.transactions: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def transact_write_items(self, TransactItems: list[Any]) -> None:  # noqa: N803 - boto3's name
        self.transactions.append(len(TransactItems))
        mishap = self._mishaps.pop(0) if self._mishaps else "none"
        if isinstance(mishap, list):
            raise cancelled(*mishap)
        if mishap == "throttle":
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "TransactWriteItems")
        self._client.transact_write_items(TransactItems=TransactItems)
        if mishap == "no answer":
            raise ReadTimeoutError(endpoint_url="dynamodb")
        if mishap == "killed":
            raise KeyboardInterrupt


def cancelled(*codes: str) -> ClientError:
    """The error as AWS writes it; moto words a failing row update differently."""
    response: Any = {
        "Error": {"Code": "TransactionCanceledException"},
        "CancellationReasons": [{"Code": code} for code in codes],
    }
    return ClientError(response, "TransactWriteItems")


@pytest.fixture
def mishaps(pipeline_aws: DynamoDBClient, monkeypatch: pytest.MonkeyPatch) -> Callable[..., FaultyClient]:
    def install(*script: str | list[str]) -> FaultyClient:
        faulty = FaultyClient(pipeline_aws, *script)
        monkeypatch.setattr(aggregate, "dynamodb", lambda: faulty)
        hurry(monkeypatch, "pipeline.handlers.aggregate")
        return faulty

    return install


@pytest.mark.parametrize(
    "script",
    [
        ["throttle"],
        ["no answer"],
        ["no answer", "throttle", "no answer"],
        [["None", "None", "TransactionConflict", "None", "None", "None"]],
        [["None", "ThrottlingError", "None", "None", "None", "None"], "no answer"],
    ],
)
def test_throttles_conflicts_and_unanswered_commits_end_in_exact_folds(
    pipeline_aws: DynamoDBClient, mishaps: Callable[..., FaultyClient], script: list[Any]
) -> None:
    faulty = mishaps(*script)
    assert deliver(fact(1), fact(2)) == []
    assert employee_rows(pipeline_aws)["emp-1", "#total"][:2] == (20, 2)
    assert len(faulty.transactions) >= len(script)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:No application metrics")
def test_a_consumer_killed_after_its_commit_changes_nothing_when_the_batch_comes_again(
    pipeline_aws: DynamoDBClient, mishaps: Callable[..., FaultyClient]
) -> None:
    batch = [fact(n, employee=f"emp-{n}", program=f"prog-{n % 3}") for n in range(90)]
    faulty = mishaps("none", "killed")
    with pytest.raises(KeyboardInterrupt):
        deliver(*batch)
    folded_before = len(employee_rows(pipeline_aws))
    assert 0 < folded_before < 180
    assert len(faulty.transactions) == 2
    assert deliver(*batch, fact(90)) == []
    assert {p: s[:2] for p, s in program_sums(pipeline_aws).items()} == {
        "prog-0": (300, 30),
        "prog-1": (310, 31),
        "prog-2": (300, 30),
    }


def test_a_row_that_cannot_take_its_delta_gives_back_only_its_own_facts(
    pipeline_aws: DynamoDBClient, mishaps: Callable[..., FaultyClient]
) -> None:
    # facts a, b; then rows in the order of the chunk's deltas: (a, emp), total, a, (b, emp), b
    mishaps(["None", "None", "None", "None", "None", "ValidationError", "None"])
    assert deliver(fact(2, program="b"), fact(1, program="a")) == [0]
    assert set(employee_rows(pipeline_aws)) == {("emp-1", "a"), ("emp-1", "#total")}


def test_a_store_that_stays_busy_gives_the_batch_back(
    pipeline_aws: DynamoDBClient, mishaps: Callable[..., FaultyClient]
) -> None:
    mishaps(*["throttle"] * 6)
    assert deliver(fact(1), fact(2), "poison") == [0, 1, 2]
    assert employee_rows(pipeline_aws) == {}
    assert deliver(fact(1), fact(2)) == []


def test_duplicates_found_by_the_store_are_dropped_and_the_rest_committed_at_once(
    pipeline_aws: DynamoDBClient, mishaps: Callable[..., FaultyClient]
) -> None:
    deliver(fact(1))
    faulty = mishaps()
    assert deliver(fact(1), fact(2)) == []
    assert faulty.transactions == [5, 4]
    entry = pipeline_aws.get_item(
        TableName=table_name(PREFIX, "dedup"), Key={"identity": {"S": "emp-1\nev-2"}}
    )["Item"]
    days = (float(entry["expires_at"]["N"]) - datetime.now(UTC).timestamp()) / 86_400
    assert 29.9 < days <= 30
