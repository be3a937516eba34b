"""HTTP as Lambda sees it: one request, one response, for both event formats (2.0 and REST proxy 1.0)."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked. Header names are in lower case; `body` is as sent, decoded from base64."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def from_event(cls, event: Event) -> Request:
        """Read an event of a Function URL, an HTTP API (payload 2.0) or a REST API (proxy, 1.0)."""
        if "http" in event.get("requestContext", {}):
            method, path = event["requestContext"]["http"]["method"], event["rawPath"]
        else:
            method, path = event["httpMethod"], event["path"]
        return cls(
            method=method,
            path=path,
            query=event.get("queryStringParameters") or {},
            headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
            body=_body(event),
        )


@dataclass(frozen=True, slots=True)
class Response:
    """What a client is told."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_event(self) -> Event:
        """Write the answer both formats understand."""
        return {
            "statusCode": self.status,
            "headers": dict(self.headers),
            "body": self.body,
            "isBase64Encoded": False,
        }


def json_response(
    status: int, content: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> Response:
    """Answer compact JSON."""
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    # A client's own lone surrogate, echoed in a problem, could not be sent as UTF-8.
    text = text.encode("utf-8", "backslashreplace").decode()
    return Response(status, text, {"Content-Type": "application/json", **(headers or {})})


def error_response(
    status: int, error: str, message: str, headers: Mapping[str, str] | None = None, **more: object
) -> Response:
    """Answer an error: a stable code for programs, a remedy for people."""
    return json_response(status, {"error": error, "message": message, **more}, headers)


def _body(event: Event) -> bytes:
    text: str = event.get("body") or ""
    # A lone surrogate cannot be UTF-8; it is kept here so that the reader of the body refuses it.
    return base64.b64decode(text) if event.get("isBase64Encoded") else text.encode("utf-8", "surrogatepass")
