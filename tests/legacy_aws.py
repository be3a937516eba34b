"""The legacy system on moto, driven through its real handlers, with faults put between it and DynamoDB."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws

from legacy import ingest, rebuild, serve, tables
from tests.pipeline_aws import create_table
from tests.waiting import hurry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    Hook = Callable[..., Any]
    Row = dict[str, Any]

KEYS = {
    "events": ("employee_id", "event_id"),
    "program-progress": ("program_id",),
    "employee-progress": ("employee_id", "program_id"),
    "leaderboard": ("board",),
}
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "BOARD_SIZE": "3",
    **{f"{name.upper().replace('-', '_')}_TABLE": f"legacy-{name}" for name in KEYS},
}
VALID = {
    "event_id": "ev-1",
    "employee_id": "emp-1",
    "program_id": "prog-1",
    "activity_type": "task_completed",
    "points": 10,
    "occurred_at": "2026-03-01T09:30:00Z",
}


def http_event(
    method: str, path: str, body: str | None = None, *, base64: bool = False, query: Row | None = None
) -> Row:
    """An event as a Function URL or an HTTP API sends it."""
    event: Row = {
        "version": "2.0",
        "rawPath": path,
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": method, "path": path}},
        "isBase64Encoded": base64,
    }
    if query:
        event["queryStringParameters"] = query
    return event if body is None else {**event, "body": body}


def rest_event(
    method: str, path: str, body: str | None = None, *, base64: bool = False, query: Row | None = None
) -> Row:
    """An event as a REST API sends it."""
    return {
        "httpMethod": method,
        "path": path,
        "headers": None,
        "queryStringParameters": query,
        "requestContext": {"stage": "v1", "httpMethod": method},
        "body": body,
        "isBase64Encoded": base64,
    }


@dataclass(frozen=True)
class LegacySystem:
    """Legacy from outside: clients' requests, its tables, and what can go wrong between them."""

    client: DynamoDBClient
    hooks: list[tuple[str, Hook]] = field(default_factory=list)

    def post(self, **changes: Any) -> tuple[int, Row]:
        """Send the valid activity with changes."""
        return _status_and_body(
            ingest.handler(http_event("POST", "/activities", json.dumps(VALID | changes)), None)
        )

    def rebuild(self) -> Row:
        result: Row = rebuild.handler({}, None)
        return result

    def board(self, **query: str) -> tuple[int, Row]:
        return _status_and_body(serve.handler(http_event("GET", "/leaderboard", query=query), None))

    def rows(self, table: str) -> list[Row]:
        """Every row, as plain values, by key."""
        items = self.client.scan(TableName=f"legacy-{table}", ConsistentRead=True)["Items"]
        rows = [{name: _plain(value) for name, value in item.items()} for item in items]
        return sorted(rows, key=lambda row: [row[key] for key in KEYS[table]])

    def program(self, program_id: str = "prog-1") -> tuple[int, int]:
        """A program's points and events."""
        return _count([row for row in self.rows("program-progress") if row["program_id"] == program_id])

    def employee(self, employee_id: str = "emp-1") -> tuple[int, int]:
        """An employee's points and events in all programs."""
        return _count([row for row in self.rows("employee-progress") if row["employee_id"] == employee_id])

    def before(self, operation: str, table: str, hook: Hook) -> None:
        """Call `hook` with the request before it is sent; what it raises happens instead of the operation."""

        def call(params: Row, **_: object) -> None:
            request = json.loads(params["body"])
            if request["TableName"] == f"legacy-{table}":
                hook(request)

        self.register(f"before-call.dynamodb.{operation}", call)

    def register(self, event: str, hook: Hook) -> None:
        """Hook into the calls that the handlers make, until `repair`."""
        events = tables.dynamodb().meta.client.meta.events
        events.register_first(event, hook)
        self.hooks.append((event, hook))

    def repair(self) -> None:
        """Take every fault away."""
        for event, hook in self.hooks:
            tables.dynamodb().meta.client.meta.events.unregister(event, hook)
        self.hooks.clear()


@contextmanager
def running_legacy() -> Iterator[LegacySystem]:
    """Set up legacy's tables and environment in memory, without a wait between the SDK's attempts."""
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        hurry(patch, "botocore.endpoint")
        for module in (ingest, rebuild):
            patch.setattr(module.metrics.provider, "namespace", "Cutover")
        _forget_connections()
        client = tables.dynamodb().meta.client
        for table, keys in KEYS.items():
            create_table(client, f"legacy-{table}", *keys)
        yield LegacySystem(client)
        _forget_connections()


def _forget_connections() -> None:
    tables.dynamodb.cache_clear()
    tables.table.cache_clear()


def _status_and_body(response: Row) -> tuple[int, Row]:
    return response["statusCode"], json.loads(response["body"])


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else int(value)


def _count(rows: list[Row]) -> tuple[int, int]:
    return sum(row["points"] for row in rows), sum(row["events"] for row in rows)
