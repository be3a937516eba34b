"""Since when a queue has stood still, as far as the looks at it can tell."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """A queue that should get somewhere, and since when it has not.

    Attributes:
        queued: its length at the last look.
        newest: the newest thing that came out of it by then; None where nobody tells.
        since: epoch seconds of the look that first found it so; None while it is empty.
    """

    queued: int = 0
    newest: float | None = None
    since: float | None = None

    def after(self, queued: int, newest: float | None, now: float) -> Standing:
        """Follow it: it moves when something newer comes out of it, or when it gets shorter.

        Either is enough. Out of a backlog the newest may come first, and a busy queue need not get shorter.
        """
        if not queued:
            return Standing()
        moved = self.since is None or newest != self.newest or queued < self.queued
        return Standing(queued, newest, now if moved else self.since)

    def for_s(self, now: float) -> float:
        """How long it has stood still."""
        return 0.0 if self.since is None else now - self.since
