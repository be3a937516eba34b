"""What this instance counted, told in one small item of its own: evidence that is seconds old, not minutes.

    request ─► answered ─► counted ─► at most once a second: put on the wire, and the next request collects
                                  └─► what must not be lost: at once, and collected; more of it a second later

The client waits `TIMEOUT_S` for it at most, and a control table that is down is not written to. Counts grow
from the first request by an epoch on, so a lost item is made up for by the next. There may be no next one: a
missed mirror is told with the request that missed it, or else with the first that can. While every request
misses one, the last that an instance told is a second old at most, which who reads it allows for. In stage
`off` nothing is counted but a request that was routed by the baked value.

Times are AWS's, as its answers date them: they are held against other doors' and the operator's.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace
from functools import cache
from secrets import token_hex
from typing import TYPE_CHECKING, Final

from migration.aws.transport.clock import AWS_TIME
from migration.door.breaker import Breaker
from migration.door.control import control
from migration.door.count_item import item_of
from migration.door.counts import MOMENTS, NOTHING, DoorCounts, Role, Witness, bucket_of
from migration.door.mirror import Mirrored
from migration.door.wire import DynamoWire, MissedError
from migration.model.side import Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migration.door.counts import Answers

EVERY_S: Final = 1.0
TIMEOUT_S: Final = 0.05  # of all that telling costs a request
KEPT_S: Final = 3_600
MISSES_KEPT_S: Final = 30 * 86_400  # a missed mirror waits for a reconcile, long after its instance has ended
_NEVER: Final = float("-inf")


@dataclass(slots=True)
class DoorCounters:
    """One instance's counts, and the connection that tells them.

    Attributes:
        now: the time, for what is told.
        elapsed: the clock that times are taken by; it never jumps.
    """

    table: str
    migration: str
    wire: DynamoWire
    counts: DoorCounts
    now: Callable[[], float] = AWS_TIME.now
    breaker: Breaker = field(default_factory=lambda: Breaker(limit=1))
    elapsed: Callable[[], float] = time.monotonic
    _warm: set[Side] = field(default_factory=set, init=False)
    _sent_at: float = field(default=_NEVER, init=False)
    _owed: DoorCounts | None = field(default=None, init=False)
    _taken: DoorCounts | None = field(default=None, init=False)

    @property
    def untold(self) -> bool:
        """Whether something that must not be lost has not been taken yet."""
        return any(now != taken for now, taken in self._moments())

    def route(self, epoch: int) -> None:
        """Begin a request that is routed by this epoch."""
        moment = self.now()
        if epoch == self.counts.epoch:
            self.counts = replace(self.counts, at=moment)
            return
        self.counts = replace(
            self.counts, epoch=epoch, since=moment, at=moment, sides={}, pulses=NOTHING, witness=None
        )

    def routed_blindly(self) -> None:
        """Count a request that is routed by the baked value."""
        was = self.counts
        self.counts = replace(was, baked=was.baked + 1, baked_at=self._after(was.baked_at))

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
            self.counts = replace(self.counts, missed_at=self._after(self.counts.missed_at))
        elif outcome is Mirrored.CONTRADICTED:
            self.counts = replace(self.counts, contradicted_at=self._after(self.counts.contradicted_at))

    def stored(self, employee_id: str, event_id: str) -> None:
        """Remember the newest fact, so that a watcher can see whether it is folded in time."""
        self.counts = replace(self.counts, witness=Witness(employee_id, event_id, self.now()))

    def send(self) -> None:
        """Put the counts on the wire, if it is time; whatever goes wrong is no business of the client's."""
        began = self.elapsed()
        urgent = any(now - taken >= EVERY_S for now, taken in self._moments())
        due = urgent or began - self._sent_at >= EVERY_S
        if not due or not control().reachable or not self.breaker.allows(began):
            return
        self._sent_at = began
        try:
            self._collect(TIMEOUT_S / 2)
            self.wire.send("PutItem", {"TableName": self.table, "Item": self._item()})
            self._owed = self.counts
            if urgent:
                self._collect(began + TIMEOUT_S - self.elapsed())
        except MissedError:
            self.breaker = self.breaker.after(ok=False, now=began)

    def _item(self) -> dict[str, object]:
        """Lay them out; what a reconcile has to settle is kept until long after."""
        counts = self.counts
        is_open = any((counts.missed_at, counts.contradicted_at, counts.baked_at))
        return item_of(counts, self.migration, self.now() + (MISSES_KEPT_S if is_open else KEPT_S))

    def _moments(self) -> Iterator[tuple[float, float]]:
        """Give when each thing that must not be lost was last, here and in what was taken."""
        for name in MOMENTS:
            moment = getattr(self.counts, name)
            if moment is not None:
                yield moment, getattr(self._taken, name, None) or _NEVER

    def _after(self, last: float | None) -> float:
        """Tell the time; never an earlier one than was told, if the clock is set back meanwhile."""
        return max(self.now(), last or 0.0)

    def _is_warm(self, side: Side) -> bool:
        """Whether a side has answered here before."""
        warm = side in self._warm
        self._warm.add(side)
        return warm

    def _collect(self, within_s: float) -> None:
        """Collect the answer that is owed."""
        owed, self._owed = self._owed, None
        if owed is None:
            return
        answer = self.wire.collect(within_s)
        if not answer.error:
            self._taken = owed
        self.breaker = self.breaker.after(ok=not answer.error, now=self.elapsed())


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
        wire=DynamoWire(TIMEOUT_S / 2),
        counts=DoorCounts(token_hex(8), role, epoch=-1, since=0.0, at=0.0),
    )
