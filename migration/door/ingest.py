"""The door for activities: name the event, mirror it, and answer what the side with authority answers."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

from migration.door.control import control, value_of
from migration.door.counters import counters
from migration.door.counts import Role
from migration.door.event import Brought, Event, read_activity
from migration.door.guard import quietly
from migration.door.mirror import TIMEOUT_S, ForwardMirror, Mirrored
from migration.door.pulse import NOT_ROUTED, is_pulse
from migration.door.sides import Course, SideAnswer, ask, handler_of, pinned, tell
from migration.door.wire import DynamoWire
from migration.model.routing import route_write
from migration.model.side import Side
from migration.model.stages import Stage
from pipeline.domain.activity import format_time
from pipeline.handlers.telemetry import emit

if TYPE_CHECKING:
    from migration.door.counters import DoorCounters
    from migration.model.stages import Control

_ACCEPTED: Final = 202


def handler(event: Event, context: object) -> Any:  # noqa: ANN401 - whatever a side's handler answers
    """Answer `POST /activities` as the side with authority does; in stage `off`, exactly as legacy alone."""
    current = value_of(control)
    if current.stage is Stage.OFF:
        return NOT_ROUTED if is_pulse(event) else handler_of(Side.LEGACY)(event, context)
    quietly(lambda: counted().route(current.epoch), None)
    if is_pulse(event):
        return ask(Course(Side.PIPELINE, event, (_count_pulse, _witness_pulse, _tell_counts)), context)
    brought = quietly(lambda: read_activity(event, now()), None)
    course = quietly(lambda: _course(current, event, brought), None)
    return ask(course or Course(route_write(current, "").authority, event), context)


def _course(current: Control, event: Event, brought: Brought | None) -> Course:
    # What neither side accepts, both refuse alike; the side with most authority says so.
    employee_id = "" if brought is None else brought.activity.employee_id
    route = route_write(current, employee_id, quietly(pinned, None))
    heard = (partial(tell, route.authority), partial(_count, route.authority))
    if brought is None:
        return Course(route.authority, event, (*heard, _tell_counts))
    if route.forward:
        quietly(lambda: mirror().begin(brought.activity, format_time(brought.at)), None)
    then = _finish_mirror if route.forward else _witness
    return Course(
        route.authority, brought.asked_of(route.authority), (*heard, partial(then, brought), _tell_counts)
    )


def _count(side: Side, answer: SideAnswer) -> None:
    counted().answered(side, answer.elapsed_ms, failed=answer.failed)


def _count_pulse(answer: SideAnswer) -> None:
    counted().pulsed(answer.elapsed_ms, failed=answer.failed)


def _witness(brought: Brought, answer: SideAnswer) -> None:
    if answer.status == _ACCEPTED:
        counted().stored(brought.activity.employee_id, brought.activity.event_id)


def _witness_pulse(answer: SideAnswer) -> None:
    if answer.status == _ACCEPTED:
        fact = json.loads(answer.given["body"])
        counted().stored(fact["employee_id"], fact["event_id"])


def _finish_mirror(brought: Brought, answer: SideAnswer) -> None:
    stored = quietly(lambda: mirror().finish(), Mirrored.MISSED)
    outcome = stored.beside(answer.status)
    quietly(lambda: emit({outcome: 1}), None)
    counted().mirrored(outcome)
    if stored is Mirrored.STORED:
        counted().stored(brought.activity.employee_id, brought.activity.event_id)


def _tell_counts(_: SideAnswer) -> None:
    counted().send()


def counted() -> DoorCounters:
    """Return this door's counters."""
    return counters(Role.INGEST)


def now() -> datetime:
    """Read the clock; the only place that the door does."""
    return datetime.now(UTC)


@cache
def mirror() -> ForwardMirror:
    """Return the process's forward mirror, with its one warm connection."""
    return ForwardMirror(os.environ["FACTS_TABLE"], DynamoWire(TIMEOUT_S))
