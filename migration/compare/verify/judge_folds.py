"""All differing rows of one lane together: which facts they lack, hold again or hold wrongly, by name.

    1. what is on its way is taken off each row      compare/verify/judge_rows.py
    2. the employees' rows are explained             compare/folds.py, by fingerprint
    3. what that names is taken off the programs' rows, and what is left there is explained as well
    4. a row that no event explains hands back its fingerprint, to be looked up among all facts

The live part and `base_*` are judged apart, each against the facts of its own lane.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from migration.compare.explain import joined
from migration.compare.folds import Explained, explain_rows
from migration.compare.ledger.findings import by_event, name_events, name_rows
from migration.compare.verify.judge_rows import belongs, may_lack, settle_employee, settle_wide
from migration.compare.verify.verification import Difference, Off, difference_of
from migration.model.cause import Cause
from migration.model.facts import Lane
from migration.model.fold import NOTHING, Fold, Identity, Row, fold_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from migration.compare.explain import Times
    from migration.compare.ledger.verdict import Finding
    from migration.compare.verify.verification import EmployeeReading, Horizon, WideReading
    from migration.model.facts import StoredFact
    from migration.model.fold import Activity

SHOWN: Final = 20
_PART: Final = {Lane.LIVE: "", Lane.HISTORY: "in the history part: "}


@dataclass(frozen=True, slots=True)
class Judged:
    """What a look at one lane's rows found.

    Attributes:
        differences: by name.
        undecided: rows whose young facts are too many to tell which of them they hold.
        fingerprints: of rows that no event at hand explains; an event elsewhere may have one of them.
        waiting: whether facts that must be folded may still be.
    """

    differences: list[Difference] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)
    fingerprints: set[int] = field(default_factory=set)
    waiting: bool = False


class FoldJudge:
    """Takes what was read of differing employees and programs, and judges it."""

    def __init__(self, lane: Lane, horizon: Horizon) -> None:
        self._lane = lane
        self._horizon = horizon
        self._wrong: dict[Row, Fold] = {}
        self._wide: list[WideReading] = []
        self._facts: dict[Identity, StoredFact] = {}
        self._other_lane: dict[Identity, Activity] = {}
        self._not_facts: dict[Identity, Activity] = {}
        self._waiting: defaultdict[Identity, list[Row]] = defaultdict(list)
        self._absent: dict[str, list[StoredFact]] = {}
        self._absent_off: defaultdict[str, list[Off]] = defaultdict(list)
        self._activities: dict[Identity, Activity] = {}

    def take(self, reading: EmployeeReading) -> None:
        """Take an employee's rows."""
        settled = settle_employee(reading, self._lane, self._horizon)
        for fact, row in settled.waiting:
            self._waiting[fact.activity.identity].append(row)
            self._facts[fact.activity.identity] = fact
        if settled.absent and self._lane is Lane.HISTORY:
            self._absent[reading.employee_id] = [f for f in reading.facts if f.lane is self._lane]
            self._absent_off[reading.employee_id] = self._offs(settled.wrong)
        elif settled.wrong:
            self._wrong |= settled.wrong
            self.take_found(reading.facts, reading.legacy.events if reading.legacy else ())

    def take_wide(self, reading: WideReading) -> None:
        """Take a program's row."""
        self._wide.append(reading)

    def take_found(self, facts: Iterable[StoredFact], events: Iterable[Activity]) -> None:
        """Take facts and legacy's events that rows may hold or lack."""
        for fact in facts:
            if fact.lane is self._lane:
                self._facts[fact.activity.identity] = fact
            else:
                self._other_lane[fact.activity.identity] = fact.activity
        self._not_facts |= {event.identity: event for event in events}

    def judge(self) -> Judged:
        """Explain everything that was taken."""
        absent = (fact for facts in self._absent.values() for fact in facts)
        stored = {fact.activity.identity: fact.activity for fact in (*self._facts.values(), *absent)}
        self._activities = {**self._not_facts, **self._other_lane, **stored}
        explained, undecided = self._explain_all()
        left = [one for row, off in explained.unexplained.items() for one in self._sought(row, off)]
        named = [*self._on_their_way(), *self._not_installed(), *self._named_differences(explained)]
        coming = [Identity(one.employee_id or "", one.event_id or "") for one in named if one.coming]
        return Judged(
            named,
            undecided,
            {abs(off.fingerprint) // (abs(off.events) or 1) for off in left},
            any(not self._horizon.newer(self._facts[name]) for name in coming),
        )

    def _sought(self, row: Row, off: Fold) -> Iterable[Fold]:
        """Give what one event elsewhere may make up: the difference, with and without what is on its way."""
        return {off, sum((fold_of(fact.activity) for fact in self._waiting_for(row)), off)}

    def _waiting_for(self, row: Row) -> list[StoredFact]:
        return [self._facts[name] for name in self._waiting if belongs(self._facts[name], row)]

    def _explain_all(self) -> tuple[Explained, list[str]]:
        """Explain employees' rows, then the programs' with what that explains; gives the undecided ones."""
        narrow = self._explain(self._wrong)
        undecided: list[str] = []
        settled: dict[Row, list[Row]] = {}
        left: dict[Row, Fold] = {}
        for reading in self._wide:
            row, waiting = reading.row, self._waiting_for(reading.row)
            off = settle_wide(reading, self._lane, waiting)
            if off is None:
                continue
            absent = self._weigh(self._absent_in(row))
            parts = [part for part in narrow.times if part.program_id == row.program_id]
            known = sum((self._wrong[part] for part in parts), absent)
            if settle_wide(reading, self._lane, waiting, known) is None:
                settled[row] = parts
            elif any(fact.lane is self._lane for fact in reading.young):
                undecided.append(str(row))
            else:
                left[row] = off - absent
        explained = self._explain({**self._wrong, **left}) if left else narrow
        for row, parts in settled.items():
            _take_parts(explained, row, parts)
        for row in (*settled, *(left.keys() - explained.unexplained.keys())):
            self._take_absent(row)
        return explained, undecided

    def _explain(self, wrong: Mapping[Row, Fold]) -> Explained:
        if not wrong:
            return Explained()
        facts = [fact.activity for fact in self._facts.values()]
        return explain_rows(wrong, facts, [*self._not_facts.values(), *self._other_lane.values()])

    def _absent_in(self, row: Row) -> Times:
        return {
            fact.activity.identity: -1
            for facts in self._absent.values()
            for fact in facts
            if belongs(fact, row)
        }

    def _take_absent(self, row: Row) -> None:
        """Note what a program's row lacks because employees' history is not installed."""
        for employee_id, facts in self._absent.items():
            fold = sum((fold_of(fact.activity) for fact in facts if belongs(fact, row)), NOTHING)
            self._absent_off[employee_id] += self._offs({row: fold * -1} if fold != NOTHING else {})

    def _weigh(self, times: Times) -> Fold:
        return sum((fold_of(self._activities[name]) * count for name, count in times.items()), NOTHING)

    def _named(self, times: Times) -> Times:
        return {name: count for name, count in times.items() if name.employee_id not in self._absent}

    def _on_their_way(self) -> Iterable[Difference]:
        for name, rows in self._waiting.items():
            detail = f"{_PART[self._lane]}a fact that is not folded yet"
            fact = self._facts[name].activity
            found = difference_of(Cause.IN_FLIGHT, fact, detail, tuple(map(str, rows)))
            yield replace(found, coming=True)

    def _not_installed(self) -> Iterable[Difference]:
        for employee_id, facts in self._absent.items():
            detail = f"none of the employee's {len(facts):,} copied events is installed"
            names = tuple(fact.activity.event_id for fact in facts[:SHOWN])
            one = facts[0].activity.event_id if len(facts) == 1 else None
            yield Difference(
                Cause.HISTORY_NOT_INSTALLED,
                employee_id,
                one,
                None,
                detail,
                candidates=names,
                off=tuple(self._absent_off[employee_id]),
            )

    def _named_differences(self, explained: Explained) -> Iterable[Difference]:
        counts = by_event(explained)
        for finding in name_events({}, explained, self._activities, self._facts.keys()):
            name = Identity(finding.employee_id or "", finding.event_id or "")
            fold = fold_of(self._activities[name])
            off = self._offs(
                {row: fold * count + explained.more_points(row, name) for row, count in counts[name].items()}
            )
            found = self._difference(finding, off)
            if self._is_coming(name, counts[name]):
                kind = Cause.IN_FLIGHT if finding.kind is Cause.LOST else found.kind
                found = replace(found, kind=kind, coming=True)
            yield found
        members = [fact.activity for fact in self._facts.values()]
        rows = {str(row): row for row in explained.points}
        for finding in name_rows(explained, members, whole=False):
            within = [rows[text] for text in finding.rows if text in rows]
            # A wider row is off by all its parts together, and each part has a finding of its own.
            yield self._difference(
                finding, self._offs({row: Fold(explained.points[within[0]]) for row in within})
            )

    def _is_coming(self, name: Identity, counts: Mapping[Row, int]) -> bool:
        """Whether rows lack a fact that may still be folded, also where they are wrong by something else."""
        lacking = name in self._facts and min(counts.values()) < 0
        return name in self._waiting or (lacking and may_lack(self._facts[name], self._horizon))

    def _offs(self, folds: Mapping[Row, Fold]) -> list[Off]:
        return [Off(row, self._lane, fold) for row, fold in folds.items() if fold != NOTHING]

    def _difference(self, finding: Finding, off: Sequence[Off]) -> Difference:
        kind, detail = finding.kind, finding.detail
        if self._lane is Lane.HISTORY and kind is Cause.LOST:
            kind = Cause.HISTORY_NOT_INSTALLED
        name = Identity(finding.employee_id or "", finding.event_id or "")
        if name in self._other_lane and name not in self._facts:
            kind, detail = Cause.DOUBLED, "folded by the other lane than its own"
        elif name.employee_id in self._absent and finding.kind is Cause.DOUBLED:
            kind, detail = Cause.MISPLACED, f"folded into {', '.join(finding.rows)} instead of its own rows"
        elif name in self._not_facts and name not in self._facts:
            kind, detail = Cause.LOST, "folded, but its fact is gone; legacy still has it"
        ids = (finding.employee_id, finding.event_id, finding.program_id)
        return Difference(
            kind, *ids, _PART[self._lane] + detail, finding.points, finding.rows, off=tuple(off)
        )


def _take_parts(explained: Explained, row: Row, parts: Sequence[Row]) -> None:
    """Explain a program's row by what explains its employees' rows."""
    explained.times[row] = joined([explained.times[part] for part in parts])
    explained.as_acknowledged[row] = {
        name: more for part in parts for name, more in explained.as_acknowledged.get(part, {}).items()
    }
    if points := sum(explained.points.get(part, 0) for part in parts):
        explained.points[row] = points
