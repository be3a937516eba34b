"""HTTP as DynamoDB speaks it, in a process of its own; what is answered is the caller's business.

One event loop, and only the two headers that matter are read: a request costs 20 microseconds beside its
answer, so a client in Python is never held up by it. It ends when its input does, with whoever started it.
"""

from __future__ import annotations

import asyncio
import gc
import os
import re
import subprocess
import sys
import threading
import traceback
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT: Final = Path(__file__).parent.parent
_HEAD_END: Final = b"\r\n\r\n"
_OPERATION: Final = re.compile(rb"x-amz-target: *[^.\r]*\.(\w+)", re.IGNORECASE)
_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_REASONS: Final = {200: b"OK", 400: b"Bad Request"}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer.

    Attributes:
        content: the body, in parts.
        status: of HTTP.
        crc: the body's checksum, where it is known already.
    """

    content: tuple[bytes, ...] = ()
    status: int = 200
    crc: int | None = None

    def written(self) -> tuple[bytes, ...]:
        """Give the bytes to send."""
        crc = self.crc
        if crc is None:
            crc = 0
            for part in self.content:
                crc = zlib.crc32(part, crc)
        head = b"HTTP/1.1 %d %b\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n" % (
            self.status,
            _REASONS[self.status],
            sum(map(len, self.content)),
        )
        return (head + b"x-amz-crc32: %d\r\n\r\n" % crc, *self.content)


if TYPE_CHECKING:
    Answer = Callable[[str, bytes], Reply]


@contextmanager
def in_its_own_process(module: str, *arguments: object) -> Iterator[str]:
    """Run a module that calls `serve`, and give its URL."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    with subprocess.Popen(  # noqa: S603 - our own code, in our own interpreter
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        finally:
            server.stdin.close()


def serve(answer: Answer) -> None:
    """Print a free port of 127.0.0.1, and answer there until the input ends."""
    gc.collect()
    gc.freeze()
    gc.disable()  # nothing here makes cycles, and a pass over millions of items takes seconds
    asyncio.run(_serve(answer))


async def _serve(answer: Answer) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    server = await loop.create_server(lambda: _Connection(answer), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    threading.Thread(target=_await_end, args=(loop, ended), daemon=True).start()
    await ended.wait()


def _await_end(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    sys.stdin.read()
    loop.call_soon_threadsafe(ended.set)


class _Connection(asyncio.Protocol):
    """One client's connection; its requests are answered in turn."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (request := self._next()) is not None:
            try:
                reply = self._answer(*request)
            except Exception:  # noqa: BLE001 - nothing may go on beside a call that was never answered
                traceback.print_exc()
                os._exit(os.EX_SOFTWARE)
            if self._transport is not None and not self._transport.is_closing():
                self._transport.writelines(reply.written())

    def _next(self) -> tuple[str, bytes] | None:
        """Take one request off what was received, if all of it is there."""
        end = self._received.find(_HEAD_END)
        if end < 0:
            return None
        head = bytes(self._received[:end])
        operation, length = _OPERATION.search(head), _LENGTH.search(head)
        assert operation
        assert length
        begin = end + len(_HEAD_END)
        until = begin + int(length[1])
        if len(self._received) < until:
            return None
        body = bytes(self._received[begin:until])
        del self._received[:until]
        return operation[1].decode(), body
