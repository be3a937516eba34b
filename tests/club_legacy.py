"""Another team's legacy, shaped otherwise: visits of a club's members, its own handler, tables and boards."""

from __future__ import annotations

import json
import os
from typing import Any

import boto3

from legacy import rebuild

PLAN = """
migration = "club"

[legacy.events]
table = "club-visits"
employee_id = "member"
event_id = "visit"
program_id = "club"
activity_type = "kind"
points = "score"
occurred_at = "at"

[legacy.employee_progress]
table = "club-members"
employee_id = "member"
program_id = "club"
points = "total"
events = "visits"

[legacy.program_progress]
table = "club-clubs"
program_id = "club"
points = "total"
events = "visits"

[legacy.leaderboard]
table = "club-boards"
board = "name"
entries = "ranks"
format = "list"
"""
KEYS = {
    "club-visits": ("member", "visit"),
    "club-members": ("member", "club"),
    "club-clubs": ("club",),
    "club-boards": ("name",),
}


def make_tables(client: Any) -> None:
    for table, keys in KEYS.items():
        client.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": key, "KeyType": "RANGE" if place else "HASH"}
                for place, key in enumerate(keys)
            ],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        )


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Take a visit, synchronously, as the club always did."""
    one = json.loads(event["body"])
    client = boto3.client("dynamodb", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    visit = {
        "member": one["employee_id"],
        "visit": one["event_id"],
        "club": one["program_id"],
        "kind": one["activity_type"],
        "at": one["occurred_at"],
    }
    item: Any = {name: {"S": value} for name, value in visit.items()}
    client.put_item(TableName="club-visits", Item={**item, "score": {"N": str(one["points"])}})
    for table in ("club-members", "club-clubs"):
        client.update_item(
            TableName=table,
            Key={key: item[key] for key in KEYS[table]},
            UpdateExpression="ADD #total :points, visits :one",
            ExpressionAttributeNames={"#total": "total"},
            ExpressionAttributeValues={":points": {"N": str(one["points"])}, ":one": {"N": "1"}},
        )
    return {"statusCode": 202, "body": "welcome"}


def rank(client: Any) -> None:
    """Write the board, as the club's nightly job does."""
    points: dict[str, int] = {}
    for row in client.scan(TableName="club-members")["Items"]:
        points[row["member"]["S"]] = points.get(row["member"]["S"], 0) + int(row["total"]["N"])
    ranks = [
        {"M": {name: {"S" if isinstance(value, str) else "N": str(value)} for name, value in one.items()}}
        for one in rebuild.rank(points, 100)
    ]
    client.put_item(TableName="club-boards", Item={"name": {"S": "global"}, "ranks": {"L": ranks}})
