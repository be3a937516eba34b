"""Serve: the newest snapshot of a board with its freshness, and the dashboard's three static files."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipeline.domain.activity import MAX_ID_CHARACTERS
from pipeline.domain.ranking import GLOBAL_BOARD, PROGRAMS_BOARD, program_board
from pipeline.domain.snapshot import with_freshness
from pipeline.handlers.http import Event, Request, Response, error_response, json_response
from pipeline.handlers.telemetry import emit
from pipeline.stores.clients import dynamodb
from pipeline.stores.errors import UnavailableError
from pipeline.stores.snapshots import SnapshotTable

if TYPE_CHECKING:
    from collections.abc import Mapping

PATH: Final = "/leaderboard"
ASSETS: Final = {
    "/": ("text/html", ("index.html",)),
    "/app.js": ("text/javascript", ("app.js",)),
    "/style.css": ("text/css", ("base.css", "dashboard.css")),  # reports begin with the first as well
}
_LONGEST_BOARD: Final = len(program_board("")) + MAX_ID_CHARACTERS
_WEB: Final = Path(__file__).parent.parent / "web"
_PAGE_HEADERS: Final = {
    "Cache-Control": "public, max-age=300",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def handler(event: Event, _context: object) -> Event:
    """Answer `GET /leaderboard` and the dashboard's files; the contract is docs/contracts.md."""
    request = Request.from_event(event)
    response = answer(request, snapshots(), datetime.now(UTC))
    emit({"Served": 1}, path=request.path[:64], status=response.status)
    return _with_cors(response, request).to_event()


def answer(request: Request, table: SnapshotTable, moment: datetime) -> Response:
    """Decide a request; CORS headers are added by the handler."""
    if request.path not in {PATH, *ASSETS}:
        return error_response(404, "not_found", f"boards are at {PATH}")
    if request.method == "OPTIONS":
        return Response(204)
    if request.method not in {"GET", "HEAD"}:
        return error_response(405, "method_not_allowed", "use GET", {"Allow": "GET, HEAD, OPTIONS"})
    response = _asset(request.path) if request.path in ASSETS else _board(request, table, moment)
    return Response(response.status, "", response.headers) if request.method == "HEAD" else response


@cache
def snapshots() -> SnapshotTable:
    """Return the snapshot table that the environment names."""
    return SnapshotTable(dynamodb(), os.environ["SNAPSHOTS_TABLE"])


def read_board_name(query: Mapping[str, str]) -> str | None:
    """Name the board that a query asks for; None when the query is wrong."""
    if not query:
        return GLOBAL_BOARD
    if set(query) == {"program"} and query["program"]:
        return program_board(query["program"])
    return PROGRAMS_BOARD if query == {"board": PROGRAMS_BOARD} else None


def _board(request: Request, table: SnapshotTable, moment: datetime) -> Response:
    board = read_board_name(request.query)
    if board is None:
        return error_response(400, "invalid_query", "use no parameter, program=P, or board=programs")
    try:
        known = len(board) <= _LONGEST_BOARD and board.isprintable()
        snapshot = table.latest(board) if known else None
        if snapshot is None:
            return _missing(board, table)
    except UnavailableError as error:
        emit({"StoreErrors": 1}, reason=str(error))
        return error_response(503, "unavailable", "the board could not be read", {"Retry-After": "1"})
    fresh = with_freshness(snapshot, moment, timedelta(seconds=int(os.environ["STALE_AFTER_S"])))
    return _tagged(fresh, request.headers.get("if-none-match", ""))


def _missing(board: str, table: SnapshotTable) -> Response:
    """Tell an unknown board from one that is still to come."""
    if board == GLOBAL_BOARD or table.latest(GLOBAL_BOARD) is None:
        return error_response(
            503, "no_snapshot_yet", "the first snapshot is still to come", {"Retry-After": "30"}
        )
    return error_response(404, "unknown_board", "no activity of this program has been folded yet")


def _tagged(fresh: Mapping[str, Any], known_tags: str) -> Response:
    """Answer 304 to who has this version in this state; weak, since the age in the body differs."""
    tag = f'W/"{fresh["version"]}{"-stale" if fresh["stale"] else ""}"'
    headers = {"ETag": tag, "Cache-Control": "private, max-age=5"}
    if known_tags.strip() == "*" or tag in (known.strip() for known in known_tags.split(",")):
        return Response(304, "", headers)
    return json_response(200, fresh, headers)


@cache
def _asset(path: str) -> Response:
    kind, names = ASSETS[path]
    text = "\n".join((_WEB / name).read_text(encoding="utf-8") for name in names)
    return Response(200, text, {"Content-Type": f"{kind}; charset=utf-8", **_PAGE_HEADERS})


def _with_cors(response: Response, request: Request) -> Response:
    allowed = os.environ["CORS_ORIGIN"]
    origin = request.headers.get("origin", "")
    headers = {**response.headers, "Vary": "Origin"}
    if origin and allowed in {"*", origin}:
        headers |= {
            "Access-Control-Allow-Origin": allowed,
            "Access-Control-Expose-Headers": "ETag, Retry-After",
        }
        if request.method == "OPTIONS":
            headers |= {
                "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
                "Access-Control-Allow-Headers": "If-None-Match, X-Api-Key",
                "Access-Control-Max-Age": "600",
            }
    return Response(response.status, response.body, headers)
