"""A request through the door, before and after a side's handler: what it is routed by, and what it counts."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from migration.door.control import baked_control
from migration.door.sides import ask
from migration.door.spared import spared
from migration.model.side import Side
from migration.model.stages import Control, Stage
from pipeline.handlers.telemetry import emit

if TYPE_CHECKING:
    from collections.abc import Callable

    from migration.door.control import CachedControl
    from migration.door.counters import DoorCounters
    from migration.door.event import Event
    from migration.door.mirror import ForwardMirror, Mirrored
    from migration.door.sides import SideAnswer


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a request, beside its answer.

    Attributes:
        outcome: of its forward mirror; None where none was due.
        stored: employee and event of the fact that it became.
    """

    outcome: Mirrored | None = None
    stored: tuple[str, str] | None = None


NOTHING_CAME: Final = Came()


def nothing_came(_answered: SideAnswer) -> Came:
    """Conclude nothing but what is counted of every answer."""
    return NOTHING_CAME


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom a request is routed to.

    Attributes:
        side: is asked.
        event: what it is asked.
        conclude: says what came of it, once it was answered.
    """

    side: Side
    event: Event
    conclude: Callable[[SideAnswer], Came] = nothing_came


def begin(
    control: Callable[[], CachedControl], counters: Callable[[], DoorCounters]
) -> tuple[Control, DoorCounters | None]:
    """Read the stage, and begin to count; what cannot be had is done without."""
    known = spared(None, control)
    if known is None:
        return baked_control(), None
    current = spared(known.last, known.current)
    counted = spared(None, counters)
    if counted is not None:
        spared(None, _count_routed, counted, current, known.blind)
    return current, counted


def answer(asked: Asked, context: object, counted: DoorCounters | None) -> Any:  # noqa: ANN401 - a side's own
    """Have the side answer, and count."""
    return ask(asked.side, asked.event, context, partial(_conclude, asked, counted))


def answer_alone(event: Event, context: object, counted: DoorCounters | None) -> Any:  # noqa: ANN401 - a side's own
    """Have legacy answer, exactly as without a door; only what was not told before is told."""
    return ask(Side.LEGACY, event, context, partial(_tell_untold, counted))


def connect_early(
    control: Callable[[], CachedControl], *others: Callable[[], DoorCounters | ForwardMirror]
) -> None:
    """Connect while the function initialises, when it has most of a processor and no client waits.

    What is read is used for no request: it may be long ago that a function was initialised. In stage `off`
    nothing else will be sent.
    """
    if "CONTROL_TABLE" not in os.environ:
        return
    known = spared(None, control)
    if known is None or not spared(False, known.look) or known.last.stage is Stage.OFF:  # noqa: FBT003 - not looked
        return
    for other in others:
        with suppress(Exception):
            other().wire.connect()


def _count_routed(counted: DoorCounters, current: Control, blind: bool) -> None:  # noqa: FBT001 - passed on
    if current.stage is not Stage.OFF:
        counted.route(current.epoch)
    if blind:
        counted.routed_blindly()


def _conclude(asked: Asked, counted: DoorCounters | None, answered: SideAnswer) -> None:
    came = spared(NOTHING_CAME, asked.conclude, answered)
    spared(None, _measure, answered, came.outcome)
    if counted is not None:
        spared(None, _count, counted, answered, came)
        counted.send()


def _measure(answered: SideAnswer, outcome: Mirrored | None) -> None:
    name = answered.side.capitalize()
    emit(
        {
            f"{name}Requests": 1,
            f"{name}Errors": int(answered.failed),
            f"{name}LatencyMs": answered.elapsed_ms,
            **({} if outcome is None else {outcome.value: 1}),
        }
    )


def _count(counted: DoorCounters, answered: SideAnswer, came: Came) -> None:
    counted.answered(answered.side, answered.elapsed_ms, failed=answered.failed)
    if came.outcome is not None:
        counted.mirrored(came.outcome)
    if came.stored is not None:
        counted.stored(*came.stored)


def _tell_untold(counted: DoorCounters | None, _answered: SideAnswer) -> None:
    if counted is not None and counted.untold:
        counted.send()
