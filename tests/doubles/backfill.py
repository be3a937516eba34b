"""What a backfill and a reconcile touch, in memory: both sides' tables and the control table.

Each does what the real one does, one call at a time; one contract suite holds both to the same expectations.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from migration.backfill.bases import Holds, Installed
from migration.backfill.estimate import TableSize
from migration.backfill.history import fold_history
from migration.backfill.legacy_events import EventPage
from migration.backfill.segment_workers import Execution
from migration.model.backfill import progress_of
from migration.model.errors import IntegrityError
from migration.model.facts import Created, Lane, Restated, Spent, Stands, StoredFact, Taken
from migration.model.fold import NOTHING, Fold, Row, rows_of
from migration.model.live_lane import LiveState
from migration.model.stages import Control
from migration.repair.legacy_sink import Applied, AppliedBefore

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from migration.backfill.facts import Facts
    from migration.backfill.history import BaseChange, FoldedHistory
    from migration.model.backfill import Job, Progress, Pulse, Segment
    from migration.model.facts import Restatement
    from migration.model.fold import Activity, Identity

ONE_UNIT = Spent(1.0)


@dataclass(slots=True)
class MemoryFacts:
    """The fact table."""

    by_identity: dict[Identity, StoredFact] = field(default_factory=dict)

    def put(self, fact: StoredFact) -> tuple[Created | Taken, Spent]:
        """Store a fact unless its identity is taken."""
        there = self.by_identity.get(fact.activity.identity)
        if there is not None:
            return Taken(there), ONE_UNIT
        self.by_identity[fact.activity.identity] = fact
        return Created(), ONE_UNIT

    def restate(self, restatement: Restatement) -> tuple[Restated | Stands, Spent]:
        """Give a disputed fact legacy's content, in place, unless it is another fact by now."""
        was = restatement.fact
        there = self.by_identity.get(was.activity.identity)
        if there is None or (there.activity, there.lane, there.side) != (was.activity, was.lane, was.side):
            return Stands(there), ONE_UNIT
        self.by_identity[was.activity.identity] = replace(there, activity=restatement.to)
        return Restated(), ONE_UNIT

    def history(self) -> Iterator[Activity]:
        """Read the history lane."""
        return (fact.activity for fact in self.everything() if fact.lane is Lane.HISTORY)

    def everything(self) -> Iterator[StoredFact]:
        """Read every fact."""
        return iter([fact for fact in self.by_identity.values() if not fact.activity.reserved])


@dataclass(slots=True)
class MemoryLegacy:
    """Legacy's events and totals, and the reverse mirror's way to write them."""

    events: dict[Identity, Activity] = field(default_factory=dict)
    totals: defaultdict[Row, Fold] = field(default_factory=lambda: defaultdict(Fold))
    adding: dict[Identity, Activity] = field(default_factory=dict)  # events that the mirror has begun
    versions: dict[Row, int] = field(default_factory=dict)
    marks: defaultdict[Row, set[str]] = field(default_factory=lambda: defaultdict(set))
    misfits: list[str] = field(default_factory=list)
    applied: Counter[Identity] = field(default_factory=Counter)
    page_items: int = 3

    def pages(self, segments: int, positions: Mapping[int, str | None]) -> Generator[EventPage]:
        """Read segment by segment; an event's place in a segment follows from its key alone."""
        for number in range(segments):
            position = positions.get(number, "")
            while position is not None:
                page = self._page(segments, number, position)
                yield page
                position = page.position

    def stored(self, identity: Identity) -> Activity | None:
        """Read an event's row, begun or finished."""
        return self.events.get(identity) or self.adding.get(identity)

    def size(self) -> TableSize:
        """Count the events."""
        return TableSize(len(self.events), 200 * len(self.events))

    def apply(self, fact: StoredFact) -> Applied | AppliedBefore:
        """Write the event and add to the totals, unless the event is there."""
        activity = fact.activity
        if activity.identity in self.events:
            return AppliedBefore()
        self.take(activity)
        self.applied[activity.identity] += 1
        return Applied()

    def take(self, activity: Activity) -> None:
        """Write the event and add to the totals, as legacy's own ingest does."""
        self.events[activity.identity] = activity
        in_program, _, program = rows_of(activity)
        for row in (in_program, program):
            self.totals[row] += Fold(activity.points, 1)

    def _page(self, segments: int, number: int, position: str) -> EventPage:
        keys = sorted(
            "\t".join(key) for key in self.events if sum(key[1].encode(errors="replace")) % segments == number
        )
        left = [key for key in keys if key > position]
        chosen = left[: self.page_items]
        more = chosen[-1] if len(left) > len(chosen) else None
        by_key = {"\t".join(key): activity for key, activity in self.events.items()}
        misfits = tuple(self.misfits) if number == 0 and not position else ()
        return EventPage(number, more, tuple(by_key[key] for key in chosen), misfits)


