"""One function's turn at one segment: copy until it is done, or until somebody should look again.

    turn ─► a page, its checkpoint, a page, its checkpoint … ─► time is short ─► done, or paused
      ▲                                                               │
      └──────────────────── the next turn goes on there ──────────────┘

It keeps nothing between turns: whatever ends one, killed or not, the next begins at the checkpoint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migration.backfill.attention import LeaveError, MovedOnError
from migration.model.backfill import BackfillPhase, Engine, Progress, hopeless

if TYPE_CHECKING:
    from migration.backfill.copying import Copying
    from migration.model.backfill import Job


@dataclass(frozen=True, slots=True)
class Turn:
    """How a turn ended.

    Attributes:
        segment: which.
        done: whether no other turn is to follow: it is copied, or paused, or not to be copied any more.
        wait: whether the next turn should not begin at once.
    """

    segment: int
    done: bool
    wait: bool = False


@dataclass(frozen=True, slots=True)
class SegmentWorker:
    """A function that copies."""

    copying: Copying

    def turn(self, run: int, number: int) -> Turn:
        """Copy a segment of a run for a while.

        Raises:
            RemoteError: when AWS fails; another turn goes on.
        """
        checkpoints = self.copying.checkpoints
        job = checkpoints.job()
        if job is None or not _is_copied(job, run, number):
            return Turn(number, done=True)
        if job.paused or self._needs_no_more(job, number):
            return Turn(number, done=True)
        try:
            self.copying.copy(job, Progress((checkpoints.progress(job).segments[number],)))
        except MovedOnError:
            return Turn(number, done=True)
        except LeaveError:
            current = checkpoints.job()
            is_over = current is None or bool(current.paused) or self._needs_no_more(job, number)
            return Turn(number, done=is_over)
        # Somebody else at work on it is a killed function's successor, or an operator: let it be for a while.
        is_over = self._needs_no_more(job, number)
        return Turn(number, done=is_over, wait=not is_over)

    def _needs_no_more(self, job: Job, number: int) -> bool:
        segment = self.copying.checkpoints.progress(job).segments[number]
        return segment.done or hopeless(job, Progress((segment,)))


def _is_copied(job: Job, run: int, number: int) -> bool:
    """Whether the job is one that functions copy this segment for."""
    asked = (run, BackfillPhase.COPYING, Engine.AWS)
    return (job.run, job.phase, job.engine) == asked and number < job.segments
