"""Which AWS call an HTTP request is, and what an error looks like on that call's protocol.

Reads a request; never changes one. The service is the one that the request is signed for, so it is right for
every SDK.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SIGNED_FOR: Final = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
_CLIENT_PATH: Final = re.compile(r"/_aws/(lambda-url|execute-api)/[^/]+")
_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Call:
    """One request as AWS would name it: `dynamodb` `PutItem`, `lambda` `POST /2015-03-31/functions`.

    A client's request to a Function URL or an API is `lambda-url` or `execute-api`, its path without the
    prefix.
    """

    service: str
    operation: str
    body: bytes
    xml: bool


def headers_of(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Decode an ASGI header list; names in lower case."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in pairs}


def service_of(path: str, headers: Mapping[str, str]) -> str:
    """Name the service that a request is for; empty when nothing tells."""
    if client := _CLIENT_PATH.match(path):
        return client[1]
    signed = _SIGNED_FOR.search(headers.get("authorization", ""))
    return signed[1] if signed else ""


def read_call(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Call:
    """Name the call that a request makes."""
    service = service_of(path, headers)
    form = headers.get("content-type", "").startswith(_FORM)
    if target := headers.get("x-amz-target"):
        operation = target.rpartition(".")[2]
    elif form and (action := parse_qs(body.decode(errors="replace")).get("Action")):
        operation = action[0]
    else:
        operation = f"{method} {_CLIENT_PATH.sub('', path, count=1)}"
    return Call(service, operation, body, xml=form or service == "s3")


def error_answer(
    call: Call, code: str, message: str, extra: Mapping[str, object]
) -> tuple[dict[str, str], bytes]:
    """Write an error as the call's protocol has it; return headers and body."""
    if call.xml:
        error = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
        body = error if call.service == "s3" else f"<ErrorResponse>{error}</ErrorResponse>"
        return {"content-type": "text/xml"}, body.encode()
    headers = {"content-type": "application/x-amz-json-1.0", "x-amzn-errortype": code}
    if call.service == "sqs":
        headers["x-amzn-query-error"] = f"{code};Sender"
    # SDKs read the text from either member, depending on the service.
    fields = {"__type": code, "message": message, "Message": message, **extra}
    return headers, json.dumps(fields).encode()
