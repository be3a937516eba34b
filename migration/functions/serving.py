"""Both sides' serving, timed: their own handlers run here, one after the other, as the front door runs them.

Neither network nor routing is in the time, so the two are measured alike; what a client sees besides is the
same for both.
"""

from __future__ import annotations

import os
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from migration.model.side import Side

_OK: Final = 200
_REQUEST: Final = {
    "rawPath": "/leaderboard",
    "headers": {},
    "requestContext": {"http": {"method": "GET", "path": "/leaderboard"}},
}
logger = Logger()


class OwnHandlers:
    """The handlers that `LEGACY_HANDLER` and `PIPELINE_HANDLER` name."""

    def latency_ms(self, side: Side) -> float | None:
        """Have a side serve the global board; only the second of two goes is timed, once it is warm."""
        serve = _handler_of(side)
        try:
            serve(dict(_REQUEST), None)
            started = time.perf_counter()
            answer = serve(dict(_REQUEST), None)
        except Exception:
            logger.exception("a side could not serve", side=side)
            return None
        elapsed = round((time.perf_counter() - started) * 1000, 3)
        return elapsed if answer["statusCode"] == _OK else None


def _handler_of(side: Side) -> Callable[[dict[str, Any], object], dict[str, Any]]:
    module, _, function = os.environ[f"{side.upper()}_HANDLER"].rpartition(".")
    handler: Callable[[dict[str, Any], object], dict[str, Any]] = getattr(import_module(module), function)
    return handler
