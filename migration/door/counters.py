"""What this instance counted, told in one small item of its own: evidence that is seconds old, not minutes.

    request ─► answered ─► counted ─► at most once a second: put on the wire, and the next request collects

The client waits for none of it, and a control table that is down is not written to. Counts grow from the
first request by an epoch on, so a lost item is made up for by the next. In stage `off` nothing is counted.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace
from functools import cache
from secrets import token_hex
from typing import TYPE_CHECKING, Final

from migration.door.breaker import Breaker
from migration.door.control import control
from migration.door.count_item import item_of
from migration.door.counts import NOTHING, DoorCounts, Role, Witness, bucket_of
from migration.door.guard import quietly
from migration.door.mirror import Mirrored
from migration.door.wire import DynamoWire
from migration.model.side import Side

if TYPE_CHECKING:
    from collections.abc import Callable

    from migration.door.count_item import Item
    from migration.door.counts import Answers

EVERY_S: Final = 1.0
TIMEOUT_S: Final = 0.05  # to connect and to send; an answer that is not there by the next request is dropped
KEPT_S: Final = 3_600
MISSES_KEPT_S: Final = 30 * 86_400  # a missed mirror waits for a reconcile, long after its instance has ended
_COLLECT_S: Final = 0.001


@dataclass(slots=True)
class DoorCounters:
    """One instance's counts, and the connection that tells them."""

    table: str
    migration: str
    wire: DynamoWire
    counts: DoorCounts
    now: Callable[[], float] = time.time
    breaker: Breaker = field(default_factory=lambda: Breaker(limit=1))
    _warm: set[Side] = field(default_factory=set, init=False)
    _sent_at: float = field(default=float("-inf"), init=False)
    _sent: bool = field(default=False, init=False)

    def route(self, epoch: int) -> None:
        """Begin a request that is routed by this epoch."""
        moment = self.now()
        if epoch == self.counts.epoch:
            self.counts = replace(self.counts, at=moment)
            return
        was = self.counts
        self.counts = DoorCounts(
            was.instance,
            was.role,
            epoch,
            moment,
            moment,
            mirrored=was.mirrored,
            missed_at=was.missed_at,
            contradicted_at=was.contradicted_at,
        )

    def answered(self, side: Side, elapsed_ms: float, *, failed: bool) -> None:
        """Count an answer of a side; its first one here pays for the imports and has no time."""
        timed = self._is_warm(side)
        before = self.counts.sides.get(side, NOTHING)
        after = before + _answer(elapsed_ms, failed=failed, timed=timed)
        self.counts = replace(self.counts, sides={**self.counts.sides, side: after})

    def pulsed(self, elapsed_ms: float, *, failed: bool) -> None:
        """Count the pipeline's answer to a pulse."""
        one = _answer(elapsed_ms, failed=failed, timed=self._is_warm(Side.PIPELINE))
        self.counts = replace(self.counts, pulses=self.counts.pulses + one)

    def mirrored(self, outcome: Mirrored) -> None:
        """Count what became of a forward mirror."""
        counted = {**self.counts.mirrored, outcome.value: self.counts.mirrored.get(outcome.value, 0) + 1}
        self.counts = replace(self.counts, mirrored=counted)
        if outcome in (Mirrored.MISSED, Mirrored.SKIPPED):
            self.counts = replace(self.counts, missed_at=self.now())
        elif outcome is Mirrored.CONTRADICTED:
            self.counts = replace(self.counts, contradicted_at=self.now())

    def stored(self, employee_id: str, event_id: str) -> None:
        """Remember the newest fact, so that a watcher can see whether it is folded in time."""
        self.counts = replace(self.counts, witness=Witness(employee_id, event_id, self.now()))

    def send(self) -> None:
        """Put the counts on the wire, if it is time; whatever goes wrong is no business of the client's."""
        moment = self.now()
        due = moment - self._sent_at >= EVERY_S
        if not due or not control().reachable or not self.breaker.allows(moment):
            return
        self._sent_at = moment
        is_open = self.counts.missed_at is not None or self.counts.contradicted_at is not None
        item = item_of(self.counts, self.migration, moment + (MISSES_KEPT_S if is_open else KEPT_S))
        if not quietly(lambda: self._put(item), otherwise=False):
            self.breaker = self.breaker.after(ok=False, now=moment)

    def _put(self, item: Item) -> bool:
        self._collect()
        self.wire.send("PutItem", {"TableName": self.table, "Item": item})
        self._sent = True
        return True

    def _is_warm(self, side: Side) -> bool:
        """Whether a side has answered here before."""
        warm = side in self._warm
        self._warm.add(side)
        return warm

    def _collect(self) -> None:
        if not self._sent:
            return
        self._sent = False
        answer = self.wire.collect(_COLLECT_S)
        self.breaker = self.breaker.after(ok=not answer.error, now=self.now())


def _answer(elapsed_ms: float, *, failed: bool, timed: bool) -> Answers:
    bucket = bucket_of(elapsed_ms)
    times = tuple(int(timed and place == bucket) for place in range(len(NOTHING.times)))
    return replace(NOTHING, requests=1, errors=int(failed), times=times)


@cache
def counters(role: Role) -> DoorCounters:
    """Return the process's counters."""
    return DoorCounters(
        table=os.environ["CONTROL_TABLE"],
        migration=os.environ["MIGRATION"],
        wire=DynamoWire(TIMEOUT_S),
        counts=DoorCounts(token_hex(8), role, epoch=-1, since=0.0, at=0.0),
    )
