"""Reconciling: read legacy's events, then the facts, find what differs, and re-drive it the right way.

    legacy's events ──read first──┐
                                  ├── exact set difference ── decide ── (the operator agrees) ── act
    facts ──read after them───────┘

Legacy is read first: whatever a mirror stored by then is among the facts. The other way round needs a grace
period, because the mirror's put is sent before legacy's own. It never overwrites, and never deletes.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final

from migration.model.backfill import conflict_text
from migration.model.errors import ConflictError, UsageError
from migration.model.facts import Lane, Spent, StoredFact, Taken
from migration.model.moments import moment_text
from migration.model.side import Side
from migration.model.stages import Stage
from migration.repair.differing import (
    Decision,
    ReconcileAction,
    ReconcileOutcome,
    Reconciliation,
    TimeWindow,
    decide,
    too_long,
)
from migration.repair.legacy_sink import Applied, AppliedBefore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from datetime import timedelta

    from migration.backfill.facts import Facts
    from migration.backfill.in_parallel import InParallel
    from migration.backfill.legacy_events import LegacyEventSource
    from migration.backfill.pacer import Pacer
    from migration.model.cause import Cause
    from migration.model.checkpoints import Checkpoints
    from migration.model.fold import Activity, Identity
    from migration.repair.differing import Pair
    from migration.repair.legacy_sink import LegacySink
    from migration.repair.live_folds import LiveFolds

    Compare = Callable[[Iterable[Activity], Iterable[StoredFact]], AbstractContextManager[Iterator[Pair]]]

MOST_AT_ONCE: Final = 100_000  # decisions held in memory; the rest is left for the next run
SEGMENTS: Final = 4
HANDFUL: Final = 100
CLOSING: Final = Spent(1.0)
APPLYING: Final = Spent(6.0)  # a put and two updates in a transaction, which costs double


@dataclass(slots=True)
class Findings:
    """What a look found.

    Attributes:
        stage: where the migration stood.
        window: what was compared.
        settled_before: facts after this may be in flight.
        events, facts: how many were compared.
        decisions: what is to be done, at most `MOST_AT_ONCE`.
        more: how many differences there are beyond that.
        misfits: legacy items that do not fit the plan, in words.
    """

    stage: Stage
    window: TimeWindow
    settled_before: str
    events: int = 0
    facts: int = 0
    decisions: list[Decision] = field(default_factory=list)
    more: int = 0
    misfits: list[str] = field(default_factory=list)

    @property
    def writes(self) -> int:
        """How many decisions change a table."""
        return sum(decision.action.writes for decision in self.decisions)

    @property
    def counts(self) -> Counter[tuple[Cause, ReconcileAction]]:
        """Count decisions by what differs and what is to be done."""
        return Counter((decision.kind, decision.action) for decision in self.decisions)


@dataclass(frozen=True, slots=True)
class Reconcile:
    """One process that reconciles.

    Attributes:
        events, facts, folds, legacy, checkpoints: the world.
        compare: finds what differs, in bulk.
        pacer: holds writes to a pace beside live traffic.
        in_parallel: a map over several threads, or the builtin.
    """

    events: LegacyEventSource
    facts: Facts
    folds: LiveFolds
    legacy: LegacySink
    checkpoints: Checkpoints
    compare: Compare
    pacer: Pacer
    in_parallel: InParallel = map

    def look(self, window: TimeWindow, grace: timedelta) -> Findings:
        """Compare, and decide; nothing is written.

        Args:
            window: what to compare.
            grace: how long a fact may take to reach legacy. It must be longer than legacy's own request and
                its client's retries take, or legacy, which is not idempotent, may count the activity twice.

        Raises:
            UsageError: when history is not copied yet and the window is open at its start.
        """
        stage = self.checkpoints.control().stage
        self._history_first(stage, window)
        settled_before = moment_text(self.pacer.clock.now() - grace.total_seconds())
        findings = Findings(stage, window, settled_before)
        with self.compare(self._events(findings), self._facts(findings)) as pairs:
            decisions = (decide(pair, stage, settled_before) for pair in pairs)
            findings.decisions = list(islice(decisions, MOST_AT_ONCE))
            findings.more = sum(1 for _ in decisions)
        return findings

    def act(self, findings: Findings, ceiling: float) -> Iterator[Reconciliation]:
        """Do what was decided, and say for each activity what became of it.

        Raises:
            ConflictError: when the migration moved to another stage since.
            UsageError: when it would take longer than the live lane can bear.
        """
        stage = self.checkpoints.control().stage
        if stage is not findings.stage:
            raise ConflictError(
                f"the migration moved from {findings.stage} to {stage} meanwhile; nothing was changed",
                hint="look again",
                next_command="cutover reconcile",
            )
        puts = sum(decision.action is ReconcileAction.PUT_FACT for decision in findings.decisions)
        if (problem := too_long(puts, ceiling)) is not None:
            raise UsageError(
                problem, hint="copy them as history instead", next_command="cutover backfill start --again"
            )
        remaining = iter(findings.decisions)
        while handful := list(islice(remaining, HANDFUL)):
            if self.pacer.due():
                self.pacer.look(ceiling)
            yield from self.in_parallel(self._do, handful)

    def _history_first(self, stage: Stage, window: TimeWindow) -> None:
        job = self.checkpoints.job()
        if stage is Stage.OFF or (job is not None and job.copied) or window.since is not None:
            return
        raise UsageError(
            "the history is not copied yet, so every event of it would be put in the live lane one by one",
            hint="finish the backfill first, or name the moment since when mirrors must have worked: --since",
            next_command="cutover backfill start",
        )

    def _events(self, findings: Findings) -> Iterator[Activity]:
        with closing(self.events.pages(SEGMENTS, {})) as pages:
            for page in pages:
                findings.misfits += page.misfits
                for activity in filter(findings.window.holds, page.activities):
                    findings.events += 1
                    yield activity

    def _facts(self, findings: Findings) -> Iterator[StoredFact]:
        for fact in self.facts.everything():
            if findings.window.holds(fact.activity):
                findings.facts += 1
                yield fact

    def _do(self, decision: Decision) -> Reconciliation:
        match decision.action:
            case ReconcileAction.PUT_FACT:
                return self._put(decision)
            case ReconcileAction.APPLY_TO_LEGACY if decision.pair.fact is not None:
                return self._apply(decision, decision.pair.fact)
            case ReconcileAction.WAIT:
                return Reconciliation(decision, ReconcileOutcome.WAITING, decision.why)
            case _:
                return Reconciliation(decision, ReconcileOutcome.LEFT, decision.why)

    def _put(self, decision: Decision) -> Reconciliation:
        activity = decision.pair.activity
        self._keep_closed(activity.identity)
        fact = StoredFact(activity, Lane.LIVE, Side.LEGACY, moment_text(self.pacer.clock.now()))
        put = self.pacer.spend(partial(self.facts.put, fact))
        if not isinstance(put, Taken):
            return Reconciliation(decision, ReconcileOutcome.STORED, decision.why)
        there = put.fact
        if there.activity != activity:
            return Reconciliation(
                decision, ReconcileOutcome.CONFLICT, conflict_text(activity, there.activity)
            )
        return Reconciliation(
            decision, ReconcileOutcome.STORED_BEFORE, f"it became a fact of the {there.lane} lane meanwhile"
        )

    def _keep_closed(self, identity: Identity) -> None:
        """See to an event that was folded: its fact's new messages may come when its old entry is gone."""

        def keep() -> tuple[None, Spent]:
            self.folds.keep_closed(identity)
            return None, CLOSING

        if self.folds.has_folded(identity):
            self.pacer.spend(keep)

    def _apply(self, decision: Decision, fact: StoredFact) -> Reconciliation:
        result = self.pacer.spend(lambda: (self.legacy.apply(fact), APPLYING))
        match result:
            case Applied():
                return Reconciliation(decision, ReconcileOutcome.APPLIED, decision.why)
            case AppliedBefore():
                return Reconciliation(decision, ReconcileOutcome.APPLIED_BEFORE, "legacy took it meanwhile")
            case _:
                return Reconciliation(decision, ReconcileOutcome.FAILED, result.reason)
