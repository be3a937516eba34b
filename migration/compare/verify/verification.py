"""The words of a verification: what was read, how a difference is classed, and what the report says.

    facts ──fold──► must be = employee rows = program rows          pipeline, live and base_* apart
      │
      └── must hold the same activities as ── legacy's events ──fold──► must be = legacy's rows

Readings are ordered so that every difference of a healthy system has one sign: aggregates are read before the
facts, and legacy's events before the facts. So a row can lack a fact that is on its way, and never hold one
that was not read.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migration.model.fold import NOTHING, RESERVED, Activity, Fold, Row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migration.model.cause import Cause
    from migration.model.facts import Lane, StoredFact


@dataclass(frozen=True, slots=True)
class Off:
    """By how much a difference puts one lane's part of a row off: what it holds minus what it must hold."""

    row: Row
    lane: Lane
    fold: Fold


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One difference, explained by the event that makes it, or by none.

    Attributes:
        kind: its class.
        employee_id, event_id, program_id: None where it is a row, and not one event, that differs.
        detail: what was found, in words.
        points: of the event.
        rows: the aggregates in which it shows.
        candidates: where the event cannot be told from others alike, the first of those it can be.
        off: what it does to each of the pipeline's rows; empty where that is not known, or is nothing.
        coming: whether rows that lack the event may still get it, so that the class is not its last.
    """

    kind: Cause
    employee_id: str | None
    event_id: str | None
    program_id: str | None
    detail: str
    points: int | None = None
    rows: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    off: tuple[Off, ...] = field(default=(), compare=False)
    coming: bool = field(default=False, compare=False)

    @property
    def reserved(self) -> bool:
        """Whether it is about pulses, which no client sent."""
        return (self.employee_id or self.program_id or "").startswith(RESERVED)


def difference_of(kind: Cause, activity: Activity, detail: str, rows: tuple[str, ...] = ()) -> Difference:
    """Say what is wrong with one activity."""
    ids = (activity.employee_id, activity.event_id, activity.program_id)
    return Difference(kind, *ids, detail, activity.points, rows)


@dataclass(frozen=True, slots=True)
class Parts:
    """An aggregate, or the fold of facts, by the lane that folds them."""

    live: Fold = NOTHING
    base: Fold = NOTHING

    def __add__(self, other: Parts) -> Parts:
        """Join two disjoint sets."""
        return Parts(self.live + other.live, self.base + other.base)


@dataclass(frozen=True, slots=True)
class LegacyReading:
    """What legacy holds of an employee; its folds have no fingerprint."""

    rows: Mapping[Row, Fold]
    events: Sequence[Activity]


@dataclass(frozen=True, slots=True)
class EmployeeReading:
    """Everything about one employee, read consistently and in order: legacy, rows, facts."""

    employee_id: str
    rows: Mapping[Row, Parts]
    facts: Sequence[StoredFact]
    legacy: LegacyReading | None = None


@dataclass(frozen=True, slots=True)
class WideReading:
    """A program's row, whose facts are too many to read one by one.

    Attributes:
        row: the program's.
        samples: the row at several moments, all before the last fact was read.
        settled: fold of the facts that were there at the as-of time.
        young: the other facts of the program.
    """

    row: Row
    samples: Sequence[Parts]
    settled: Parts
    young: Sequence[StoredFact]


@dataclass(frozen=True, slots=True)
class LegacyProgram:
    """A program in legacy.

    Attributes:
        held: what its row holds; no fingerprint.
        due: fold of its events.
        young: fold of those among them that may not be counted yet, or came while legacy was read; of points
            only their sizes.
        narrow: how far its employees' rows are off together.
    """

    held: Fold = NOTHING
    due: Fold = NOTHING
    young: Fold = NOTHING
    narrow: Fold = NOTHING


@dataclass(frozen=True, slots=True)
class Horizon:
    """Which facts may rightly not be folded yet.

    Attributes:
        as_of: every fact up to here has to be folded before the verdict.
        young_since: a fact after this may be between two stations.
        late_since: a fact after this may be in the queue, if anything is.
        queued: messages in the queue or being worked on.
    """

    as_of: str
    young_since: str
    late_since: str
    queued: int = 0

    def newer(self, fact: StoredFact) -> bool:
        """Whether a fact came after the as-of time, so that the verdict is not about it."""
        return fact.ingested_at > self.as_of

    def on_its_way(self, fact: StoredFact) -> bool:
        """Whether a fact that did not arrive may still do so."""
        late = self.queued > 0 and fact.ingested_at > self.late_since
        return late or fact.ingested_at > self.young_since or self.newer(fact)


@dataclass(frozen=True, slots=True)
class Sum:
    """What must be equal, in one line of the report."""

    name: str
    stored: Fold
    folded: Fold


@dataclass(frozen=True, slots=True)
class Keys:
    """How many keys of one kind were compared, and how many had to be looked at again."""

    name: str
    compared: int
    looked_at_again: int


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What a verification found.

    Attributes:
        as_of: epoch seconds; every fact accepted until then has been judged.
        finished_at: epoch seconds.
        sums: the whole sides; they move while activities pour in, so they are no verdict.
        keys: by kind of aggregate.
        differences: by name; pulses' among them.
        undecided: rows that moved too fast to be judged.
        skipped: employees that differ and were not looked at, because there are too many.
        passes: how often the differing keys were looked at.
        queued: messages in the queue at the end, about.
        dead: messages that were given up.
    """

    as_of: float
    finished_at: float
    sums: Sequence[Sum]
    keys: Sequence[Keys]
    differences: Sequence[Difference] = ()
    undecided: Sequence[str] = ()
    skipped: int = 0
    passes: int = 0
    queued: int = 0
    dead: int = 0

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong on the migration's side; legacy's own errors do not count, nor pulses."""
        failing = any(one.kind.fails and not one.reserved for one in self.differences)
        return not failing and not self.skipped

    @property
    def counts(self) -> Counter[Cause]:
        """Count the differences of each class, pulses' left out."""
        return Counter(one.kind for one in self.differences if not one.reserved)
