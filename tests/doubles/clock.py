"""A clock in memory: nothing that waits in a test takes time."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass(slots=True)
class MemoryClock:
    """A clock that moves only when somebody sleeps."""

    at: float = 1_772_357_400.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> float:
        """Give the epoch time in seconds."""
        return self.at

    def elapsed(self) -> float:
        """Give the same, as a time that never goes backward."""
        return self.at

    def sleep(self, seconds: float) -> None:
        """Move on at once."""
        with self._lock:
            self.at += seconds
