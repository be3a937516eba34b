"""Snapshots taken and served: boards, movement, freshness, caching, errors."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EndpointConnectionError

from pipeline.domain.aggregator import Aggregator
from pipeline.domain.queued_fact import QueuedFact
from pipeline.handlers import serve, snapshot
from pipeline.stores.folds import FoldTables
from tests.pipeline_aws import scan, table_name

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PREFIX = "unit"


def fold(client: DynamoDBClient, *facts: tuple[str, str, int]) -> None:
    """Fold (employee, program, points) as one batch, as of now."""
    moment = datetime.now(UTC)
    stamp = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    tables = FoldTables(
        client=client,
        dedup=table_name(PREFIX, "dedup"),
        employee_progress=table_name(PREFIX, "employee_progress"),
        program_progress=table_name(PREFIX, "program_progress"),
        board_shards=3,
        program_shard=moment.microsecond % 2,
        expires_at=moment,
    )
    batch = [QueuedFact(e, f"{stamp}-{n}", p, points, stamp) for n, (e, p, points) in enumerate(facts)]
    outcome = Aggregator(tables, wait=lambda _: None, has_time=lambda: True).fold(batch)
    assert not outcome.failed


def take() -> str:
    version: str = snapshot.handler({}, None)["version"]
    return version


def get(
    path: str = "/leaderboard",
    method: str = "GET",
    headers: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
) -> tuple[int, dict[str, Any], dict[str, str]]:
    event = {
        "rawPath": path,
        "requestContext": {"http": {"method": method}},
        "queryStringParameters": query,
        "headers": headers or {},
    }
    answer = serve.handler(event, None)
    body = answer["body"]
    return answer["statusCode"], json.loads(body) if body.startswith("{") else {}, answer["headers"]


def ranks(board: dict[str, Any], subject: str = "employee_id") -> list[tuple[int, str, int]]:
    return [(entry["rank"], entry[subject], entry["points"]) for entry in board["entries"]]


def test_before_the_first_snapshot_every_board_is_unavailable_with_a_hint(
    pipeline_aws: DynamoDBClient,
) -> None:
    for query in (None, {"program": "p"}, {"board": "programs"}):
        status, body, headers = get(query=query)
        assert (status, body["error"], headers["Retry-After"]) == (503, "no_snapshot_yet", "30")


def test_boards_are_ranked_globally_by_program_and_among_programs(pipeline_aws: DynamoDBClient) -> None:
    fold(pipeline_aws, ("ann", "p", 5), ("bob", "p", 9), ("ann", "q", 6), ("cem", "q", 6))
    take()
    status, board, _ = get()
    assert (status, ranks(board)) == (200, [(1, "ann", 11), (2, "bob", 9), (3, "cem", 6)])
    assert (board["points"], board["events"], board["board"]) == (26, 4, "global")
    assert ranks(get(query={"program": "p"})[1]) == [(1, "bob", 9), (2, "ann", 5)]
    equal = ranks(get(query={"program": "q"})[1])
    assert [rank for rank, _, _ in equal] == [1, 1]
    assert ranks(get(query={"board": "programs"})[1], "program_id") == [(1, "p", 14), (2, "q", 12)]


def test_movement_is_told_since_the_last_snapshot(pipeline_aws: DynamoDBClient) -> None:
    fold(pipeline_aws, ("ann", "p", 5), ("bob", "p", 9))
    take()
    fold(pipeline_aws, ("ann", "p", 5), ("cem", "p", 1))
    take()
    moved = {e["employee_id"]: (e["rank"], e["previous_rank"]) for e in get()[1]["entries"]}
    assert moved == {"ann": (1, 2), "bob": (2, 1), "cem": (3, None)}


def test_a_board_holds_its_best_entries_only_and_pulses_are_on_none(pipeline_aws: DynamoDBClient) -> None:
    fold(pipeline_aws, *((f"e{n}", "p", n + 1) for n in range(12)))
    fold(pipeline_aws, ("#pulse", "#pulse", 0))
    take()
    _, board, _ = get()
    assert ranks(board) == [(n + 1, f"e{11 - n}", 12 - n) for n in range(5)]
    assert board["events"] == 12
    assert get(query={"program": "#pulse"})[0] == 404
    assert get(query={"program": "x" * 3000})[0] == get(query={"program": "\ud800"})[0] == 404
    assert get(query={"program": "nobody"})[:2] == (
        404,
        {"error": "unknown_board", "message": "no activity of this program has been folded yet"},
    )


def test_the_read_cost_of_a_snapshot_does_not_grow_with_the_employees(pipeline_aws: DynamoDBClient) -> None:
    def items_read() -> int:
        read: Counter[str] = Counter()

        def count(parsed: dict[str, Any], **_: Any) -> None:
            read["items"] += parsed.get("Count", 0)

        pipeline_aws.meta.events.register("after-call.dynamodb", count)
        take()
        pipeline_aws.meta.events.unregister("after-call.dynamodb", count)
        return read["items"]

    fold(pipeline_aws, *((f"e{n}", "p", n + 1) for n in range(30)))
    few = items_read()
    fold(pipeline_aws, *((f"f{n}", "p", n + 1) for n in range(60)))
    assert items_read() <= few + 2


def test_freshness_follows_the_newest_folded_fact_and_the_snapshots_age(
    pipeline_aws: DynamoDBClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    fold(pipeline_aws, ("ann", "p", 5))
    take()
    _, fresh, _ = get()
    [newest] = [r for r in scan(pipeline_aws, PREFIX, "program_progress") if r["program_id"] == "#freshness"]
    assert fresh["newest_folded_at"] == newest["newest_folded_at"]
    assert (fresh["stale"], fresh["pending"]) == (False, 0)
    monkeypatch.setenv("STALE_AFTER_S", "-1")
    _, stale, _ = get()
    assert (stale["stale"], len(stale["stale_reasons"])) == (True, 2)


def test_each_snapshot_sends_one_pulse(pipeline_aws: DynamoDBClient) -> None:
    fold(pipeline_aws, ("ann", "p", 5))
    take()
    [pulse] = scan(pipeline_aws, PREFIX, "facts")
    assert (pulse["employee_id"], pulse["program_id"], pulse["points"], pulse["lane"]) == (
        "#pulse",
        "#pulse",
        0,
        "live",
    )
    assert pulse["event_id"] == get()[1]["version"]


def test_an_older_run_that_ends_late_does_not_replace_a_newer_snapshot(pipeline_aws: DynamoDBClient) -> None:
    fold(pipeline_aws, ("ann", "p", 5))
    take()
    newest = get()[1]
    table = serve.snapshots()
    older = {**newest, "generated_at": "2026-01-01T00:00:00.000Z", "version": "2026-01-01T00:00:00.000Z"}
    assert table.publish(older, datetime.now(UTC) + timedelta(days=1)) is False
    assert get()[1]["version"] == newest["version"]


def test_an_unchanged_board_is_a_304_until_it_changes_or_turns_stale(
    pipeline_aws: DynamoDBClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    fold(pipeline_aws, ("ann", "p", 5))
    take()
    _, _, headers = get()
    tag = headers["ETag"]
    assert headers["Cache-Control"] == "private, max-age=5"
    assert get(headers={"If-None-Match": f'"other", {tag}'})[0] == 304
    assert get(headers={"if-none-match": "*"})[0] == 304
    monkeypatch.setenv("STALE_AFTER_S", "-1")
    assert get(headers={"if-none-match": tag})[0] == 200
    monkeypatch.setenv("STALE_AFTER_S", "180")
    take()
    assert get(headers={"if-none-match": tag})[0] == 200


@pytest.mark.parametrize(
    "query", [{"program": ""}, {"board": "global"}, {"x": "1"}, {"program": "p", "board": "programs"}]
)
def test_a_wrong_query_is_refused(pipeline_aws: DynamoDBClient, query: dict[str, str]) -> None:
    status, body, _ = get(query=query)
    assert (status, body["error"]) == (400, "invalid_query")


def test_wrong_paths_and_methods_are_refused(pipeline_aws: DynamoDBClient) -> None:
    assert get("/nope")[0] == 404
    status, _, headers = get(method="POST")
    assert (status, headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


def test_cors_allows_the_configured_origin_only(
    pipeline_aws: DynamoDBClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORS_ORIGIN", "https://intranet.example")
    status, _, headers = get(method="OPTIONS", headers={"Origin": "https://intranet.example"})
    assert (status, headers["Access-Control-Allow-Origin"]) == (204, "https://intranet.example")
    assert "GET" in headers["Access-Control-Allow-Methods"]
    _, _, other = get(headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in other
    assert other["Vary"] == "Origin"


def test_head_answers_without_a_body(pipeline_aws: DynamoDBClient) -> None:
    fold(pipeline_aws, ("ann", "p", 5))
    take()
    status, body, headers = get(method="HEAD")
    assert (status, body) == (200, {})
    assert "ETag" in headers


def test_the_dashboard_is_served_with_a_policy_that_allows_only_itself(pipeline_aws: DynamoDBClient) -> None:
    for path, kind in (("/", "text/html"), ("/app.js", "text/javascript"), ("/style.css", "text/css")):
        answer = serve.handler({"rawPath": path, "requestContext": {"http": {"method": "GET"}}}, None)
        assert answer["statusCode"] == 200
        assert answer["headers"]["Content-Type"].startswith(kind)
        assert "default-src 'none'" in answer["headers"]["Content-Security-Policy"]
        assert len(answer["body"]) > 100


def test_a_table_that_does_not_answer_is_a_503(
    pipeline_aws: DynamoDBClient,
) -> None:
    def fail(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="dynamodb")

    pipeline_aws.meta.events.register("before-call.dynamodb.GetItem", fail)
    status, body, headers = get()
    pipeline_aws.meta.events.unregister("before-call.dynamodb.GetItem", fail)
    assert (status, body["error"], headers["Retry-After"]) == (503, "unavailable", "1")


def test_a_failing_board_fails_the_run_but_not_the_other_boards(
    pipeline_aws: DynamoDBClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    fold(pipeline_aws, ("ann", "p", 5), ("ann", "q", 5))

    def fail(params: dict[str, Any], **_: Any) -> None:
        if b"program#p#" in params["body"]:
            raise EndpointConnectionError(endpoint_url="dynamodb")

    pipeline_aws.meta.events.register("before-call.dynamodb.Query", fail)
    with pytest.raises(snapshot.IncompleteError, match="1 of"):
        take()
    pipeline_aws.meta.events.unregister("before-call.dynamodb.Query", fail)
    assert get()[0] == get(query={"program": "q"})[0] == 200
    assert get(query={"program": "p"})[0] == 404
