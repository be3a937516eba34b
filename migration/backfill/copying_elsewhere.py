"""Copying by functions: begin an execution, watch it, and say what is left when it ends.

The checkpoints say what is copied, never the execution: one that ends well may leave segments, and one that
is lost may have copied everything. This process may be killed; the execution goes on, and the next finds it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from migration.backfill.attention import MovedOnError, OnProgress, Speed, is_elsewhere
from migration.model.backfill import Pulse, hopeless
from migration.model.errors import RemoteError

if TYPE_CHECKING:
    from collections.abc import Callable

    from migration.backfill.legacy_events import LegacyEventSource
    from migration.backfill.segment_workers import Execution, SegmentWorkers
    from migration.model.backfill import Job, Progress
    from migration.model.checkpoints import Checkpoints
    from migration.model.clock import Clock

LOOK_EVERY_S: Final = 5.0


@dataclass(slots=True)
class CopyingElsewhere:
    """One process that has functions copy.

    Attributes:
        workers: the functions.
        events: legacy's events, only to know how many there are.
        checkpoints, clock: the world.
        report: who watches here.
    """

    workers: SegmentWorkers
    events: LegacyEventSource
    checkpoints: Checkpoints
    clock: Clock
    report: Callable[[OnProgress], None] = lambda _report: None
    _speed: Speed = field(default_factory=Speed, init=False)

    def copy(self, job: Job, progress: Progress) -> None:
        """Have all segments copied, and watch until the execution ends.

        Raises:
            MovedOnError: when the job is elsewhere by now.
            RemoteError: when it ended and left segments; starting again goes on.
        """
        name, began_at = self._begun(job), progress.read
        while (execution := self.workers.look(name)).running or self._current(job).paused:
            progress = self._watch(job, execution)
            if hopeless(job, progress):
                self.workers.stop(name, "too many events do not fit the plan")
                return
            self.clock.sleep(LOOK_EVERY_S)
        progress = self.checkpoints.progress(job)
        # Functions leave at a pause, and the execution ends: then the next one goes on. One that failed, or
        # ended for nothing, would only end so again.
        stuck = execution.failed or progress.read == began_at
        if progress.done < job.segments and not progress.unmappable and stuck:
            raise _left(execution, job.segments - progress.done)

    def _current(self, job: Job) -> Job:
        current = self.checkpoints.job()
        if current is None or is_elsewhere(current, job):
            raise MovedOnError
        return current

    def _begun(self, job: Job) -> str:
        """Go on with the execution that there is, or begin the next one and note it in the job."""
        while True:
            current = self._current(job)
            if current.execution and self.workers.look(current.execution).running:
                return current.execution
            name = self.workers.begin(current)
            begun = current.changed(execution=name or "", executions=current.executions + (not name))
            if self.checkpoints.save_job(begun) and name:
                return name

    def _watch(self, job: Job, execution: Execution) -> Progress:
        """Report how far all functions are together."""
        current, progress = self._current(job), self.checkpoints.progress(job)
        total = max(self.events.size().items, progress.read)
        per_s = self._speed.after(self.clock.elapsed(), job.phase, progress.read)
        seen = self.checkpoints.pulse()
        why = current.paused or (f"one says: {seen.reason}" if seen else "")
        counts = f"{execution.at_work:,} functions at work, {execution.waiting:,} segments waiting"
        failed = f"{execution.failed:,} failed" if execution.failed else ""
        reason = "; ".join(filter(None, (counts, failed, why)))
        left_s = (total - progress.read) / per_s if per_s else None
        pulse = Pulse(execution.name, self.clock.now(), current.max_wcu, reason, per_s, left_s)
        self.report(OnProgress(job.phase, progress.read, total, pulse))
        return progress


def _left(execution: Execution, segments: int) -> RemoteError:
    return RemoteError(
        f"the execution {execution.name} ended ({execution.status}) and left {segments:,} segments; "
        "what they copied is kept",
        hint="its history in Step Functions names what failed; starting again goes on",
        next_command="cutover backfill start",
    )
