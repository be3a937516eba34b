"""The door for activities: name the event, mirror it, and answer what the side with authority answers."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from migration.door.concluding import (
    NOTHING_CAME,
    Asked,
    Came,
    answer,
    answer_alone,
    begin,
    connect_early,
    nothing_came,
)
from migration.door.control import control
from migration.door.counters import counters
from migration.door.counts import Role
from migration.door.event import Event, is_posted, read_activity
from migration.door.mirror import TIMEOUT_S, ForwardMirror, Mirrored
from migration.door.pulse import NOT_ROUTED, answer_pulse, is_pulse
from migration.door.sides import ACCEPTED, pinned
from migration.door.spared import spared
from migration.door.wire import DynamoWire
from migration.model.routing import route_write
from migration.model.stages import Stage
from pipeline.domain.activity import format_time

if TYPE_CHECKING:
    from migration.door.counters import DoorCounters
    from migration.door.sides import SideAnswer
    from migration.model.stages import Control
    from pipeline.domain.activity import Activity


def handler(event: Event, context: object) -> Any:  # noqa: ANN401 - a side's own
    """Answer `POST /activities` as the side with authority does; in stage `off`, exactly as legacy alone."""
    current, counted = begin(control, partial(counters, Role.INGEST))
    if current.stage is Stage.OFF:
        return NOT_ROUTED if is_pulse(event) else answer_alone(event, context, counted)
    if is_pulse(event):
        return answer_pulse(event, context, counted)
    return _answer(current, event, context, counted)


def _answer(current: Control, event: Event, context: object, counted: DoorCounters | None) -> Any:  # noqa: ANN401 - a side's own
    asked = spared(None, _route, current, event) or _route_unread(current, event)
    return answer(asked, context, counted)


def _route(current: Control, event: Event) -> Asked | None:
    moment = now()
    brought = read_activity(event, moment)
    if brought is None:
        return None
    activity = brought.activity
    route = route_write(current, activity.employee_id, pinned())
    event = brought.asked_of(route.authority)
    if not route.forward:
        return Asked(route.authority, event, partial(_accepted, activity))
    spared(None, _begin_mirror, activity, moment)
    return Asked(route.authority, event, partial(_mirrored, activity))


def _route_unread(current: Control, event: Event) -> Asked:
    """Route what is no activity: both sides refuse it alike, and the side with most authority says so."""
    route = route_write(current, "", spared(None, pinned))
    return Asked(route.authority, event, partial(_unmirrored, event) if route.forward else nothing_came)


def _accepted(activity: Activity, answered: SideAnswer) -> Came:
    return _stored(activity, None) if answered.status == ACCEPTED else NOTHING_CAME


def _begin_mirror(activity: Activity, moment: datetime) -> None:
    mirror().begin(activity, format_time(moment))


def _mirrored(activity: Activity, answered: SideAnswer) -> Came:
    stored = spared(Mirrored.MISSED, _finish_mirror)
    outcome = stored.beside(answered.status)
    return _stored(activity, outcome) if stored is Mirrored.STORED else Came(outcome)


def _finish_mirror() -> Mirrored:
    return mirror().finish()


def _stored(activity: Activity, outcome: Mirrored | None) -> Came:
    return Came(outcome, (activity.employee_id, activity.event_id))


def _unmirrored(event: Event, answered: SideAnswer) -> Came:
    """What legacy accepted all the same is missed: a time may become valid between both judgements."""
    return Came(Mirrored.MISSED) if answered.succeeded and is_posted(event) else NOTHING_CAME


def now() -> datetime:
    """Read the clock; the only place that the door does."""
    return datetime.now(UTC)


@cache
def mirror() -> ForwardMirror:
    """Return the process's forward mirror, with its one warm connection."""
    return ForwardMirror(os.environ["FACTS_TABLE"], DynamoWire(TIMEOUT_S))


connect_early(control, partial(counters, Role.INGEST), mirror)
