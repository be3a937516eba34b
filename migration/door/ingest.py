"""The door for activities: name the event, mirror it, and answer what the side with authority answers."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from migration.door.control import control
from migration.door.counters import counters
from migration.door.counts import Role
from migration.door.event import Event, read_activity
from migration.door.mirror import TIMEOUT_S, ForwardMirror, Mirrored
from migration.door.pulse import NOT_ROUTED, PULSE, answer_pulse
from migration.door.sides import ask, count, handler_of, pinned
from migration.door.wire import DynamoWire
from migration.model.routing import route_write
from migration.model.side import Side
from migration.model.stages import Stage
from pipeline.domain.activity import format_time

if TYPE_CHECKING:
    from migration.door.counters import DoorCounters
    from migration.model.stages import Control
    from pipeline.domain.activity import Activity

_ACCEPTED: Final = 202


def handler(event: Event, context: object) -> dict[str, Any]:
    """Answer `POST /activities` as the side with authority does; in stage `off`, exactly as legacy alone."""
    current = control().current()
    if current.stage is Stage.OFF:
        return NOT_ROUTED if PULSE in event else handler_of(Side.LEGACY)(event, context)
    counted = counters(Role.INGEST)
    counted.route(current.epoch)
    try:
        if PULSE in event:
            return _answer_pulse(event, context, counted)
        return _answer(current, event, context, counted)
    finally:
        counted.send()


def _answer(current: Control, event: Event, context: object, counted: DoorCounters) -> dict[str, Any]:
    moment = now()
    brought = read_activity(event, moment)
    # What neither side accepts, both refuse alike; the side with most authority says so.
    route = route_write(current, "" if brought is None else brought.activity.employee_id, pinned())
    if brought is None:
        return ask(route.authority, event, context, counted)
    activity, event = brought.activity, brought.asked_of(route.authority)
    if not route.forward:
        answer = ask(route.authority, event, context, counted)
        if answer["statusCode"] == _ACCEPTED:
            counted.stored(activity.employee_id, activity.event_id)
        return answer
    mirror().begin(activity, format_time(moment))
    status = 0
    try:
        answer = ask(route.authority, event, context, counted)
        status = answer["statusCode"]
        return answer
    finally:
        _finish_mirror(activity, status, counted)


def _answer_pulse(event: Event, context: object, counted: DoorCounters) -> dict[str, Any]:
    answer = answer_pulse(event, context, counted)
    if answer["statusCode"] == _ACCEPTED:
        fact = json.loads(answer["body"])
        counted.stored(fact["employee_id"], fact["event_id"])
    return answer


def _finish_mirror(activity: Activity, status: int, counted: DoorCounters) -> None:
    stored = mirror().finish()
    outcome = stored.beside(status)
    count(outcome)
    counted.mirrored(outcome)
    if stored is Mirrored.STORED:
        counted.stored(activity.employee_id, activity.event_id)


def now() -> datetime:
    """Read the clock; the only place that the door does."""
    return datetime.now(UTC)


@cache
def mirror() -> ForwardMirror:
    """Return the process's forward mirror, with its one warm connection."""
    return ForwardMirror(os.environ["FACTS_TABLE"], DynamoWire(TIMEOUT_S))
