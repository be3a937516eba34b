"""How the live lane is doing, so that bulk work can keep out of its way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class LiveState:
    """One look at the live lane.

    Attributes:
        queued: messages in the queue or being worked on, about.
        newest_folded_at: when the newest folded fact was ingested, epoch seconds; None before the first.
    """

    queued: int = 0
    newest_folded_at: float | None = None

    def lag_s(self, now: float) -> float:
        """Tell how far the folds are behind; nothing queued is not behind."""
        if not self.queued or self.newest_folded_at is None:
            return 0.0
        return max(0.0, now - self.newest_folded_at)


class LiveLane(Protocol):
    """The queue and the folds of the live lane."""

    def look(self) -> LiveState:
        """Look now."""
        ...
