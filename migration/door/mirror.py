"""The forward mirror: the same activity as a fact, beside the legacy call, at no cost to the client.

    begin ─ send the put ─► legacy's handler runs ─► finish ─ collect what has come by now, or a moment later

One attempt. Whatever goes wrong is a missed mirror: counted here, found again by comparing the tables.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from migration.door.breaker import Breaker
from migration.door.wire import DynamoWire, MissedError
from pipeline.domain.fact import IF_ABSENT, fact_item, same_content

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.domain.activity import Activity
    from pipeline.domain.fact import Item

TIMEOUT_S: Final = 0.25
_ALREADY_THERE: Final = "ConditionalCheckFailedException"
_REFUSED: Final = 409  # legacy has the event with other content


class Mirrored(StrEnum):
    """What became of a mirror, named as its metric."""

    STORED = "MirrorStored"
    DUPLICATE = "MirrorDuplicate"
    CONFLICT = "MirrorConflict"
    MISSED = "MirrorMissed"
    SKIPPED = "MirrorSkipped"
    CONTRADICTED = "MirrorContradicted"

    def beside(self, status: int) -> Mirrored:
        """Say what it is beside legacy's answer: a fact of what legacy refused contradicts legacy's event."""
        there = self in (Mirrored.STORED, Mirrored.DUPLICATE)
        return Mirrored.CONTRADICTED if there and status == _REFUSED else self


@dataclass(slots=True)
class ForwardMirror:
    """Writes facts that legacy has authority over (`side` = legacy), in the live lane."""

    table: str
    wire: DynamoWire
    elapsed: Callable[[], float] = time.monotonic
    breaker: Breaker = field(default_factory=Breaker)
    _sent: Activity | None = field(default=None, init=False)
    _deadline: float = field(default=0, init=False)

    def begin(self, activity: Activity, ingested_at: str) -> None:
        """Send the put, unless the pipeline's side is being left alone."""
        self._sent = None
        if not self.breaker.allows(self.elapsed()):
            return
        self._deadline = self.elapsed() + TIMEOUT_S
        try:
            self.wire.send("PutItem", _put(self.table, activity, ingested_at))
        except (MissedError, ValueError):  # what cannot be said on the wire is a misfit
            self._deadline = 0
        self._sent = activity

    def finish(self) -> Mirrored:
        """Collect the put's answer; waits at most until `TIMEOUT_S` after `begin` began."""
        if self._sent is None:
            return Mirrored.SKIPPED
        try:
            result = self._collect(self._sent)
        except (MissedError, ValueError):
            result = Mirrored.MISSED
        self.breaker = self.breaker.after(ok=result is not Mirrored.MISSED, now=self.elapsed())
        return result

    def _collect(self, activity: Activity) -> Mirrored:
        answer = self.wire.collect(self._deadline - self.elapsed())
        if not answer.error:
            return Mirrored.STORED
        if answer.error != _ALREADY_THERE:
            raise MissedError(answer.error)
        there = answer.body.get("Item", {})
        if not isinstance(there, dict):
            raise MissedError("NoItem")
        same = same_content(there, _item(activity, ""))
        return Mirrored.DUPLICATE if same else Mirrored.CONFLICT


def _put(table: str, activity: Activity, ingested_at: str) -> dict[str, object]:
    return {
        "TableName": table,
        "Item": _item(activity, ingested_at),
        "ConditionExpression": IF_ABSENT,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _item(activity: Activity, ingested_at: str) -> Item:
    return fact_item(activity, ingested_at, lane="live", side="legacy")
