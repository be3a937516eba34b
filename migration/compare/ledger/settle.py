"""Waiting until every stored fact is folded: a condition and a deadline, never a fixed time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from migration.compare.ledger.tables import Backlog
    from migration.model.clock import Clock

POLL_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Settling:
    """How far the folds are; settled when nothing is queued and every stored fact is folded."""

    stored: int
    folded: int
    queued: int
    waited_s: float

    @property
    def settled(self) -> bool:
        """Whether nothing is on its way."""
        return self.queued == 0 and self.stored == self.folded


def settle(
    backlog: Backlog, clock: Clock, patience: timedelta, on_wait: Callable[[Settling], None] = lambda _: None
) -> Settling:
    """Wait until the folds have settled, or the patience ends; returns the last look either way."""
    started = clock.elapsed()
    while True:
        # Facts first: one that is stored while the folds are read must not pass for folded.
        stored, queued, folded = backlog.stored(), backlog.queued(), backlog.folded()
        look = Settling(stored, folded, queued, clock.elapsed() - started)
        on_wait(look)
        if look.settled or look.waited_s >= patience.total_seconds():
            return look
        clock.sleep(POLL_S)
