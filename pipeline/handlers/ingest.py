"""Ingest: validate an activity, put one fact, answer. Nothing else happens while a client waits."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from typing import Final

from pipeline.domain.activity import MAX_BODY_BYTES, PARSED, Activity, Problem, format_time, parse_activity
from pipeline.handlers.http import Event, Request, Response, error_response, json_response
from pipeline.handlers.telemetry import emit
from pipeline.stores.clients import dynamodb
from pipeline.stores.errors import UnavailableError
from pipeline.stores.facts import PULSE, FactTable, PutResult

PATH: Final = "/activities"


def handler(event: Event, _context: object) -> Event:
    """Answer `POST /activities`, or a pulse, which no client can send; the contract is docs/contracts.md."""
    if "pulse" in event:
        return pulse(facts(), now()).to_event()
    started = time.perf_counter()
    response, outcome = accept(event, facts(), now())
    emit({outcome: 1, "DurationMs": round((time.perf_counter() - started) * 1000, 2)}, status=response.status)
    return response.to_event()


def accept(event: Event, table: FactTable, moment: datetime) -> tuple[Response, str]:
    """Decide a request; returns the answer and the name of the outcome as a metric."""
    activity = event.get(PARSED)
    if not isinstance(activity, Activity):
        activity = _read(Request.from_event(event), moment)
    if isinstance(activity, Response):
        return activity, "Rejected"
    try:
        result = table.put(activity, format_time(moment))
    except UnavailableError as error:
        emit({"StoreErrors": 1}, reason=str(error))
        return _UNAVAILABLE, "Unavailable"
    if result is PutResult.CONFLICT:
        return _CONFLICT, "Conflicts"
    accepted = {
        "status": "accepted",
        "employee_id": activity.employee_id,
        "event_id": activity.event_id,
    }
    return json_response(202, accepted), "Accepted" if result is PutResult.CREATED else "Duplicates"


def pulse(table: FactTable, moment: datetime) -> Response:
    """Store a pulse the way activities are stored."""
    at = format_time(moment)
    try:
        table.pulse(at)
    except UnavailableError as error:
        emit({"StoreErrors": 1}, reason=str(error))
        return _UNAVAILABLE
    return json_response(202, {"status": "accepted", "employee_id": PULSE, "event_id": at})


@cache
def facts() -> FactTable:
    """Return the fact table that the environment names."""
    return FactTable(dynamodb(), os.environ["FACTS_TABLE"])


def now() -> datetime:
    """Read the clock; the only place that ingest does."""
    return datetime.now(UTC)


def _refuse_request(request: Request) -> Response | None:
    if request.path != PATH:
        return error_response(404, "not_found", f"post activities to {PATH}")
    if request.method != "POST":
        return error_response(405, "method_not_allowed", "use POST", {"Allow": "POST"})
    if len(request.body) > MAX_BODY_BYTES:
        return error_response(413, "too_large", f"the body must be at most {MAX_BODY_BYTES} bytes")
    return None


def _read(request: Request, moment: datetime) -> Activity | Response:
    return _refuse_request(request) or _read_activity(request.body, moment)


def _read_activity(body: bytes, moment: datetime) -> Activity | Response:
    try:
        fields = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        return error_response(400, "invalid_json", "the body must be one JSON object")
    activity = parse_activity(fields, moment)
    return activity if isinstance(activity, Activity) else _invalid(activity)


def _invalid(problems: list[Problem]) -> Response:
    count = len(problems)
    message = "1 field breaks its rule" if count == 1 else f"{count} fields break their rule"
    return error_response(
        400, "invalid_activity", message, problems=[asdict(problem) for problem in problems]
    )


_CONFLICT: Final = error_response(
    409,
    "conflict",
    "event_id was already used by this employee for a different activity; send a new event_id",
)
_UNAVAILABLE: Final = error_response(
    503, "unavailable", "the activity was not accepted; send it again", {"Retry-After": "1"}
)
