"""What a long job heeds while it works: its pace, an operator's pause, another run, and who watches.

Once a second it looks at the live side and at the job's record, leaves a sign of life, and reports. Pausing
is this loop waiting: nothing is undone, and a paused process that is killed has lost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from migration.model.backfill import Pulse

if TYPE_CHECKING:
    from collections.abc import Callable

    from migration.backfill.pacer import Pacer
    from migration.model.backfill import BackfillPhase, Job
    from migration.model.checkpoints import Checkpoints
    from migration.model.clock import Clock

PAUSE_POLL_S: Final = 2.0
SMOOTHING: Final = 0.3  # weight of the last second in the shown rate


class MovedOnError(Exception):
    """Another process moved the job on; its record says what is next."""


class LeaveError(Exception):
    """This process is not to wait here; what it has saved is where another goes on."""


@dataclass(frozen=True, slots=True)
class OnProgress:
    """How far a phase is, for whoever watches."""

    phase: BackfillPhase
    done: int
    total: int
    pulse: Pulse


@dataclass(slots=True)
class Speed:
    """Done per second, smoothed."""

    phase: BackfillPhase | None = None
    at: float = 0.0
    done: int = 0
    per_s: float = 0.0

    def after(self, at: float, phase: BackfillPhase, done: int) -> float:
        """Give events or rows a second, now that so many are done."""
        if phase is self.phase and at > self.at:
            now = max(0, done - self.done) / (at - self.at)
            self.per_s = now if not self.per_s else self.per_s + SMOOTHING * (now - self.per_s)
        elif phase is not self.phase:
            self.per_s = 0.0
        self.phase, self.at, self.done = phase, at, done
        return self.per_s


@dataclass(slots=True)
class Attention:
    """One process's attention.

    Attributes:
        worker: its name, for whoever watches.
        clock, pacer, checkpoints: the world.
        report, tell: who watches here.
        stays: whether to go on, and to wait here while the job is paused.
        share: the part of the job's ceiling that is this process's.
    """

    worker: str
    clock: Clock
    pacer: Pacer
    checkpoints: Checkpoints
    report: Callable[[OnProgress], None] = lambda _report: None
    tell: Callable[[str], None] = lambda _text: None
    stays: Callable[[Job], bool] = lambda _job: True
    share: float = 1.0
    _speed: Speed = field(default_factory=Speed, init=False)

    def heed(self, job: Job, done: int, total: int, waits_for: str = "") -> None:
        """Look around if it is time to, and wait while the job is paused.

        Args:
            job: as it was read.
            done: events or rows that are done in its phase.
            total: how many there are.
            waits_for: what keeps this process from working meanwhile, for whoever watches.

        Raises:
            MovedOnError: when the job's run, phase or engine is another one now.
            LeaveError: when this process is not to stay.
        """
        if not self.pacer.due():
            return
        current = self._look(job, done, total, waits_for)
        while current.paused:
            self.clock.sleep(PAUSE_POLL_S)
            current = self._look(job, done, total, waits_for)

    def _look(self, job: Job, done: int, total: int, waits_for: str) -> Job:
        current = self.checkpoints.job()
        if current is None or is_elsewhere(current, job):
            raise MovedOnError
        if not self.stays(current):
            raise LeaveError
        pace = self.pacer.look(current.max_wcu * self.share)
        reason = current.paused or waits_for or pace.reason
        per_s = self._speed.after(self.clock.elapsed(), job.phase, done)
        left_s = (total - done) / per_s if per_s else None
        pulse = Pulse(self.worker, self.clock.now(), pace.rate, reason, per_s, left_s)
        self.checkpoints.save_pulse(pulse)
        self.report(OnProgress(job.phase, done, total, pulse))
        return current


def is_elsewhere(current: Job, job: Job) -> bool:
    """Whether what is to be done now is not what was to be done when a job was read."""
    return (current.run, current.phase, current.engine) != (job.run, job.phase, job.engine)