@dataclass(slots=True)
class MemoryBases:
    """The aggregates: their totals, which the live lane adds to, and their history part."""

    totals: dict[Row, Fold] = field(default_factory=dict)
    installed: dict[Row, Fold] = field(default_factory=dict)

    def bases(self) -> Iterator[tuple[Row, Fold]]:
        """Read the history part of every row that has one."""
        return iter(list(self.installed.items()))

    def install(self, change: BaseChange) -> tuple[Installed | Holds, Spent]:
        """Replace a row's history part if it is what the change says."""
        held = self.installed.get(change.row, NOTHING)
        if held != change.held:
            return Holds(held), ONE_UNIT
        self.installed[change.row] = change.due
        self.totals[change.row] = self.totals.get(change.row, NOTHING) + (change.due - held)
        return Installed(), ONE_UNIT


@dataclass(slots=True)
class MemoryCheckpoints:
    """A control table; its control item may be lost."""

    state: Control = field(default_factory=Control)
    stored_job: Job | None = None
    segments: dict[tuple[int, int], Segment] = field(default_factory=dict)
    last_pulse: Pulse | None = None
    lost: bool = False

    def control(self) -> Control:
        """Read where the migration stands."""
        if self.lost:
            raise IntegrityError("the control item is gone", hint="find out", next_command="cutover doctor")
        return self.state

    def job(self) -> Job | None:
        """Read the backfill."""
        return self.stored_job

    def save_job(self, job: Job) -> bool:
        """Replace the revision before this one."""
        if (self.stored_job.revision if self.stored_job else 0) != job.revision - 1:
            return False
        self.stored_job = job
        return True

    def progress(self, job: Job) -> Progress:
        """Read how far the segments are."""
        return progress_of(job, self.segments.values())

    def save_segment(self, segment: Segment) -> bool:
        """Replace the revision before this one."""
        key = (segment.run, segment.number)
        if (self.segments[key].revision if key in self.segments else 0) != segment.revision - 1:
            return False
        self.segments[key] = segment
        return True

    def pulse(self) -> Pulse | None:
        """Read the last sign of life."""
        return self.last_pulse

    def save_pulse(self, pulse: Pulse) -> None:
        """Leave a sign of life, unless a newer one is there."""
        if self.last_pulse is None or self.last_pulse.at <= pulse.at:
            self.last_pulse = pulse


@dataclass(slots=True)
class MemoryLiveLane:
    """A live lane in a state of the caller's choice."""

    state: LiveState = field(default_factory=LiveState)

    def look(self) -> LiveState:
        """Look now."""
        return self.state


@contextmanager
def folded_in_memory(facts: Iterable[Activity], bases: Iterable[tuple[Row, Fold]]) -> Iterator[FoldedHistory]:
    """Fold as backfill/history.py defines it."""
    yield fold_history(facts, bases)


@dataclass(slots=True)
class MemorySegmentWorkers:
    """Functions that copy: each look gives every segment of an execution that is under way one turn.

    Attributes:
        turn: one function's turn at a segment of a run; says whether no other is needed.
        fails: segments whose functions fail.
    """

    turn: Callable[[int, int], bool]
    fails: set[int] = field(default_factory=set)
    executions: dict[str, tuple[int, set[int]]] = field(default_factory=dict)
    stopped: list[str] = field(default_factory=list)

    def begin(self, job: Job) -> str | None:
        """Begin once."""
        name = f"run-{job.run}-{job.executions + 1}"
        if name not in self.executions:
            self.executions[name] = (job.run, set(range(job.segments)))
        return name if self.executions[name][1] else None

    def look(self, name: str) -> Execution:
        """Give each segment that is left a turn."""
        run, left = self.executions[name]
        before = len(left)
        left -= {number for number in left if number in self.fails or self.turn(run, number)}
        status = "RUNNING" if before else "SUCCEEDED"
        return Execution(name, bool(before), status, at_work=before, failed=len(self.fails))

    def stop(self, name: str, why: str) -> None:
        """Leave the segments that are left."""
        self.stopped.append(why)
        self.executions[name][1].clear()


@dataclass(slots=True)
class MemoryExports:
    """Snapshots of facts, in memory."""

    facts: Facts
    snapshots: dict[str, list[Activity]] = field(default_factory=dict)

    def snapshot(self, token: str) -> str:
        """Take it once."""
        self.snapshots.setdefault(token, list(self.facts.history()))
        return token

    def exporting(self, snapshot: str) -> str | None:
        """It is there at once."""
        return None if snapshot in self.snapshots else snapshot

    def fold(self, snapshot: str) -> str:
        """Fold when it is read."""
        return snapshot

    def folding(self, fold: str) -> str | None:
        """It is there at once."""
        return self.exporting(fold)

    def folded(self, fold: str, bases: Iterable[tuple[Row, Fold]]) -> AbstractContextManager[FoldedHistory]:
        """Fold as backfill/history.py defines it."""
        return folded_in_memory(self.snapshots[fold], bases)
