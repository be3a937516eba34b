"""The little that the door reads of a request, in both event formats; the sides read the rest themselves."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from migration.model.side import Side
from pipeline.domain.activity import MAX_BODY_BYTES, PARSED, Activity, parse_activity

if TYPE_CHECKING:
    from datetime import datetime

Event = dict[str, Any]
PATH: Final = "/activities"


@dataclass(frozen=True, slots=True)
class Brought:
    """An activity, and the request that brought it.

    Attributes:
        activity: as it is parsed, once for all who need it here.
        event: the request with the event id in its activity, so that both sides name it alike.
        at: when the door read it.
    """

    activity: Activity
    event: Event
    at: datetime

    def asked_of(self, side: Side) -> Event:
        """Give a side the request; the pipeline, which runs in this process, need not parse it again."""
        return self.event if side is Side.LEGACY else {**self.event, PARSED: self.activity}


def read_activity(event: Event, now: datetime) -> Brought | None:
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
    if not isinstance(activity, Activity):
        return None
    named = event if "event_id" in fields else _named(event, fields, activity.event_id)
    return Brought(activity, named, now)


def client_of(event: Event) -> str:
    """Name the client of a read, for sticky routing: its address and its program."""
    context = event.get("requestContext", {})
    about = context.get("http") or context.get("identity") or {}
    return f"{about.get('sourceIp', '')} {about.get('userAgent', '')}"


def _named(event: Event, fields: dict[str, Any], event_id: str) -> Event:
    body = json.dumps({**fields, "event_id": event_id}, separators=(",", ":"), ensure_ascii=False)
    return {**event, "body": body, "isBase64Encoded": False}


def _method_and_path(event: Event) -> tuple[str, str]:
    http = event.get("requestContext", {}).get("http")
    if http:
        return http["method"], event["rawPath"]
    return event["httpMethod"], event["path"]


def _body(event: Event) -> bytes:
    text: str = event.get("body") or ""
    return base64.b64decode(text) if event.get("isBase64Encoded") else text.encode()
