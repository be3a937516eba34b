"""The door for boards: ask the side that the client's reads are routed to, and answer what it answered."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from migration.door.concluding import Asked, answer, answer_alone, begin, connect_early
from migration.door.control import control
from migration.door.counters import counters
from migration.door.counts import Role
from migration.door.event import Event, client_of
from migration.door.pulse import NOT_ROUTED, READ, answer_pulse, is_pulse
from migration.door.sides import pinned
from migration.door.spared import spared
from migration.model.routing import route_read
from migration.model.stages import Stage

if TYPE_CHECKING:
    from migration.model.side import Side
    from migration.model.stages import Control


def handler(event: Event, context: object) -> Any:  # noqa: ANN401 - a side's own
    """Answer `GET /leaderboard` from legacy or from the pipeline; in stage `off`, exactly as legacy alone."""
    current, counted = begin(control, partial(counters, Role.SERVE))
    if current.stage is Stage.OFF:
        return NOT_ROUTED if is_pulse(event) else answer_alone(event, context, counted)
    if is_pulse(event):
        return answer_pulse(READ, context, counted)
    side = spared(None, _route, current, event) or route_read(current, "")
    return answer(Asked(side, event), context, counted)


def _route(current: Control, event: Event) -> Side:
    return route_read(current, client_of(event), pinned())


connect_early(control, partial(counters, Role.SERVE))
