"""HTTP as legacy's functions see it: events of a Function URL or HTTP API (2.0) and of a REST API (1.0)."""

from __future__ import annotations

import base64
import json
from typing import Any, NamedTuple


class Request(NamedTuple):
    """The parts of an event that legacy reads."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes


def read_request(event: dict[str, Any]) -> Request:
    """Read an event of either format. Text that cannot be UTF-8 is kept, so that it is refused as such."""
    text = event.get("body") or ""
    body = base64.b64decode(text) if event.get("isBase64Encoded") else text.encode("utf-8", "surrogatepass")
    query = event.get("queryStringParameters") or {}
    if "http" in event.get("requestContext", {}):
        return Request(event["requestContext"]["http"]["method"], event["rawPath"], query, body)
    return Request(event["httpMethod"], event["path"], query, body)


def answer(status: int, content: dict[str, Any], headers: dict[str, str] | None = None) -> dict[str, Any]:
    """Answer compact JSON, in the form that both formats take."""
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"} | (headers or {}),
        # A lone surrogate, which only JSON can carry, goes back escaped: the runtime sends nothing but UTF-8.
        "body": text.encode("utf-8", "backslashreplace").decode(),
        "isBase64Encoded": False,
    }


def refuse(
    status: int, error: str, message: str, headers: dict[str, str] | None = None, **more: object
) -> dict[str, Any]:
    """Answer an error: a code for programs, a sentence for people."""
    return answer(status, {"error": error, "message": message, **more}, headers)
