"""The two sides, asked through their own handlers: named in the environment, so the door wraps anybody's.

a course: whom to ask, and for what ──► the side's handler ──► the course's steps, each by itself
                                         once, and unguarded    its answer is the answer, whatever these do
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from botocore.handlers import BUILTIN_HANDLERS

from migration.aws.transport.conflicts import TryAgain
from migration.door.guard import quietly
from migration.model.side import Side
from pipeline.handlers.telemetry import emit

if TYPE_CHECKING:
    from collections.abc import Callable

    from migration.door.event import Event

    Handler = Callable[[Event, object], Any]

SERVER_ERROR: Final = 500
# A write of a side's own, which DynamoDB refused because a transaction of ours, or anybody's, held the item.
# Every session that is made from now on has it, so whatever clients a side makes for itself.
AGAIN: Final = ("needs-retry.dynamodb", TryAgain(within_s=1.0))


@dataclass(frozen=True, slots=True)
class SideAnswer:
    """What became of a request, as far as the door reads it.

    Attributes:
        given: the handler's very answer, whatever it is; None where it raised.
        raised: whether it raised.
        elapsed_ms: how long it took.
    """

    given: Any
    raised: bool
    elapsed_ms: float

    @property
    def status(self) -> int | None:
        """Its status; None where it has no whole number for one, which is Lambda's to make something of."""
        status = self.given.get("statusCode") if isinstance(self.given, dict) else None
        return status if type(status) is int else None

    @property
    def failed(self) -> bool:
        """Whether it is an error of the side's."""
        return self.raised or (self.status or 0) >= SERVER_ERROR


@dataclass(frozen=True, slots=True)
class Course:
    """What a request comes to.

    Attributes:
        side: the one that answers.
        event: what it is asked.
        steps: what the door does of its own once it is answered, also where the side raises.
    """

    side: Side
    event: Event
    steps: tuple[Callable[[SideAnswer], None], ...] = ()


def ask(course: Course, context: object) -> Any:  # noqa: ANN401 - whatever a handler answers
    """Have the side answer, once; what it gives is given, and what it raises is raised."""
    given, raised, started = None, True, time.perf_counter()
    try:
        given = handler_of(course.side)(course.event, context)
        raised = False
        return given
    finally:
        answer = SideAnswer(given, raised, (time.perf_counter() - started) * 1000)
        for step in course.steps:
            quietly(partial(step, answer), None)


@cache
def handler_of(side: Side) -> Handler:
    """Import a side's handler when first needed: `LEGACY_HANDLER` or `PIPELINE_HANDLER`."""
    if AGAIN not in BUILTIN_HANDLERS:
        BUILTIN_HANDLERS.append(AGAIN)
    module, _, function = os.environ[f"{side.upper()}_HANDLER"].rpartition(".")
    handler: Handler = getattr(import_module(module), function)
    return handler


@cache
def pinned() -> Side | None:
    """Return the side that an alias chose with this version: `PINNED_SIDE`; None where the door chooses."""
    side = os.environ.get("PINNED_SIDE")
    return Side(side) if side else None


def tell(side: Side, answer: SideAnswer) -> None:
    """Tell a side's answer as metrics."""
    name = side.capitalize()
    emit({f"{name}Requests": 1, f"{name}Errors": int(answer.failed), f"{name}LatencyMs": answer.elapsed_ms})
