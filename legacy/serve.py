"""Serve: `GET /leaderboard` and `GET /leaderboard?program=P`, as last rebuilt, with no sign of its age."""

from __future__ import annotations

import json
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from legacy.activity import MAX_ID_CHARACTERS
from legacy.tables import table
from legacy.web import Request, answer, read_request, refuse

logger = Logger()


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer a board; the contract is docs/contracts.md."""
    response = respond(read_request(event))
    logger.info("answered", status=response["statusCode"])
    return response


def respond(request: Request) -> dict[str, Any]:
    """Check path, method and query, in this order, then read the board."""
    if request.path != "/leaderboard":
        return refuse(404, "not_found", "boards are at /leaderboard")
    if request.method != "GET":
        return refuse(405, "method_not_allowed", "use GET", {"Allow": "GET"})
    program = request.query.get("program")
    if request.query and (len(request.query) > 1 or not program):
        return refuse(400, "invalid_query", "use no parameter, or program=P")
    board = f"program#{program}" if program else "global"
    try:
        entries = _entries(board)
    except (BotoCoreError, ClientError):
        logger.exception("the board could not be read")
        return refuse(503, "unavailable", "the board could not be read", {"Retry-After": "1"})
    if entries is None:
        return refuse(404, "unknown_board", "no activity of this program has been ranked yet")
    return answer(200, {"board": board, "entries": entries})


def _entries(board: str) -> list[dict[str, Any]] | None:
    """Read a board; a program that has none is unknown, while nobody on the global one is an answer."""
    if len(board) > len("program#") + MAX_ID_CHARACTERS:
        return None  # longer than any id, and soon longer than DynamoDB takes as a key
    item = table("LEADERBOARD_TABLE").get_item(Key={"board": board}).get("Item")
    if item is None:
        return [] if board == "global" else None
    entries: list[dict[str, Any]] = json.loads(str(item["entries"]))
    return entries
