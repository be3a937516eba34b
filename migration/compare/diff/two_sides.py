"""What both sides hold of the same activities, lined up so that every difference has one place.

    legacy board -- legacy -- legacy's events -- truth -- facts -- pipeline -- pipeline board
                  |         |                  |        |        |           |
              stale board   |                  |        |    in flight,      |
                        double count,     not mirrored  |    not folded   older snapshot
                        partial update            no fact yet

Truth is every activity that either side stored, once: facts, and legacy's events that are no facts yet. So it
is the facts when all history is copied, and legacy's events before there are any facts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from migration.model.fold import NOTHING, TOTAL, Fold, Identity, Row, fingerprint
from pipeline.domain.activity import format_time

if TYPE_CHECKING:
    from migration.compare.boards.boards import BoardEntry
    from migration.model.facts import StoredFact

GLOBAL: Final = "global"
PROGRAM_BOARD: Final = "program#"
YOUNG: Final = timedelta(seconds=60)  # stream, pipe and queue take seconds; a request, and clocks apart, less
LATE: Final = timedelta(minutes=10)  # a message that failed comes back after the queue's visibility timeout


def ranked_program(board: str) -> str:
    """Name the program, or all of them, whose rows a board ranks."""
    return TOTAL if board == GLOBAL else board.removeprefix(PROGRAM_BOARD)


@dataclass(frozen=True, slots=True)
class Stored:
    """An activity as a side stores it; `at` is when it came (UTC, milliseconds), empty if unknown."""

    program_id: str
    points: int
    at: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """One activity, as legacy's event and as a fact; at least one of them is there.

    Attributes:
        lane: the fact's; empty without a fact.
        side: who accepted the fact first; empty without a fact.
    """

    identity: Identity
    legacy: Stored | None
    fact: Stored | None
    lane: str = ""
    side: str = ""

    @property
    def truth(self) -> Stored:
        """What counts: the fact, or legacy's event while there is none."""
        stored = self.fact or self.legacy
        if stored is None:
            raise ValueError(f"{self.identity} is stored by nobody")
        return stored

    @property
    def fact_fold(self) -> Fold:
        """Fold it as a fact; nothing while there is none."""
        return Fold(self.fact.points, 1, fingerprint(self.identity)) if self.fact else NOTHING


def sighted(fact: StoredFact) -> Sighting:
    """Take a fact for a sighting of its activity."""
    one = fact.activity
    return Sighting(
        one.identity, None, Stored(one.program_id, one.points, fact.ingested_at), fact.lane, fact.side
    )


@dataclass(frozen=True, slots=True)
class Sums:
    """One aggregate, as each place has it; legacy's own rows have no fingerprint."""

    row: Row
    legacy: Fold = NOTHING
    legacy_events: Fold = NOTHING
    truth: Fold = NOTHING
    facts: Fold = NOTHING
    pipeline: Fold = NOTHING

    @property
    def differs(self) -> bool:
        """Whether any link of the chain is not exact; errors that cancel out are errors."""
        exact = self.legacy_events == self.truth == self.facts == self.pipeline
        return self.miscounted != NOTHING or not exact

    @property
    def miscounted(self) -> Fold:
        """Legacy's link: its total minus the fold of its own events, both without fingerprint."""
        return replace(self.legacy - self.legacy_events, fingerprint=0)

    @property
    def misfolded(self) -> Fold:
        """The pipeline's link: its total minus the fold of the facts."""
        return self.pipeline - self.facts


@dataclass(frozen=True, slots=True)
class StoredBoard:
    """A board as a side keeps it.

    Attributes:
        board: `global` or `program#P`.
        entries: best first.
        made_at: when legacy rebuilt it, or when the snapshot's run began; UTC text with milliseconds.
    """

    board: str
    entries: tuple[BoardEntry, ...] = ()
    made_at: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """When the tables were read, and what was still moving then.

    Attributes:
        began_at: before the first read, UTC text with milliseconds. Boards are read first, then aggregates,
            then events: so whatever an aggregate counts is among the events.
        young_since: what came after this may be counted already or not yet, and nobody is to blame.
        late_since: a fact that came after this may still be folded, if messages are queued.
        queued: messages in the pipeline's queue or being worked on, about.
    """

    began_at: str
    young_since: str
    late_since: str
    queued: int = 0

    def on_its_way(self, sighting: Sighting) -> bool:
        """Whether a fact of the live lane that is not folded may still be."""
        if sighting.fact is None or sighting.lane != "live":
            return False
        at = sighting.fact.at
        return at > self.young_since or (self.queued > 0 and at > self.late_since)


def reading_at(began: datetime, newest_folded_at: str | None, queued: int) -> Reading:
    """Say what was moving when a reading began; `newest_folded_at` and `queued` are read just after."""
    late = format_time(datetime.fromisoformat(newest_folded_at) - LATE) if newest_folded_at else ""
    return Reading(format_time(began), format_time(began - YOUNG), late, queued)
