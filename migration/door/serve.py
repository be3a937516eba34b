"""The door for boards: ask the side that the client's reads are routed to, and answer what it answered."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from migration.door.control import control, value_of
from migration.door.counters import counters
from migration.door.counts import Role
from migration.door.event import Event, client_of
from migration.door.guard import quietly
from migration.door.pulse import NOT_ROUTED, READ, is_pulse
from migration.door.sides import Course, SideAnswer, ask, handler_of, pinned, tell
from migration.model.routing import route_read
from migration.model.side import Side
from migration.model.stages import Stage

if TYPE_CHECKING:
    from migration.door.counters import DoorCounters
    from migration.model.stages import Control


def handler(event: Event, context: object) -> Any:  # noqa: ANN401 - whatever a side's handler answers
    """Answer `GET /leaderboard` from legacy or from the pipeline; in stage `off`, exactly as legacy alone."""
    current = value_of(control)
    if current.stage is Stage.OFF:
        return NOT_ROUTED if is_pulse(event) else handler_of(Side.LEGACY)(event, context)
    quietly(lambda: counted().route(current.epoch), None)
    if is_pulse(event):
        return ask(Course(Side.PIPELINE, READ, (_count_pulse, _tell_counts)), context)
    course = quietly(lambda: _course(current, event), None)
    return ask(course or Course(route_read(current, "", None), event), context)


def _course(current: Control, event: Event) -> Course:
    side = route_read(current, quietly(lambda: client_of(event), ""), quietly(pinned, None))
    return Course(side, event, (partial(tell, side), partial(_count, side), _tell_counts))


def _count(side: Side, answer: SideAnswer) -> None:
    counted().answered(side, answer.elapsed_ms, failed=answer.failed)


def _count_pulse(answer: SideAnswer) -> None:
    counted().pulsed(answer.elapsed_ms, failed=answer.failed)


def _tell_counts(_: SideAnswer) -> None:
    counted().send()


def counted() -> DoorCounters:
    """Return this door's counters."""
    return counters(Role.SERVE)
