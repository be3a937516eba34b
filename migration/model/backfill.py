"""The backfill's phases and progress, and what may follow what.

    copying ──all is copied, all fits──► sealed ──folded once──► folded ──nothing differs──► installed
       ▲                                                                                        │
       └───────────────────────── another run copies what came since ───────────────────────────┘

Copying is put-if-absent and installing is assignment, so a phase that is run twice, by one process or by two,
ends like one that is run once. What is kept here saves work; it is never what makes the result right.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from migration.model.facts import Created, Lane, Taken
from migration.model.fold import CONTENT, NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from migration.model.fold import Activity, Fold

NAMED_AT_MOST: Final = 100  # problems that a segment's checkpoint names; all are counted
HOPELESS: Final = 1_000  # unmappable events after which the plan must be wrong


class BackfillPhase(StrEnum):
    """How far a backfill is."""

    COPYING = "copying"
    SEALED = "sealed"
    FOLDED = "folded"
    INSTALLED = "installed"


class Engine(StrEnum):
    """What does a backfill's work; both copy with the same code and fold with the same SQL."""

    MACHINE = "machine"
    AWS = "aws"


@dataclass(frozen=True, slots=True)
class Job:
    """A backfill, as every machine sees it.

    Attributes:
        run: which run it is, from 1; each reads all of legacy's events.
        phase: how far it is.
        segments: how many parts legacy's events are read in; fixed for a run.
        max_wcu: write units a second at most.
        skip_unmappable: whether the set is sealed without the events that do not fit the plan.
        started_at: when the run began, UTC text with milliseconds.
        paused: who paused it, when and why; empty when it is not.
        history: the fold of the history facts when they were folded last.
        engine: what does the work; it may be changed between any two steps.
        execution: what copies with engine `aws`; empty before the first.
        executions: how many of these are over.
        folds: how many folds of the run are over, so that the next is of a snapshot taken after the last.
        revision: counts the writes of this record; a writer names the one that it read.
    """

    run: int
    segments: int
    max_wcu: float
    started_at: str
    phase: BackfillPhase = BackfillPhase.COPYING
    skip_unmappable: bool = False
    paused: str = ""
    history: Fold = NOTHING
    engine: Engine = Engine.MACHINE
    execution: str = ""
    executions: int = 0
    folds: int = 0
    revision: int = 1

    @property
    def copied(self) -> bool:
        """Whether all of legacy's events were read once."""
        return self.run > 1 or self.phase is not BackfillPhase.COPYING

    def changed(self, **changes: object) -> Job:
        """Change it, one revision up."""
        return replace(self, revision=self.revision + 1, **changes)  # type: ignore[arg-type] # replace checks the names


@dataclass(frozen=True, slots=True)
class Segment:
    """How far one segment's copy is; the counts stay the same when a page is copied again after a crash.

    Attributes:
        run, number: which segment of which run.
        position: where it goes on, in the scan's own words; None at the start, and when it is done.
        done: whether its last page is copied.
        read: legacy events read.
        history: of these, facts of the history lane now.
        live: of these, facts of the live lane before they were read.
        conflicts: of these, facts with other content.
        unmappable: items that do not fit the plan.
        problems: the first conflicts and unmappable items, in words.
        revision: as the job's.
    """

    run: int
    number: int
    position: str | None = None
    done: bool = False
    read: int = 0
    history: int = 0
    live: int = 0
    conflicts: int = 0
    unmappable: int = 0
    problems: tuple[str, ...] = ()
    revision: int = 0

    def after(self, page: Copied, position: str | None) -> Segment:
        """Add a page that is copied; a page without a position after it was the last."""
        return replace(
            self,
            position=position,
            done=position is None,
            read=self.read + page.history + page.live + len(page.conflicts) + len(page.unmappable),
            history=self.history + page.history,
            live=self.live + page.live,
            conflicts=self.conflicts + len(page.conflicts),
            unmappable=self.unmappable + len(page.unmappable),
            problems=(*self.problems, *page.conflicts, *page.unmappable)[:NAMED_AT_MOST],
            revision=self.revision + 1,
        )

    def again(self) -> Segment:
        """Begin it again, so that what did not fit the plan is tried again."""
        return Segment(self.run, self.number, revision=self.revision + 1)


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of a page of legacy's events."""

    history: int = 0
    live: int = 0
    conflicts: tuple[str, ...] = ()
    unmappable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pulse:
    """A sign of life of a process that works on a backfill.

    Attributes:
        worker: which process on which machine.
        at: epoch seconds.
        rate: write units a second that it allows itself.
        reason: why not more.
        per_s: events or rows a second in the last while.
        left_s: seconds left in this phase, about; None when unknown.
    """

    worker: str
    at: float
    rate: float
    reason: str
    per_s: float = 0.0
    left_s: float | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """All segments together."""

    segments: tuple[Segment, ...]

    @property
    def read(self) -> int:
        """Legacy events read."""
        return sum(one.read for one in self.segments)

    @property
    def history(self) -> int:
        """Events that are facts of the history lane."""
        return sum(one.history for one in self.segments)

    @property
    def live(self) -> int:
        """Events that were facts of the live lane before."""
        return sum(one.live for one in self.segments)

    @property
    def conflicts(self) -> int:
        """Events whose fact has other content."""
        return sum(one.conflicts for one in self.segments)

    @property
    def unmappable(self) -> int:
        """Items that do not fit the plan."""
        return sum(one.unmappable for one in self.segments)

    @property
    def done(self) -> int:
        """Segments that are copied."""
        return sum(one.done for one in self.segments)

    @property
    def problems(self) -> tuple[str, ...]:
        """The first problems of each segment."""
        return tuple(problem for one in self.segments for problem in one.problems)


