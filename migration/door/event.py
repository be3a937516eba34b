"""The little that the door reads of a request, in both event formats; the sides read the rest themselves."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final

from pipeline.domain.activity import MAX_BODY_BYTES, Activity, parse_activity

if TYPE_CHECKING:
    from datetime import datetime

Event = dict[str, Any]
PATH: Final = "/activities"


def read_activity(event: Event, now: datetime) -> Activity | None:
    """Read the activity that a request brings; None for anything that no side would accept."""
    if _method_and_path(event) != ("POST", PATH):
        return None
    try:
        body = _body(event)
        fields = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    if len(body) > MAX_BODY_BYTES or not isinstance(fields, dict):
        return None
    activity = parse_activity(fields, now)
    return activity if isinstance(activity, Activity) else None


def with_event_id(event: Event, event_id: str) -> Event:
    """Return the request with the event id in its activity, so that both sides name it alike."""
    fields = json.loads(_body(event))
    if "event_id" in fields:
        return event
    body = json.dumps({**fields, "event_id": event_id}, separators=(",", ":"), ensure_ascii=False)
    return {**event, "body": body, "isBase64Encoded": False}


def client_of(event: Event) -> str:
    """Name the client of a read, for sticky routing: its address and its program."""
    context = event.get("requestContext", {})
    about = context.get("http") or context.get("identity") or {}
    return f"{about.get('sourceIp', '')} {about.get('userAgent', '')}"


def _method_and_path(event: Event) -> tuple[str, str]:
    http = event.get("requestContext", {}).get("http")
    if http:
        return http["method"], event["rawPath"]
    return event["httpMethod"], event["path"]


def _body(event: Event) -> bytes:
    text: str = event.get("body") or ""
    return base64.b64decode(text) if event.get("isBase64Encoded") else text.encode()
