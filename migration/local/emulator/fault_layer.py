"""The ASGI application in front of the local AWS: carries out what the fault rules decide.

Passes every other request through untouched, without reading its body. Also answers `/_cutover/faults`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from hypercorn.events import RawData
from hypercorn.protocol.events import StreamClosed
from pydantic import ValidationError

from migration.local.emulator import local_tables
from migration.local.emulator.faults import PATH, Fault
from migration.local.emulator.named_items import items_of
from migration.local.emulator.wire import Call, error_answer, headers_of, read_call, service_of

if TYPE_CHECKING:
    from migration.local.emulator.fault_rules import Rules

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
_FRAMING: Final = (b"content-length", b"transfer-encoding", b"connection")


@dataclass(frozen=True, slots=True)
class FaultLayer:
    """Wraps `application` with the faults of `rules`."""

    application: Application
    rules: Rules

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
        elif scope["path"].startswith(PATH):
            await self._control(scope, receive, send)
        else:
            headers = headers_of(scope["headers"])
            if self.rules.concerns(service_of(scope["path"], headers)):
                body = await _body(receive)
                call = read_call(scope["method"], scope["path"], headers, body)
                await self._serve(call, scope, _again(body, receive), send)
            else:
                await self.application(scope, receive, send)

    async def _serve(self, call: Call, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        fault = self.rules.decide(call)
        if fault is None:
            await self.application(scope, receive, send)
            return
        try:
            if fault.kind not in ("drip", "lag"):
                await asyncio.sleep(fault.latency_ms / 1000)
            await self._meet(fault, call, scope, receive, send)
        finally:
            if fault.kind == "hold":
                self.rules.release(call)

    async def _meet(
        self, fault: Fault, call: Call, scope: MutableMapping[str, Any], receive: Receive, send: Send
    ) -> None:
        match fault.kind:
            case "latency" | "hold":
                await self.application(scope, receive, send)
            case "drop":
                await _hang_up(send)
            case "after":
                await self.application(scope, receive, _nowhere)
                await _refuse(call, fault, send)
            case "error":
                await _refuse(call, fault, send)
            case "answer":
                headers = {"content-type": "application/x-amz-json-1.0"}
                await _answer(send, fault.status, headers, fault.body.encode())
            case "drip":
                answer: list[Message] = []
                await self.application(scope, receive, _into(answer))
                await _drip(_raw(answer), fault.latency_ms / 1000, send)
            case "lag":
                with local_tables.as_it_was(fault.latency_ms):
                    await self.application(scope, receive, send)
            case "vanish":
                for item in items_of(call, self.rules.held.key_names):
                    local_tables.remove(item)
                await self.application(scope, receive, send)

    async def _control(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        match scope["method"], scope["path"].removeprefix(PATH).strip("/"):
            case "GET", "":
                await _answer_json(send, HTTPStatus.OK, self.rules.report())
            case "POST", "":
                await self._arm(await _body(receive), send)
            case "DELETE", fault_id:
                if fault_id:
                    self.rules.withdraw(fault_id)
                else:
                    self.rules.clear()
                await _answer_json(send, HTTPStatus.OK, {})
            case _:
                await _answer_json(send, HTTPStatus.NOT_FOUND, {"error": f"use GET, POST or DELETE {PATH}"})

    async def _arm(self, body: bytes, send: Send) -> None:
        try:
            fault = Fault.model_validate_json(body)
        except ValidationError as error:
            await _answer_json(send, HTTPStatus.BAD_REQUEST, {"error": str(error)})
        else:
            await _answer_json(send, HTTPStatus.OK, {"id": self.rules.arm(fault)})


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """Give the application the body that was read, and then whatever comes next on the connection."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


async def _nowhere(message: Message) -> None:
    """Swallow the answer of a call whose caller must not learn that it was applied."""


def _into(answer: list[Message]) -> Send:
    async def keep(message: Message) -> None:
        answer.append(message)

    return keep


def _raw(answer: list[Message]) -> bytes:
    """Write an answer as it goes over the wire, its connection ending with it."""
    start = next(message for message in answer if message["type"] == "http.response.start")
    body = b"".join(message.get("body", b"") for message in answer)
    kept = [pair for pair in start.get("headers", []) if pair[0].lower() not in _FRAMING]
    pairs = [*kept, (b"content-length", str(len(body)).encode()), (b"connection", b"close")]
    lines = [f"HTTP/1.1 {start['status']} {HTTPStatus(start['status']).phrase}".encode()]
    return b"\r\n".join([*lines, *(name + b": " + value for name, value in pairs), b"", body])


async def _drip(answer: bytes, pause_s: float, send: Send) -> None:
    """Send an answer byte by byte, past the server's own writing of it, until it or the caller has ended."""
    stream = _stream(send)
    connection = getattr(stream.send, "__self__")  # noqa: B009 - as below
    for byte in answer:
        if stream.closed:
            return
        await connection.send(RawData(data=bytes([byte])))
        await asyncio.sleep(pause_s)
    await _hang_up(send)


async def _refuse(call: Call, fault: Fault, send: Send) -> None:
    headers, body = error_answer(call, fault.code, fault.message, fault.extra)
    await _answer(send, fault.status, headers, body)


async def _hang_up(send: Send) -> None:
    """Close the connection without an answer: ASGI has no word for it, so the server's stream is asked."""
    stream = _stream(send)
    await stream.send(StreamClosed(stream_id=stream.stream_id))


def _stream(send: Send) -> Any:  # noqa: ANN401 - hypercorn's, behind the bound method that it passes
    return getattr(send, "__self__")  # noqa: B009 - bound methods have it, callables in general do not


async def _answer_json(send: Send, status: HTTPStatus, fields: dict[str, Any]) -> None:
    await _answer(send, status, {"content-type": "application/json"}, json.dumps(fields).encode())


async def _answer(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    pairs.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
