"""The two sides, asked through their own handlers: named in the environment, so the door wraps anybody's.

the side's handler ──► its answer, or what it raised: the client's, as it is
└──► what the door makes of it: counts, the mirror; never the client's
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from migration.door.conflicts import conflicts_retried
from migration.door.spared import spared
from migration.model.side import Side

if TYPE_CHECKING:
    from collections.abc import Callable

    from migration.door.event import Event

    Handler = Callable[[Event, object], Any]

RAISED: Final = 0  # instead of a status
OK: Final = 200
ACCEPTED: Final = 202
SERVER_ERROR: Final = 500
_NO_ANSWER: Final = object()


@dataclass(frozen=True, slots=True)
class SideAnswer:
    """How a side answered.

    Attributes:
        side: which.
        answer: whatever it was.
        status: as the client sees it; `RAISED` where it sees a function that failed.
        elapsed_ms: how long it took.
    """

    side: Side
    answer: Any
    status: int
    elapsed_ms: float

    @property
    def failed(self) -> bool:
        """Whether the side is to blame."""
        return self.status == RAISED or self.status >= SERVER_ERROR

    @property
    def succeeded(self) -> bool:
        """Whether the client was told that it is done."""
        return OK <= self.status < 300  # noqa: PLR2004 - HTTP's successes


@cache
def handler_of(side: Side) -> Handler:
    """Import a side's handler when first needed: `LEGACY_HANDLER` or `PIPELINE_HANDLER`."""
    module, _, function = os.environ[f"{side.upper()}_HANDLER"].rpartition(".")
    handler: Handler = getattr(import_module(module), function)
    return handler


@cache
def pinned() -> Side | None:
    """Return the side that an alias chose with this version: `PINNED_SIDE`; None where the door chooses."""
    side = os.environ.get("PINNED_SIDE")
    return Side(side) if side else None


def ask(side: Side, event: Event, context: object, conclude: Callable[[SideAnswer], None]) -> Any:  # noqa: ANN401 - a side's own
    """Have a side answer; the door concludes what it likes, and the client gets the answer as it is."""
    answer, started = _NO_ANSWER, time.perf_counter()
    try:
        with conflicts_retried():
            answer = handler_of(side)(event, context)
    finally:
        elapsed_ms = (time.perf_counter() - started) * 1000
        spared(None, _conclude, side, answer, elapsed_ms, conclude)
    return answer


def _conclude(side: Side, answer: object, elapsed_ms: float, conclude: Callable[[SideAnswer], None]) -> None:
    status = RAISED if answer is _NO_ANSWER else spared(OK, status_of, answer)
    conclude(SideAnswer(side, answer, status, elapsed_ms))


def status_of(answer: Any) -> int:  # noqa: ANN401 - a side's own
    """Read an answer's status; one that names none is a success, as a Function URL makes it."""
    named = answer.get("statusCode") if isinstance(answer, dict) else None
    try:
        return OK if named is None else int(named)
    except (TypeError, ValueError, OverflowError):
        return OK
