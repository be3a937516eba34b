"""How fast a long job may write beside live traffic: additive increase, multiplicative decrease.

    rate ↗ ↗ ↗ (a sign of trouble) ↘ half ↗ ↗ …      never above the ceiling, never quite zero

A pace is a value that says why it is what it is; it reads no clock and waits for nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

START: Final = 0.1  # of the ceiling: a cold table splits its partitions under load, not at once
STEP: Final = 0.05  # of the ceiling, each look
BACK_OFF: Final = 0.5
FLOOR: Final = 0.01  # of the ceiling: enough to notice that the trouble is over


@dataclass(frozen=True, slots=True)
class PaceSigns:
    """What was seen since the last look.

    Attributes:
        retries: writes that DynamoDB had to be asked for again.
        latency_ms: mean time of our own writes, which a client's write beside them feels too; None without.
        queued: messages in the live lane's queue.
        lag_s: how far the newest folded fact is behind the clock while messages are queued.
    """

    retries: int = 0
    latency_ms: float | None = None
    queued: int = 0
    lag_s: float = 0.0


@dataclass(frozen=True, slots=True)
class PaceLimits:
    """From where on a sign is trouble."""

    latency_ms: float = 200.0
    queued: int = 5_000
    lag_s: float = 120.0

    def troubles(self, signs: PaceSigns) -> Iterator[str]:
        """Put every sign that is beyond its limit into words."""
        if signs.retries:
            yield f"DynamoDB throttled or failed {signs.retries:,} writes"
        if signs.latency_ms is not None and signs.latency_ms > self.latency_ms:
            yield f"a write takes {signs.latency_ms:,.0f} ms (limit {self.latency_ms:,.0f})"
        if signs.queued > self.queued:
            yield f"{signs.queued:,} live messages are queued (limit {self.queued:,})"
        if signs.lag_s > self.lag_s:
            yield f"the live lane is {signs.lag_s:,.0f} s behind (limit {self.lag_s:,.0f})"


@dataclass(frozen=True, slots=True)
class WritePace:
    """So many write units a second, and why not more."""

    ceiling: float
    rate: float
    reason: str

    @classmethod
    def begin(cls, ceiling: float) -> Self:
        """Start slowly."""
        return cls(ceiling, ceiling * START, "starting slowly")

    def after(self, signs: PaceSigns, limits: PaceLimits) -> WritePace:
        """Speed up a step, or halve the rate at any sign of trouble."""
        troubles = "; ".join(limits.troubles(signs))
        if troubles:
            rate = max(self.rate * BACK_OFF, self.ceiling * FLOOR)
            return replace(self, rate=rate, reason=f"held back: {troubles}")
        rate = min(self.rate + self.ceiling * STEP, self.ceiling)
        full = f"at the ceiling of {self.ceiling:,.0f} write units/s"
        return replace(self, rate=rate, reason=full if rate == self.ceiling else "speeding up")

    def under(self, ceiling: float) -> WritePace:
        """Take another ceiling; a lower one holds at once."""
        return (
            self if ceiling == self.ceiling else replace(self, ceiling=ceiling, rate=min(self.rate, ceiling))
        )
