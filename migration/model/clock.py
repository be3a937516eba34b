"""Time, as the engine sees it."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """A clock that tests can wind."""

    def now(self) -> float:
        """Give the epoch time in seconds."""
        ...

    def elapsed(self) -> float:
        """Give seconds since some moment in the past; never goes backward."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass."""
        ...
