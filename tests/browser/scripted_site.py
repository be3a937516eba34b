"""A pipeline that does as it is told: the dashboard's files under a prefix, and scripted answers.

Decides nothing about the page. Files and their headers come from the real handler, boards from the real
layout; only when to answer what is scripted. Every request is remembered, so that a test can ask about it.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from pipeline.domain.activity import format_time
from pipeline.domain.fold import Fold
from pipeline.domain.ranking import Entry
from pipeline.domain.snapshot import Sources, body, with_freshness
from pipeline.handlers import serve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PREFIX: Final = "/some/stage/"
LONGEST_HANG_S: Final = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """What the endpoint says from now on; with `key` only to who sends it, with `hangs` only at last."""

    body: object
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs: bool = False
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """One request: its decoded query, its headers (names in lower case), when, and the status it got."""

    query: str
    headers: Mapping[str, str]
    at_s: float
    status: int


class Site:
    """A running server.

    Attributes:
        pace: attributes of the page's body, in milliseconds.
        answers: by decoded query; a query without one asks for an unknown board.
        seen: the requests to the endpoint.
        strays: requests for anything that is not there.
        date: the Date header from now on, as a cache in between may repeat an old one; None for the true one.
    """

    def __init__(self, pace: Mapping[str, int]) -> None:
        self.pace = dict(pace)
        self.answers: dict[str, Answer] = {}
        self.seen: list[Seen] = []
        self.strays: list[str] = []
        self.released = threading.Event()
        self.date: str | None = None
        self.url = ""

    def asked(self, query: str = "") -> list[Seen]:
        return [seen for seen in self.seen if seen.query == query]

    def paced(self, text: str) -> str:
        """Set the pace in the page's own attributes, so that a test need not wait as long as a visitor."""
        for attribute, milliseconds in self.pace.items():
            text, count = re.subn(rf'{attribute}="\d+"', f'{attribute}="{milliseconds}"', text)
            assert count == 1, f"index.html sets no {attribute}"
        return text


def board(
    entries: Sequence[Entry] = (),
    name: str = "global",
    age: timedelta = timedelta(seconds=3),
    stale_after: timedelta = timedelta(days=1),
    **changes: object,
) -> dict[str, Any]:
    """Make a board as the pipeline does, taken `age` ago; `changes` replace what it would say."""
    now = datetime.now(UTC)
    fold = Fold(sum(e.points for e in entries), sum(e.events for e in entries), 98765432109876543210)
    sources = Sources(format_time(now - age), format_time(now - age - timedelta(seconds=1.9)), pending=0)
    return with_freshness(body(name, sources, fold, entries), now, stale_after) | changes


def entry(rank: int, name: str, points: int, previous_rank: int | None = None) -> Entry:
    return Entry(rank, name, points, points // 30 + 1, previous_rank)


UNKNOWN: Final = Answer({"error": "unknown_board", "message": "there is no such board"}, status=404)
FORBIDDEN: Final = Answer({"message": "Forbidden"}, status=403)
BROKEN: Final = Answer({"message": "Internal Server Error"}, status=500)
HANGING: Final = Answer({}, hangs=True)


def no_snapshot_yet(retry_after_s: int) -> Answer:
    return Answer({"error": "no_snapshot_yet", "message": "soon"}, 503, {"Retry-After": str(retry_after_s)})


@contextmanager
def running(site: Site) -> Iterator[Site]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"site": site}))
    server.daemon_threads = True
    server.block_on_close = False
    site.url = f"http://127.0.0.1:{server.server_port}{PREFIX}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.released.set()
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        address, _, query = self.path.partition("?")
        path = f"/{address.removeprefix(PREFIX)}" if address.startswith(PREFIX) else ""
        if path == serve.PATH:
            self._answer(unquote(query))
        elif path in serve.ASSETS:
            file = serve._asset(path)
            text = self.site.paced(file.body) if path == "/" else file.body
            self._send(200, text.encode(), {**file.headers, "Cache-Control": "no-store"})
        else:
            self.site.strays.append(self.path)
            self._send(404, b"", {})

    def _answer(self, query: str) -> None:
        answer = self.site.answers.get(query, UNKNOWN)
        if answer.key is not None and self.headers["x-api-key"] != answer.key:
            answer = FORBIDDEN
        text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        status, content = answer.status, text.encode()
        headers = {"Content-Type": "application/json", **answer.headers}
        if status == HTTPStatus.OK:
            headers["ETag"] = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
            if self.headers["If-None-Match"] == headers["ETag"]:
                status, content = HTTPStatus.NOT_MODIFIED, b""
        sent = {name.lower(): value for name, value in self.headers.items()}
        self.site.seen.append(Seen(query, sent, time.monotonic(), status))
        if answer.hangs:
            self.site.released.wait(LONGEST_HANG_S)
        self._send(status, content, headers)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return self.site.date or super().date_time_string(timestamp)

    def _send(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(content)))
        with suppress(ConnectionError):  # the page may have given up
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Keep the test's output clean; `seen` is the log."""
