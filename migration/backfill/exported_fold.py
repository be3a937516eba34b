"""The history fold of a snapshot: export, fold it where it is, set it against what is installed.

    seal ── settle ── request ════ export ════ fold ── compare with base_* as they are then

A snapshot shows what was stored when it was requested. That is enough, because the request follows the seal,
and so every put of the copy: nothing here compares two machines' clocks. What a slow process puts later is in
the next snapshot, and a backfill is over only when one that was requested after the last install began finds
nothing to install.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migration.backfill.attention import Attention
    from migration.backfill.bases import Bases
    from migration.backfill.history import FoldedHistory
    from migration.backfill.history_exports import HistoryExports
    from migration.model.backfill import Job

# A snapshot is of a whole second, so a put of the second of the request might not be in it.
SETTLE_S: Final = 5.0
LOOK_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class ExportedFold:
    """One process that folds snapshots.

    Attributes:
        exports, bases: the world.
        attention: stops for a pause or for another run, and tells what is waited for.
    """

    exports: HistoryExports
    bases: Bases
    attention: Attention

    @contextmanager
    def fold(self, job: Job) -> Iterator[FoldedHistory]:
        """Fold the history facts that there are now, beside what is installed when that is done.

        A process that was killed while it waited is gone on with: the job's next fold has one snapshot.

        Raises:
            MovedOnError: when the job is elsewhere by now.
            UsageError: when the facts cannot be exported.
            RemoteError: when the export or its fold failed.
        """
        clock = self.attention.clock
        settled_at = clock.elapsed() + SETTLE_S
        self._wait(job, lambda: "the last puts to settle" if clock.elapsed() < settled_at else None)
        snapshot = self.exports.snapshot(f"run-{job.run}-fold-{job.folds}")
        self._wait(job, partial(self.exports.exporting, snapshot))
        fold = self.exports.fold(snapshot)
        self._wait(job, partial(self.exports.folding, fold))
        with self.exports.folded(fold, self.bases.bases()) as folded:
            yield folded

    def _wait(self, job: Job, what_for: Callable[[], str | None]) -> None:
        while (reason := what_for()) is not None:
            self.attention.heed(job, 0, job.history.events, f"waiting for {reason}")
            self.attention.clock.sleep(LOOK_EVERY_S)
