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

from migration.core.backfill import conflict_text
from migration.core.errors import ConflictError, UsageError
from migration.core.facts import Lane, Spent, StoredFact, Taken
from migration.core.moments import moment_text
from migration.core.reconcile import Action, Decision, Done, Outcome, Window, decide, too_long
from migration.core.routing import Side
from migration.core.stages import Stage
from migration.ports.legacy_sink import Applied, AppliedBefore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from datetime import timedelta

    from migration.core.ledger import Activity
    from migration.core.reconcile import Kind, Pair
    from migration.engine.in_parallel import InParallel
    from migration.engine.pacing import Pacer
    from migration.ports.checkpoints import Checkpoints
    from migration.ports.facts import Facts
    from migration.ports.legacy_events import LegacyEvents
    from migration.ports.legacy_sink import LegacySink

    Compare = Callable[[Iterable[Activity], Iterable[StoredFact]], AbstractContextManager[Iterator[Pair]]]

MOST_AT_ONCE: Final = 100_000  # decisions held in memory; the rest is left for the next run
SEGMENTS: Final = 4
HANDFUL: Final = 100
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
    window: Window
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
    def counts(self) -> Counter[tuple[Kind, Action]]:
        """Count decisions by what differs and what is to be done."""
        return Counter((decision.kind, decision.action) for decision in self.decisions)


@dataclass(frozen=True, slots=True)
class Reconcile:
    """One process that reconciles.

    Attributes:
        events, facts, legacy, checkpoints: the world.
        compare: finds what differs, in bulk.
        pacer: holds writes to a pace beside live traffic.
        in_parallel: a map over several threads, or the builtin.
    """

    events: LegacyEvents
    facts: Facts
    legacy: LegacySink
    checkpoints: Checkpoints
    compare: Compare
    pacer: Pacer
    in_parallel: InParallel = map

    def look(self, window: Window, grace: timedelta) -> Findings:
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

    def act(self, findings: Findings, ceiling: float) -> Iterator[Done]:
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
        puts = sum(decision.action is Action.PUT_FACT for decision in findings.decisions)
        if (problem := too_long(puts, ceiling)) is not None:
            raise UsageError(
                problem, hint="copy them as history instead", next_command="cutover backfill start --again"
            )
        remaining = iter(findings.decisions)
        while handful := list(islice(remaining, HANDFUL)):
            if self.pacer.due():
                self.pacer.look(ceiling)
            yield from self.in_parallel(self._do, handful)

    def _history_first(self, stage: Stage, window: Window) -> None:
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

    def _do(self, decision: Decision) -> Done:
        match decision.action:
            case Action.PUT_FACT:
                return self._put(decision)
            case Action.APPLY_TO_LEGACY if decision.pair.fact is not None:
                return self._apply(decision, decision.pair.fact)
            case Action.WAIT:
                return Done(decision, Outcome.WAITING, decision.why)
            case _:
                return Done(decision, Outcome.LEFT, decision.why)

    def _put(self, decision: Decision) -> Done:
        activity = decision.pair.activity
        fact = StoredFact(activity, Lane.LIVE, Side.LEGACY, moment_text(self.pacer.clock.now()))
        put = self.pacer.spend(partial(self.facts.put, fact))
        if not isinstance(put, Taken):
            return Done(decision, Outcome.STORED, decision.why)
        there = put.fact
        if there.activity != activity:
            return Done(decision, Outcome.CONFLICT, conflict_text(activity, there.activity))
        return Done(decision, Outcome.STORED_BEFORE, f"it became a fact of the {there.lane} lane meanwhile")

    def _apply(self, decision: Decision, fact: StoredFact) -> Done:
        result = self.pacer.spend(lambda: (self.legacy.apply(fact), APPLYING))
        match result:
            case Applied():
                return Done(decision, Outcome.APPLIED, decision.why)
            case AppliedBefore():
                return Done(decision, Outcome.APPLIED_BEFORE, "legacy took it meanwhile")
            case _:
                return Done(decision, Outcome.FAILED, result.reason)