def progress_of(job: Job, stored: Iterable[Segment]) -> Progress:
    """Line up a run's segments; those that nobody began are at their start."""
    by_number = {one.number: one for one in stored if one.run == job.run}
    return Progress(tuple(by_number.get(number, Segment(job.run, number)) for number in range(job.segments)))


def can_seal(job: Job, progress: Progress) -> bool:
    """Whether the history set is complete."""
    return progress.done == job.segments and (job.skip_unmappable or not progress.unmappable)


def hopeless(job: Job, progress: Progress) -> bool:
    """Whether so little fits the plan that copying on is pointless."""
    return not job.skip_unmappable and progress.unmappable >= HOPELESS


def copied(activities: Sequence[Activity], puts: Iterable[Created | Taken], misfits: Iterable[str]) -> Copied:
    """Judge a page's puts, one an activity in order."""
    history, live = 0, 0
    conflicts: list[str] = []
    for activity, put in zip(activities, puts, strict=True):
        if isinstance(put, Taken) and put.fact.activity != activity:
            conflicts.append(conflict_text(activity, put.fact.activity))
        elif isinstance(put, Taken) and put.fact.lane is Lane.LIVE:
            live += 1
        else:
            history += 1
    return Copied(history, live, tuple(conflicts), tuple(misfits))


@dataclass(frozen=True, slots=True)
class Wish:
    """What an operator asks of a backfill; None leaves a setting as it is.

    Attributes:
        segments: for a run that is not begun yet.
        again: whether to begin another run when the last one is installed.
        engine: what is to do the work.
    """

    segments: int
    max_wcu: float | None = None
    skip_unmappable: bool | None = None
    again: bool = False
    engine: Engine | None = None


MAX_WCU: Final = 500.0


def wished(job: Job | None, wish: Wish, now: str) -> Job:
    """Say what the job must be: begun, gone on with, folded again, or another run."""
    skip, engine = bool(wish.skip_unmappable), wish.engine or Engine.MACHINE
    if job is None:
        ceiling = wish.max_wcu or MAX_WCU
        return Job(1, wish.segments, ceiling, now, skip_unmappable=skip, engine=engine)
    ceiling = wish.max_wcu or job.max_wcu
    if job.phase is BackfillPhase.INSTALLED:
        if not wish.again:
            # A slow process may have put a fact after the last fold; folding again costs little.
            again = {"phase": BackfillPhase.SEALED, "folds": job.folds + 1}
            return job.changed(**again, max_wcu=ceiling, engine=wish.engine or job.engine)
        begun = Job(job.run + 1, wish.segments, ceiling, now, skip_unmappable=skip, engine=engine)
        return replace(begun, history=job.history, revision=job.revision + 1)
    changes = {
        "max_wcu": ceiling,
        "skip_unmappable": job.skip_unmappable or skip,
        "engine": wish.engine or job.engine,
    }
    return job if replace(job, **changes) == job else job.changed(**changes)  # type: ignore[arg-type] # as above


def conflict_text(event: Activity, fact: Activity) -> str:
    """Name an activity that both sides have, and what differs."""
    differing = [
        f"{name} {getattr(event, name)!r} in legacy, {getattr(fact, name)!r} in facts"
        for name in CONTENT
        if getattr(event, name) != getattr(fact, name)
    ]
    return f"{event.employee_id} {event.event_id}: {'; '.join(differing)}"
