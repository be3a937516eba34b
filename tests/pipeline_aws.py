"""The pipeline's tables and environment, for tests that run its handlers against moto or the local AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.literals import ScalarAttributeTypeType
    from mypy_boto3_dynamodb.type_defs import KeySchemaElementTypeDef

KEYS: dict[str, tuple[str, str | None]] = {
    "facts": ("employee_id", "event_id"),
    "dedup": ("identity", None),
    "employee_progress": ("employee_id", "program_id"),
    "program_progress": ("program_id", "shard"),
    "snapshots": ("board", "version"),
}
SETTINGS = {
    "BOARD_SHARDS": "3",
    "PROGRAM_SHARDS": "2",
    "BOARD_SIZE": "5",
    "FOLD_HORIZON_DAYS": "25",
    "DEDUP_TTL_DAYS": "30",
    "SNAPSHOT_TTL_DAYS": "7",
    "STALE_AFTER_S": "180",
    "CORS_ORIGIN": "*",
}


def table_name(prefix: str, table: str) -> str:
    return f"{prefix}-{table.replace('_', '-')}"


def environment(prefix: str, queue_url: str) -> dict[str, str]:
    tables = {f"{table.upper()}_TABLE": table_name(prefix, table) for table in KEYS}
    return {**SETTINGS, **tables, "QUEUE_URL": queue_url}


def create_table(client: Any, name: str, *keys: str) -> None:
    """Make a table of its key's names, which are texts."""
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=_key_schema(*keys),
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
    )


def create_tables(client: DynamoDBClient, prefix: str) -> None:
    for table, keys in KEYS.items():
        types: dict[str, ScalarAttributeTypeType] = {key: "S" for key in keys if key}
        more: dict[str, Any] = {}
        if table == "employee_progress":
            types |= {"board": "S", "score": "N"}
            more["GlobalSecondaryIndexes"] = [_BY_SCORE]
        client.create_table(
            TableName=table_name(prefix, table),
            BillingMode="PAY_PER_REQUEST",
            KeySchema=_key_schema(*keys),
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": t} for n, t in types.items()],
            **more,
        )


def _key_schema(partition: str, sort: str | None = None) -> list[KeySchemaElementTypeDef]:
    schema: list[KeySchemaElementTypeDef] = [{"AttributeName": partition, "KeyType": "HASH"}]
    return schema if sort is None else [*schema, {"AttributeName": sort, "KeyType": "RANGE"}]


def scan(client: DynamoDBClient, prefix: str, table: str) -> list[dict[str, Any]]:
    """Every item as plain values: numbers as int where whole, else as text."""
    pages = client.get_paginator("scan").paginate(TableName=table_name(prefix, table), ConsistentRead=True)
    return [{n: _plain(v) for n, v in item.items()} for page in pages for item in page["Items"]]


def _plain(value: Any) -> Any:
    [(kind, content)] = value.items()
    return int(content) if kind == "N" and "." not in content else content


_BY_SCORE = {
    "IndexName": "by_score",
    "KeySchema": [
        {"AttributeName": "board", "KeyType": "HASH"},
        {"AttributeName": "score", "KeyType": "RANGE"},
    ],
    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["points", "events"]},
}
