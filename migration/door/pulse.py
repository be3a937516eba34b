"""The door's answer to a pulse: a request of a reserved kind, which no client can send.

    prober ── Lambda Invoke {"pulse": …} ──► door ──► the pipeline's own handler ──► fact ──► … ──► folded

What comes over HTTP always has the front's own event around it, so no client can make this one. Pulses go the
pipeline's way only, in every stage but `off`: legacy's totals have no place for what is no activity. They are
counted apart from clients' requests, which they would water down.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from migration.door.sides import SERVER_ERROR, handler_of
from migration.model.side import Side

if TYPE_CHECKING:
    from migration.door.counters import DoorCounters
    from migration.door.event import Event

PULSE: Final = "pulse"
NOT_ROUTED: Final = {"statusCode": 204}
# What a pulse asks of boards: the global one, as a client would.
READ: Final = {
    "rawPath": "/leaderboard",
    "headers": {},
    "requestContext": {"http": {"method": "GET", "path": "/leaderboard"}},
}


def answer_pulse(event: Event, context: object, counted: DoorCounters) -> dict[str, Any]:
    """Have the pipeline answer a pulse."""
    started, failed = time.perf_counter(), True
    try:
        answer = handler_of(Side.PIPELINE)(event, context)
        failed = answer["statusCode"] >= SERVER_ERROR
    finally:
        counted.pulsed((time.perf_counter() - started) * 1000, failed=failed)
    return answer
