"""The door's answer to a pulse: a request of a reserved kind, which no client can send.

    prober ── Lambda Invoke {"pulse": …} ──► door ──► the pipeline's own handler ──► fact ──► … ──► folded

What comes over HTTP always has the front's own event around it, so no client can make this one. Pulses go the
pipeline's way only, in every stage but `off`: legacy's totals have no place for what is no activity. They are
counted apart from clients' requests, which they would water down.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from migration.door.sides import ACCEPTED, ask
from migration.door.spared import spared
from migration.model.side import Side

if TYPE_CHECKING:
    from migration.door.counters import DoorCounters
    from migration.door.event import Event
    from migration.door.sides import SideAnswer

PULSE: Final = "pulse"
NOT_ROUTED: Final = {"statusCode": 204}
# What a pulse asks of boards: the global one, as a client would.
READ: Final = {
    "rawPath": "/leaderboard",
    "headers": {},
    "requestContext": {"http": {"method": "GET", "path": "/leaderboard"}},
}


def is_pulse(event: Event) -> bool:
    """Whether it is one."""
    return isinstance(event, dict) and PULSE in event


def answer_pulse(event: Event, context: object, counted: DoorCounters | None) -> Any:  # noqa: ANN401 - a side's own
    """Have the pipeline answer a pulse."""
    return ask(Side.PIPELINE, event, context, partial(_count, counted))


def _count(counted: DoorCounters | None, answered: SideAnswer) -> None:
    if counted is None:
        return
    counted.pulsed(answered.elapsed_ms, failed=answered.failed)
    if answered.status == ACCEPTED:
        spared(None, _witness, counted, answered)
    counted.send()


def _witness(counted: DoorCounters, answered: SideAnswer) -> None:
    fact = json.loads(answered.answer["body"])
    counted.stored(fact["employee_id"], fact["event_id"])
