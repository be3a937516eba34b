"""A circuit breaker as a value: after a run of failures, leave the other side alone for a while, then probe.

closed ──`limit` failures in a row──► open ──cooldown──► one probe ──ok──► closed
                                        ▲                   │
                                        └───────failed──────┘
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Breaker:
    """Decides whether to try; times are seconds of a monotonic clock that the caller reads.

    Attributes:
        limit: failures in a row that open it.
        cooldown_s: how long it stays open before a probe.
        failures: failures in a row so far.
        opened_at: when it last opened; None while closed.
    """

    limit: int = 3
    cooldown_s: float = 5.0
    failures: int = 0
    opened_at: float | None = None

    def allows(self, now: float) -> bool:
        """Whether a try, or a probe, may be made."""
        return self.opened_at is None or now - self.opened_at >= self.cooldown_s

    def after(self, *, ok: bool, now: float) -> Breaker:
        """Return the breaker as it is after a try."""
        if ok:
            return replace(self, failures=0, opened_at=None)
        failures = self.failures + 1
        return replace(self, failures=failures, opened_at=now if failures >= self.limit else self.opened_at)
