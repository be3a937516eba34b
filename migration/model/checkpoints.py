"""The control table, as far as a backfill uses it. Every write names the revision that it replaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from migration.model.backfill import Job, Progress, Pulse, Segment
    from migration.model.stages import Control


class Checkpoints(Protocol):
    """One migration's records of a backfill, read consistently."""

    def control(self) -> Control:
        """Read where the migration stands; the state before any was written is stage `off`, epoch 0.

        Raises:
            IntegrityError: when the state is lost: gone, or older than the journal.
        """
        ...

    def job(self) -> Job | None:
        """Read the backfill; None before the first."""
        ...

    def save_job(self, job: Job) -> bool:
        """Replace the revision before this one; False when somebody else did."""
        ...

    def progress(self, job: Job) -> Progress:
        """Read how far the segments of its run are."""
        ...

    def save_segment(self, segment: Segment) -> bool:
        """Replace the revision before this one; False when somebody else did."""
        ...

    def pulse(self) -> Pulse | None:
        """Read the last sign of life; None before the first."""
        ...

    def save_pulse(self, pulse: Pulse) -> None:
        """Leave a sign of life, unless a newer one is there."""
        ...
