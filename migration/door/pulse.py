"""The door's answer to a pulse: a request of a reserved kind, which no client can send.

    prober ── Lambda Invoke {"pulse": …} ──► door ──► the pipeline's own handler ──► fact ──► … ──► folded

What comes over HTTP always has the front's own event around it, so no client can make this one. Pulses go the
pipeline's way only, in every stage but `off`: legacy's totals have no place for what is no activity. They are
counted apart from clients' requests, which they would water down.
"""

from __future__ import annotations

from typing import Final

PULSE: Final = "pulse"
NOT_ROUTED: Final = {"statusCode": 204}
# What a pulse asks of boards: the global one, as a client would.
READ: Final = {
    "rawPath": "/leaderboard",
    "headers": {},
    "requestContext": {"http": {"method": "GET", "path": "/leaderboard"}},
}


def is_pulse(event: object) -> bool:
    """Whether an event is one; it may be anything that a function can be invoked with."""
    return isinstance(event, dict) and PULSE in event
