"""What differs between legacy's events and the facts, and what is to be done about each.

    legacy event, no fact                      the forward mirror missed it        put it as a fact, live lane
    fact of the pipeline, no legacy event      the reverse mirror missed it        apply it to legacy
    fact of legacy, live, no legacy event      legacy failed after the mirror      apply it to legacy
    fact of legacy, history, no legacy event   legacy dropped it since             leave it: the fact stands
    both, with other content                   one was altered, or two clients     a repair settles it

An action is right whenever it is taken: a fact is put only where there is none, and legacy is written only
where its event is absent. So deciding needs no lock, and a decision that is out of date changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from migration.model.backfill import conflict_text
from migration.model.cause import Cause, absent_from_legacy
from migration.model.facts import Lane, StoredFact
from migration.model.misfit import misfit
from migration.model.stages import Stage
from pipeline.domain.activity import MAX_POINTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from migration.model.fold import Activity

STREAM_KEEPS: Final = timedelta(hours=24)
PAST_COMPLETE: Final = "the migration is complete: legacy is not kept up any more"
SETTLES: Final = "cutover repair says which of them has authority, and settles it"
BEFORE_DUALWRITE: Final = "stage off mirrors nothing: cutover backfill start copies it"


class ReconcileAction(StrEnum):
    """What is to be done about it."""

    PUT_FACT = "put_fact"
    APPLY_TO_LEGACY = "apply_to_legacy"
    WAIT = "wait"
    LEAVE = "leave"

    @property
    def writes(self) -> bool:
        """Whether it changes a table."""
        return self in (ReconcileAction.PUT_FACT, ReconcileAction.APPLY_TO_LEGACY)


class ReconcileOutcome(StrEnum):
    """What became of it."""

    STORED = "stored_as_fact"
    STORED_BEFORE = "was_a_fact_already"
    APPLIED = "applied_to_legacy"
    APPLIED_BEFORE = "was_in_legacy_already"
    WAITING = "in_flight"
    LEFT = "left_alone"
    CONFLICT = "conflict"
    FAILED = "failed"

    @property
    def open(self) -> bool:
        """Whether somebody still has to see to it."""
        return self in (ReconcileOutcome.LEFT, ReconcileOutcome.CONFLICT, ReconcileOutcome.FAILED)


@dataclass(frozen=True, slots=True)
class Pair:
    """One activity that is not the same on both sides; at least one of them has it."""

    event: Activity | None
    fact: StoredFact | None

    @property
    def activity(self) -> Activity:
        """The activity as the facts have it, else as legacy has it."""
        if self.fact is not None:
            return self.fact.activity
        if self.event is None:
            raise ValueError("a pair of nothing")
        return self.event


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done about one activity, and why."""

    kind: Cause
    action: ReconcileAction
    pair: Pair
    why: str


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What became of one activity."""

    decision: Decision
    outcome: ReconcileOutcome
    detail: str


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """Which activities are compared: by `occurred_at`, UTC text with milliseconds; None is open."""

    since: str | None = None
    until: str | None = None

    def holds(self, activity: Activity) -> bool:
        """Whether an activity is in it; its end is not."""
        after = self.since is None or activity.occurred_at >= self.since
        return after and (self.until is None or activity.occurred_at < self.until)


def compare(events: Iterable[Activity], facts: Iterable[StoredFact]) -> Iterator[Pair]:
    """Find in memory what differs: the definition, for what is small enough."""
    by_identity = {event.identity: event for event in events}
    for fact in facts:
        event = by_identity.pop(fact.activity.identity, None)
        if event != fact.activity:
            yield Pair(event, fact)
    for event in by_identity.values():
        yield Pair(event, None)


def decide(pair: Pair, stage: Stage, settled_before: str) -> Decision:
    """Say what is to be done.

    Args:
        pair: what differs.
        stage: where the migration stands.
        settled_before: a fact that came later may still be on its way to legacy.
    """
    if pair.event is not None and pair.fact is not None:
        why = f"{conflict_text(pair.event, pair.fact.activity)}; {SETTLES}"
        return Decision(Cause.ALTERED, ReconcileAction.LEAVE, pair, why)
    if pair.fact is None:
        return Decision(Cause.MIRROR_MISSED, *_missed(pair, stage))
    kind = absent_from_legacy(pair.fact.side, pair.fact.lane)
    action, why = _not_in_legacy(pair.fact, kind, stage, settled_before)
    return Decision(kind, action, pair, why)


def no_fact_because(activity: Activity, lane: Lane) -> str | None:
    """Say why an event of legacy's can be no fact of a lane; None when it can."""
    problem = misfit(activity)
    if problem is None and lane is Lane.LIVE and not 0 <= activity.points <= MAX_POINTS:
        return f"{activity.points:,} points are more than the live lane folds; a backfill would take it"
    return problem


def too_long(puts: int, per_s: float) -> str | None:
    """Say why so many facts cannot be put in the live lane in time; None when they can.

    What the live lane has not captured within a day is gone from the table's stream. The history lane has no
    such limit: it never reads the stream.
    """
    needed = timedelta(seconds=puts / per_s)
    if needed <= STREAM_KEEPS / 2:
        return None
    hours = needed / timedelta(hours=1)
    return (
        f"{puts:,} facts at {per_s:,.0f} a second take {hours:,.0f} hours, and a stream keeps what is not "
        "captured for 24; half of that is the limit here"
    )


def _missed(pair: Pair, stage: Stage) -> tuple[ReconcileAction, Pair, str]:
    if stage is Stage.OFF:
        return ReconcileAction.LEAVE, pair, BEFORE_DUALWRITE
    if problem := no_fact_because(pair.activity, Lane.LIVE):
        return ReconcileAction.LEAVE, pair, f"it can be no fact: {problem}"
    return ReconcileAction.PUT_FACT, pair, "legacy has it, and the forward mirror missed it"


def _not_in_legacy(
    fact: StoredFact, kind: Cause, stage: Stage, settled_before: str
) -> tuple[ReconcileAction, str]:
    if kind is Cause.GONE_FROM_LEGACY:
        return ReconcileAction.LEAVE, "it was copied from legacy, which dropped it since; the fact stands"
    if stage is Stage.COMPLETE:
        return ReconcileAction.LEAVE, PAST_COMPLETE
    if fact.ingested_at >= settled_before:
        return ReconcileAction.WAIT, f"it came at {fact.ingested_at}, and may be on its way to legacy"
    if kind is Cause.NOT_MIRRORED_BACK:
        return ReconcileAction.APPLY_TO_LEGACY, "the pipeline accepted it, and the reverse mirror missed it"
    return (
        ReconcileAction.APPLY_TO_LEGACY,
        "legacy failed after it was mirrored, so its client was told to send it again",
    )
