"""Holding bulk writes to a pace, which is looked at again every second.

Each write waits for its units before it is sent, so the rate holds however many threads there are. What the
pace becomes is decided in backfill/pacing.py.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

from migration.backfill.pacing import PaceLimits, PaceSigns, WritePace

if TYPE_CHECKING:
    from collections.abc import Callable

    from migration.model.clock import Clock
    from migration.model.facts import Spent
    from migration.model.live_lane import LiveLane

T = TypeVar("T")
LOOK_EVERY_S: Final = 1.0


@dataclass(slots=True)
class Pacer:
    """One process's write rate; used from many threads, looked at from one."""

    clock: Clock
    live: LiveLane
    pace: WritePace
    limits: PaceLimits = field(default_factory=PaceLimits)
    units: float = field(default=0.0, init=False)
    _free_at: float = field(default=float("-inf"), init=False)
    _looked_at: float = field(default=float("-inf"), init=False)
    _seen: list[Spent] = field(default_factory=list, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def spend(self, write: Callable[[], tuple[T, Spent]]) -> T:
        """Wait for the turn of one write, make it, and take down what it cost."""
        self._wait(1.0)
        result, spent = write()
        with self._lock:
            self._seen.append(spent)
            self.units += spent.units
            # It waited for one unit; a larger item makes the next one wait longer.
            self._free_at += max(0.0, spent.units - 1.0) / self.pace.rate
        return result

    def due(self) -> bool:
        """Whether it is time to look again."""
        return self.clock.elapsed() - self._looked_at >= LOOK_EVERY_S

    def look(self, ceiling: float) -> WritePace:
        """Look at the signs since the last look, and choose the pace until the next."""
        first = self._looked_at == float("-inf")
        self._looked_at = self.clock.elapsed()
        signs = self._signs()
        with self._lock:
            pace = self.pace.under(ceiling)
            self.pace = pace if first else pace.after(signs, self.limits)
        return self.pace

    def _wait(self, units: float) -> None:
        with self._lock:
            now = self.clock.elapsed()
            start = max(self._free_at, now)
            self._free_at = start + units / self.pace.rate
        if start > now:
            self.clock.sleep(start - now)

    def _signs(self) -> PaceSigns:
        with self._lock:
            seen, self._seen = self._seen, []
        live = self.live.look()
        latency_ms = sum(one.waited_s for one in seen) / len(seen) * 1000 if seen else None
        retries = sum(one.retries for one in seen)
        return PaceSigns(retries, latency_ms, live.queued, live.lag_s(self.clock.now()))
