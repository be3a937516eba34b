"""The backfill's loop: read the job, do what its phase asks for, read it again, until it is installed.

    copying: every segment is copied to its end, here or elsewhere
    sealed, folded: fold all history facts ─► install every row that differs ─► fold again ─► nothing differs

It can be killed between any two calls: what is copied is copied again at no harm, and what is installed is
right already. Two of them at once only waste each other's work.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from migration.backfill.attention import MovedOnError
from migration.backfill.bases import Installed
from migration.backfill.history import Replacing, replacing
from migration.backfill.in_parallel import handfuls
from migration.model.backfill import BackfillPhase, Engine, can_seal, hopeless, wished
from migration.model.errors import ConflictError, IntegrityError
from migration.model.moments import moment_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from migration.backfill.attention import Attention
    from migration.backfill.bases import Bases
    from migration.backfill.history import BaseChange, FoldedHistory
    from migration.backfill.in_parallel import InParallel
    from migration.model.backfill import Job, Progress, Wish
    from migration.model.checkpoints import Checkpoints
    from migration.model.fold import Fold, Row

    CopySegments = Callable[[Job, Progress], None]
    FoldHistory = Callable[[Job], AbstractContextManager[FoldedHistory]]

NAMED: Final = 10  # rows or events in an error's text
START: Final = "cutover backfill start"


@dataclass(frozen=True, slots=True)
class Backfill:
    """One process at work on a backfill.

    Attributes:
        copy: copies the segments that are not done, or some of them, or some of the way.
        fold: folds the history facts that there are when it is called, beside what is installed.
        bases, checkpoints: the world.
        attention: paces writes, and stops for a pause or for another run.
        engine: what `copy` and `fold` are of.
        in_parallel: a map over several threads, or the builtin.
    """

    copy: CopySegments
    fold: FoldHistory
    bases: Bases
    checkpoints: Checkpoints
    attention: Attention
    engine: Engine = Engine.MACHINE
    in_parallel: InParallel = map

    def start(self, wish: Wish) -> Job:
        """Begin, or go on with what is begun, and return the job when it is installed.

        Raises:
            IntegrityError: when events do not fit the plan, or rows hold more history than there is.
            ConflictError: when somebody began another run meanwhile.
            RemoteError: when AWS fails; starting again goes on.
        """
        job = open_job(self.checkpoints, wish, moment_text(self.attention.clock.now()))
        self._try_misfits_again(job)
        return self.go_on(job.run)

    def go_on(self, run: int) -> Job:
        """Take a run through its phases to the end."""
        while True:
            job = self.checkpoints.job()
            if job is None or job.run != run:
                raise ConflictError(
                    f"run {run} of the backfill was replaced by another",
                    hint="only one run is needed; see how it is getting on",
                    next_command="cutover backfill status",
                )
            if job.phase is BackfillPhase.INSTALLED:
                return job
            if job.engine is not self.engine:
                raise ConflictError(
                    f"the backfill goes on with engine {job.engine}; this process is {self.engine}",
                    hint="somebody changed it; go on with that engine, or change it back with --engine",
                    next_command=START,
                )
            with suppress(MovedOnError):  # then the job says what is next
                self._do_phase(job)

    def _do_phase(self, job: Job) -> None:
        if job.phase is BackfillPhase.COPYING:
            self._copy(job)
        else:
            self._install(job)

    def _try_misfits_again(self, job: Job) -> None:
        if job.phase is not BackfillPhase.COPYING or job.skip_unmappable:
            return
        for segment in self.checkpoints.progress(job).segments:
            if segment.unmappable:
                self.checkpoints.save_segment(segment.again())

    def _copy(self, job: Job) -> None:
        progress = self.checkpoints.progress(job)
        while progress.done < job.segments:
            self.copy(job, progress)
            progress = self.checkpoints.progress(job)
            if hopeless(job, progress):
                break
        if not can_seal(job, progress):
            raise _unsealed(progress)
        self.checkpoints.save_job(job.changed(phase=BackfillPhase.SEALED))

    def _install(self, job: Job) -> None:
        """Fold and install until a fold finds everything installed."""
        refused_of: Fold | None = None
        while True:
            with self.fold(job) as folded:
                if not folded.changed:
                    self.checkpoints.save_job(
                        job.changed(phase=BackfillPhase.INSTALLED, history=folded.history)
                    )
                    return
                # Counted before anything is installed: what confirms it must be folded afresh.
                job = job.changed(phase=BackfillPhase.FOLDED, history=folded.history, folds=job.folds + 1)
                if not self.checkpoints.save_job(job):
                    return
                refused = self._install_changes(job, folded)
            if refused and refused_of == folded.history:
                raise _shrinking(refused)
            refused_of = folded.history if refused else None

    def _install_changes(self, job: Job, folded: FoldedHistory) -> list[Row]:
        refused: list[Row] = []
        done = 0
        for handful in handfuls(folded.changes):
            results = self.in_parallel(self._install_row, handful)
            refused += [change.row for change, ok in zip(handful, results, strict=True) if not ok]
            done += len(handful)
            self.attention.heed(job, done, folded.changed)
        return refused

    def _install_row(self, change: BaseChange) -> bool:
        """Install a row; False when that would take history away that somebody else found."""
        while True:
            judged = replacing(change.held, change.due)
            if judged is not Replacing.GROWS:
                return judged is Replacing.RIGHT
            result = self.attention.pacer.spend(partial(self.bases.install, change))
            if isinstance(result, Installed):
                return True
            change = replace(change, held=result.base)


def open_job(checkpoints: Checkpoints, wish: Wish, now: str) -> Job:
    """Begin a run, or change the settings of the one that there is."""
    while True:
        job = checkpoints.job()
        wanted = wished(job, wish, now)
        if wanted == job or checkpoints.save_job(wanted):
            return wanted


def _unsealed(progress: Progress) -> IntegrityError:
    named = "\n".join(f"  {problem}" for problem in progress.problems[:NAMED])
    return IntegrityError(
        f"{progress.unmappable:,} events of legacy do not fit the plan, so the history set is not sealed; "
        f"everything else read so far is copied:\n{named}",
        hint="correct the plan file or the items, and start again: only their segments are read again. "
        "Or leave them out with --skip-unmappable",
        next_command=START,
    )


def _shrinking(rows: list[Row]) -> IntegrityError:
    named = ", ".join(str(row) for row in rows[:NAMED])
    return IntegrityError(
        f"{len(rows):,} rows hold more history, or other history, than the facts say: {named}",
        hint="nothing was taken away from them; verify names what is wrong with them",
        next_command="cutover verify",
    )
