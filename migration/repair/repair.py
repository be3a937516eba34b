"""Repairing: verify, say what is to be done about each difference, do it, and look whether it is done.

    verify ─► decide ─► (the operator agrees) ─► re-drive what mirrors missed, put facts back
                 ┌────────────────────────────────────────┘
                 └► names: each row's number of compensations, or its base_*
                      └► look again ─► what is damaged just as agreed is re-driven, compensated, installed
                                         └► restate disputed facts ─► look again: what is left

A name is read before the evidence, so a repair that somebody else made since then has taken it, and this one
changes nothing. It can be killed between any two calls: what is done is not damaged any more, and what is not
done is found again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

from migration.backfill.bases import Installed
from migration.backfill.history import BaseChange
from migration.model.backfill import BackfillPhase
from migration.model.cause import Cause
from migration.model.facts import Created, Lane, Restated, Spent
from migration.model.fold import NOTHING, Fold, Row
from migration.model.journal import EntryKind
from migration.model.moments import moment_text
from migration.model.wording import words
from migration.repair.differing import ReconcileOutcome, TimeWindow
from migration.repair.live_folds import Compensated, CompensatedBefore
from migration.repair.reconcile import CLOSING, Findings
from migration.repair.remedies import Ground, Known, decide
from migration.repair.words import (
    Compensation,
    Deed,
    DeedOutcome,
    RepairAction,
    RepairPlan,
    about_parts,
    deed_detail,
    held_up,
    identity_of,
    parts_off,
    remedy_detail,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import timedelta

    from migration.backfill.bases import Bases
    from migration.backfill.facts import Facts
    from migration.backfill.pacer import Pacer
    from migration.compare.verify.judge import Verdict
    from migration.compare.verify.verification import Difference
    from migration.compare.verify.verify import Verification
    from migration.model.checkpoints import Checkpoints
    from migration.model.facts import Restatement, Stands, StoredFact
    from migration.model.fold import Identity
    from migration.model.journal_writer import JournalWriter
    from migration.repair.differing import Reconciliation
    from migration.repair.live_folds import LiveFolds
    from migration.repair.reconcile import Reconcile
    from migration.repair.words import Part, Remedy

T = TypeVar("T")
STEP: Final = "repair"
HANDFUL: Final = 100  # differences that one entry announces
SENDING: Final = Spent(0.0)  # a queue's, not a table's
COMPENSATING: Final = Spent(6.0)  # an entry, a row and its place on a board, at a transaction's double price
RESTATING: Final = Spent(20.0)  # a fact, at most five rows and two places on boards, at a transaction's price
_DETAIL: Final = {
    DeedOutcome.DONE: "what it was off is made up for",
    DeedOutcome.DONE_BEFORE: "the same was done before",
    DeedOutcome.MOVED_ON: "it, or a row that goes with it, is not damaged as agreed; nothing was written",
}
_RECONCILED: Final = {
    ReconcileOutcome.STORED: DeedOutcome.DONE,
    ReconcileOutcome.APPLIED: DeedOutcome.DONE,
    ReconcileOutcome.STORED_BEFORE: DeedOutcome.DONE_BEFORE,
    ReconcileOutcome.APPLIED_BEFORE: DeedOutcome.DONE_BEFORE,
}


@dataclass(frozen=True, slots=True)
class Repair:
    """One process that repairs.

    Attributes:
        verification: finds what is damaged, and looks at it again.
        folds, facts, bases: what is repaired, each call by itself.
        reconcile: re-drives what a mirror missed; None when legacy is not looked at.
        checkpoints: where the migration and its backfill stand.
        journal: what is going to be done, and what was, is taken down in it.
        pacer: holds writes to a pace beside live traffic.
        horizon: how old a fact may be for its message to be folded.
        grace: how long a fact may take to reach legacy.
        ceiling: write units a second at most.
    """

    verification: Verification
    folds: LiveFolds
    facts: Facts
    bases: Bases
    reconcile: Reconcile | None
    checkpoints: Checkpoints
    journal: JournalWriter
    pacer: Pacer
    horizon: timedelta
    grace: timedelta
    ceiling: float

    def look(self) -> RepairPlan:
        """Verify, and decide; nothing is written."""
        report = self.verification.run()
        known, ground = self._known(report.differences), self._ground()
        return RepairPlan(report, decide(report.differences, known, ground), ground.stage)

    def act(self, plan: RepairPlan) -> Iterator[Deed]:
        """Do what was agreed on, as far as it is still damaged in the same way, and take it down.

        Raises:
            ConflictError: when the migration moved to another stage since.
            RemoteError: when AWS fails; the same command goes on.
        """
        epoch = self.checkpoints.control().epoch
        writing = iter([one for one in plan.remedies if one.action.writes])
        while handful := list(islice(writing, HANDFUL)):
            fields = {"differences": [remedy_detail(one) for one in handful]}
            text = f"{len(handful):,} differences are going to be repaired"
            self.journal.note(EntryKind.DECIDED, STEP, text, epoch, fields)
        for deed in self._deeds(plan):
            text = f"{deed.action}: {deed.about}: {deed.detail}"
            self.journal.note(EntryKind.REPAIRED, STEP, text, epoch, deed_detail(deed))
            if self.pacer.due():
                self.pacer.look(self.ceiling)
            yield deed

    def after(self, redriven: Iterable[Deed]) -> Verdict:
        """Look at everything that differed, until what was sent again is folded or the patience ends."""
        done = list(redriven)
        if any(one.action is RepairAction.RESTATE for one in done):
            self.verification.run()  # what was folded of a fact before it was restated tells nothing
        sent = {one.id for one in done if one.action is RepairAction.REDRIVE}
        clock, patience = self.verification.clock, self.verification.patience
        deadline = clock.elapsed() + patience.longest.total_seconds()
        while True:
            verdict = self.verification.again()
            waits = any(
                one.kind is Cause.LOST and _text(identity_of(one)) in sent for one in verdict.differences
            )
            if not waits or clock.elapsed() >= deadline:
                return verdict
            clock.sleep(patience.pause.total_seconds())

    def _deeds(self, plan: RepairPlan) -> Iterator[Deed]:
        yield from self._reconcile(plan)
        for remedy in plan.remedies:
            if remedy.closes is not None:
                self._spend(CLOSING, partial(self.folds.close, remedy.closes))
            if remedy.action is RepairAction.RESTORE and remedy.fact is not None:
                yield self._restore(remedy, remedy.fact)
        agreed = parts_off(plan.remedies)
        if agreed or plan.having(RepairAction.REDRIVE):
            yield from self._fold_again(plan, agreed)
        for remedy in plan.having(
            RepairAction.RESTATE
        ):  # last: what was read before is no evidence of its rows
            if remedy.restates is not None:
                yield self._restate(remedy, remedy.restates)

    def _fold_again(self, plan: RepairPlan, agreed: Mapping[Part, Fold]) -> Iterator[Deed]:
        """Read the names, then the evidence; do what is damaged just as agreed."""
        named = self._names(agreed)
        known = self._known(one.difference for one in plan.remedies)
        now = decide(self.verification.again().differences, known, self._ground())
        missing = {identity_of(one.difference) for one in now if one.action is RepairAction.REDRIVE}
        off, about = parts_off(now), about_parts(plan.remedies)
        for remedy in plan.having(RepairAction.REDRIVE):
            if remedy.fact is not None:
                yield self._redrive(remedy, remedy.fact, missing)
        held = held_up(plan.remedies, [part for part, fold in agreed.items() if off.get(part) != fold])
        for part, fold in agreed.items():
            yield self._set_right(part, fold, named[part], about[part], held=part in held)

    def _names(self, parts: Iterable[Part]) -> dict[Part, int | Fold]:
        """Read what a later writer must not have changed: a live row's number, a history part's `base_*`."""
        listed = list(parts)
        historic = [row for row, lane in listed if lane is Lane.HISTORY]
        held = self._bases(historic)
        return {
            (row, lane): held.get(row, NOTHING) if lane is Lane.HISTORY else self.folds.compensations(row) + 1
            for row, lane in listed
        }

    def _bases(self, rows: Sequence[Row]) -> dict[Row, Fold]:
        if not rows:
            return {}
        source = self.verification.source
        employees = sorted({row.employee_id for row in rows if row.employee_id is not None})
        held = {row: parts.base for row, parts in source.programs().items()}
        for reading in source.employees(employees):
            held |= {row: parts.base for row, parts in reading.rows.items()}
        return held

    def _known(self, differences: Iterable[Difference]) -> dict[Identity, Known]:
        """Read the facts, the events and the dedup entries that differences are about."""
        failing = [one for one in differences if one.kind.fails and one.event_id is not None]
        wanted = {identity_of(one) for one in failing}
        live = {
            identity_of(one)
            for one in failing
            if one.kind is Cause.ALTERED or any(off.lane is Lane.LIVE for off in one.off)
        }
        folded = {identity: self.folds.has_folded(identity) for identity in live}
        known = {}
        for reading in self.verification.source.employees(sorted({one.employee_id for one in wanted})):
            facts = {fact.activity.identity: fact for fact in reading.facts}
            events = {event.identity: event for event in reading.legacy.events} if reading.legacy else {}
            for identity in wanted & (facts.keys() | events.keys()):
                is_folded = folded.get(identity, False)
                known[identity] = Known(facts.get(identity), events.get(identity), is_folded)
        return known

    def _ground(self) -> Ground:
        now, job = self.verification.clock.now(), self.checkpoints.job()
        return Ground(
            stage=self.checkpoints.control().stage,
            copied=job is not None and job.copied,
            installed=job is None or job.phase is BackfillPhase.INSTALLED,
            settled_before=moment_text(now - self.grace.total_seconds()),
            horizon=moment_text(now - self.horizon.total_seconds()),
            now=moment_text(now),
        )

    def _reconcile(self, plan: RepairPlan) -> Iterator[Deed]:
        decisions = [one.decision for one in plan.having(RepairAction.RECONCILE) if one.decision is not None]
        if not decisions or self.reconcile is None:
            return
        findings = Findings(plan.stage, TimeWindow(), "", decisions=decisions)
        yield from map(_reconciled, self.reconcile.act(findings, self.ceiling))

    def _restore(self, remedy: Remedy, fact: StoredFact) -> Deed:
        put = self.pacer.spend(partial(self.facts.put, fact))
        outcome = DeedOutcome.DONE if isinstance(put, Created) else DeedOutcome.DONE_BEFORE
        return Deed(remedy.action, outcome, _text(fact.activity.identity), remedy.name, remedy.why)

    def _restate(self, remedy: Remedy, restatement: Restatement) -> Deed:
        """Of history the fact alone: what its rows are off is found, and installed, as any other history."""
        result: Restated | Stands
        if restatement.fact.lane is Lane.HISTORY:
            result = self.pacer.spend(partial(self.facts.restate, restatement))
        else:
            result = self._spend(RESTATING, partial(self.folds.restate, restatement))
        if isinstance(result, Restated):
            outcome = DeedOutcome.DONE
        elif result.fact is not None and result.fact.activity == restatement.to:
            outcome = DeedOutcome.DONE_BEFORE
        else:
            outcome = DeedOutcome.MOVED_ON
        return Deed(remedy.action, outcome, _text(restatement.to.identity), remedy.name, remedy.why)

    def _redrive(self, remedy: Remedy, fact: StoredFact, missing: set[Identity]) -> Deed:
        name = _text(fact.activity.identity)
        if fact.activity.identity not in missing:
            return Deed(remedy.action, DeedOutcome.MOVED_ON, name, remedy.name, "it is folded by now")
        self._spend(SENDING, partial(self.folds.redrive, fact))
        return Deed(remedy.action, DeedOutcome.DONE, name, remedy.name, "its message was sent again")

    def _set_right(self, part: Part, agreed: Fold, name: int | Fold, about: str, *, held: bool) -> Deed:
        row, lane = part
        if isinstance(name, Fold):
            action, name_text = RepairAction.INSTALL, f"base_* of {row}, {(name - agreed).events:,} events"
            write = partial(self._install, BaseChange(row, name, name - agreed))
        else:
            compensation = Compensation(row, name, agreed * -1, about)
            action, name_text = RepairAction.COMPENSATE, compensation.identity.replace("\n", " ")
            write = partial(self._compensate, compensation)
        outcome = DeedOutcome.MOVED_ON if held else write()
        return Deed(action, outcome, name_text, about, _DETAIL[outcome], row, lane, agreed * -1)

    def _compensate(self, compensation: Compensation) -> DeedOutcome:
        result = self._spend(COMPENSATING, partial(self.folds.compensate, compensation))
        match result:
            case Compensated():
                return DeedOutcome.DONE
            case CompensatedBefore():
                return DeedOutcome.DONE_BEFORE
            case _:
                return DeedOutcome.MOVED_ON

    def _install(self, change: BaseChange) -> DeedOutcome:
        result = self.pacer.spend(partial(self.bases.install, change))
        if isinstance(result, Installed):
            return DeedOutcome.DONE
        return DeedOutcome.DONE_BEFORE if result.base == change.due else DeedOutcome.MOVED_ON

    def _spend(self, spent: Spent, call: Callable[[], T]) -> T:
        return self.pacer.spend(lambda: (call(), spent))


def _reconciled(done: Reconciliation) -> Deed:
    name = done.decision.pair.activity.identity
    outcome = _RECONCILED.get(done.outcome, DeedOutcome.FAILED)
    what = f"event {name.event_id} of {name.employee_id}"
    detail = f"{words(done.outcome)}: {done.detail}"
    return Deed(RepairAction.RECONCILE, outcome, _text(name), what, detail)


def _text(identity: Identity) -> str:
    return " ".join(identity)
