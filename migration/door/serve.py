"""The door for boards: ask the side that the client's reads are routed to, and answer what it answered."""

from __future__ import annotations

from typing import Any

from migration.door.control import control
from migration.door.counters import counters
from migration.door.counts import Role
from migration.door.event import Event, client_of
from migration.door.pulse import NOT_ROUTED, PULSE, READ, answer_pulse
from migration.door.sides import ask, handler_of, pinned
from migration.model.routing import route_read
from migration.model.side import Side
from migration.model.stages import Stage


def handler(event: Event, context: object) -> dict[str, Any]:
    """Answer `GET /leaderboard` from legacy or from the pipeline; in stage `off`, exactly as legacy alone."""
    current = control().current()
    if current.stage is Stage.OFF:
        return NOT_ROUTED if PULSE in event else handler_of(Side.LEGACY)(event, context)
    counted = counters(Role.SERVE)
    counted.route(current.epoch)
    try:
        if PULSE in event:
            return answer_pulse(READ, context, counted)
        return ask(route_read(current, client_of(event), pinned()), event, context, counted)
    finally:
        counted.send()
