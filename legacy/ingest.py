"""Ingest: `POST /activities` in one synchronous call.

    PutItem event ---> ADD to the program ---> ADD to the employee ---> 202
                  ^                       ^
                  a failure here leaves a partial update; sending again adds again

No transaction, no idempotency, no buffer: that is the system that is being left. README.md numbers the flaws.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from boto3.dynamodb.conditions import Attr
from botocore.exceptions import BotoCoreError, ClientError

from legacy.activity import Activity, format_time, read_activity
from legacy.tables import dynamodb, table
from legacy.web import Request, answer, read_request, refuse

MAX_BODY_BYTES: Final = 8_192
_OUTCOMES: Final = {202: "Accepted", 409: "Conflicts", 503: "Unavailable"}
logger = Logger()
metrics = Metrics()


@metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer `POST /activities`; the contract is docs/contracts.md."""
    response = respond(read_request(event), now())
    status = response["statusCode"]
    metrics.add_metric(_OUTCOMES.get(status, "Rejected"), MetricUnit.Count, 1)
    logger.info("answered", status=status)
    return response


def now() -> datetime:
    """Read the clock; the only place that ingest does."""
    return datetime.now(UTC)


def respond(request: Request, moment: datetime) -> dict[str, Any]:
    """Check path, method, size, JSON and fields, in this order, then save."""
    if request.path != "/activities":
        return refuse(404, "not_found", "post activities to /activities")
    if request.method != "POST":
        return refuse(405, "method_not_allowed", "use POST", {"Allow": "POST"})
    if len(request.body) > MAX_BODY_BYTES:
        return refuse(413, "too_large", f"the body must be at most {MAX_BODY_BYTES} bytes")
    fields = _decode(request.body)
    if not isinstance(fields, dict):
        return refuse(400, "invalid_json", "the body must be one JSON object")
    activity = read_activity(fields, moment)
    if isinstance(activity, list):
        count = len(activity)
        message = "1 field breaks its rule" if count == 1 else f"{count} fields break their rule"
        return refuse(400, "invalid_activity", message, problems=activity)
    return _accept(activity, moment)


def _decode(body: bytes) -> object:
    try:
        fields: object = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return fields


def _accept(activity: Activity, moment: datetime) -> dict[str, Any]:
    try:
        _store_event(activity, moment)
        _add_to_program(activity)
        _add_to_employee(activity)
    except dynamodb().meta.client.exceptions.ConditionalCheckFailedException:
        message = "event_id was already used by this employee for a different activity; send a new event_id"
        return refuse(409, "conflict", message)
    except (BotoCoreError, ClientError):
        logger.exception("the activity was not accepted, or only partly")
        message = "the activity was not accepted; send it again"
        return refuse(503, "unavailable", message, {"Retry-After": "1"})
    accepted = {"status": "accepted", "employee_id": activity.employee_id, "event_id": activity.event_id}
    return answer(202, accepted)


def _store_event(activity: Activity, moment: datetime) -> None:
    same_content = (
        Attr("program_id").eq(activity.program_id)
        & Attr("activity_type").eq(activity.activity_type)
        & Attr("points").eq(activity.points)
        & Attr("occurred_at").eq(activity.occurred_at)
    )
    table("EVENTS_TABLE").put_item(
        Item={**activity.model_dump(), "received_at": format_time(moment)},
        ConditionExpression=Attr("event_id").not_exists() | same_content,
    )


def _add_to_program(activity: Activity) -> None:
    _add("PROGRAM_PROGRESS_TABLE", {"program_id": activity.program_id}, activity.points)


def _add_to_employee(activity: Activity) -> None:
    key = {"employee_id": activity.employee_id, "program_id": activity.program_id}
    _add("EMPLOYEE_PROGRESS_TABLE", key, activity.points)


def _add(variable: str, key: dict[str, str], points: int) -> None:
    table(variable).update_item(
        Key=key,
        UpdateExpression="ADD points :points, events :one",
        ExpressionAttributeValues={":points": points, ":one": 1},
    )
