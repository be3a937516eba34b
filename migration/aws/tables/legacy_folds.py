"""Facts of the pipeline, added to legacy's tables: each exactly once to each row, and no row is ever held.

    begin event ─► program +1, mark ─► employee +1, mark ─► finish event ─► unmark program ─► unmark employee

What is first marked is first unmarked. So a fact is to be added to a row just if the row, read first, lacks
its mark, and the place before, read after, has it: it was unmarked nowhere by then, so the row never had it.
A row's version tells whether one of us added since. Whoever is given the fact next goes on where another
stopped. An event without a mark, where the program's row has none either, is legacy's own or done. Where a
client of legacy's sends a marked event again, its mark is gone and legacy counts it too, as it always did:
what was begun is ended all the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from migration.aws.tables.legacy_rows import BusyError, UnfitError, mark_of
from pipeline.domain.aggregator import MAX_BUSY, Outcome
from pipeline.domain.batch import Row
from pipeline.domain.fold import Fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from migration.aws.tables.legacy_rows import Held, LegacyRows
    from migration.aws.tables.mirrored_fact import MirroredFact

    RowOf = Callable[[MirroredFact], Row]
    Grouped = dict[Row, list[MirroredFact]]
    Change = tuple[Sequence[MirroredFact], Callable[[], None]]
    Together = Callable[[Callable[[Any], object], Iterable[Any]], Iterable[object]]

T = TypeVar("T")
AT_ONCE: Final = 25  # facts: what there is no time for is left whole, and BatchGetItem takes 100 keys


@dataclass(frozen=True, slots=True)
class LegacyFolds:
    """Adds batches to legacy's tables.

    Attributes:
        rows: the tables.
        wait: sleeps before attempt 1, 2, … of what was busy, with jitter.
        has_time: whether the invocation can still afford another call.
        together: makes calls that concern different rows, as `map` does: one after another, or in threads.
    """

    rows: LegacyRows
    wait: Callable[[int], None]
    has_time: Callable[[], bool]
    together: Together = map

    def fold(self, facts: Iterable[MirroredFact]) -> Outcome:
        """Add each distinct fact once; facts that could not be added are in `failed`, with the reason."""
        outcome = Outcome()
        unique = list({fact.identity: fact for fact in facts}.values())
        for first in range(0, len(unique), AT_ONCE):
            adding = _Adding(self, unique[first : first + AT_ONCE], outcome)
            self._add(adding)
            outcome.failed |= adding.busy
        return outcome

    def _add(self, adding: _Adding) -> None:
        for attempt in range(1, MAX_BUSY + 1):
            adding.attempt()
            if not adding.busy or attempt == MAX_BUSY or not self.has_time():
                return
            self.wait(attempt)


@dataclass(slots=True)
class _Adding:
    """A few facts on their way; what goes wrong with one stops no other.

    Attributes:
        to: where they are added.
        facts: to be added yet.
        busy: why one needs another attempt.
        put: whose event is there.
        ours: whose program's row had their mark.
        marks: of each row, as far as it is known.
    """

    to: LegacyFolds
    facts: list[MirroredFact]
    outcome: Outcome
    busy: dict[str, str] = field(default_factory=dict)
    put: set[str] = field(default_factory=set)
    ours: set[str] = field(default_factory=set)
    marks: dict[Row, set[str]] = field(default_factory=dict)

    def attempt(self) -> None:
        """Bring every fact as far as it goes; those that were busy are left in `facts`."""
        self.busy.clear()
        self._begin()
        self._check_employees()
        self._add(_program, self._begun)
        self._add(_employee, self._in_program)
        self._finish()
        for row_of in (_program, _employee):
            self._unmark(row_of)
        done = {fact.identity for fact in self._well(self.facts)}
        self.outcome.folded |= done & self.ours
        self.outcome.duplicates |= done - self.ours
        self.facts = [fact for fact in self.facts if fact.identity in self.busy]

    def _begin(self) -> None:
        facts = [fact for fact in self._well(self.facts) if fact.identity not in self.put]
        self._each("event", [([fact], partial(self._begin_one, fact)) for fact in facts])

    def _begin_one(self, fact: MirroredFact) -> None:
        self.to.rows.begin(fact)
        self.put.add(fact.identity)

    def _check_employees(self) -> None:
        """Fail what an employee's row cannot take before the program's has it."""
        by_row = self._by(_employee)
        for row, held in self._read(by_row).items():
            self._takes(held, by_row[row])

    def _add(self, row_of: RowOf, before: Callable[[], set[str]]) -> None:
        """Add to rows what has its mark in the place `before` and not here: rows are read first."""
        by_row = self._by(row_of)
        found, due = self._read(by_row), before()
        changes = []
        for row, held in found.items():
            wanted = (
                one for one in by_row[row] if one.identity in due and mark_of(one.identity) not in held.marks
            )
            facts = self._well(wanted)
            if facts and self._takes(held, facts):
                changes.append((facts, partial(self._add_to, row, held, facts)))
        self._each("totals", changes)

    def _add_to(self, row: Row, held: Held, facts: Sequence[MirroredFact]) -> None:
        self.to.rows.add(row, held, _sum(facts), _marks(facts))
        self.marks[row].update(_marks(facts))

    def _begun(self) -> set[str]:
        """Whose event is there and marked."""
        facts = self._well(self.facts)
        found = self._alone(facts, "event", partial(self.to.rows.begun, facts)) or {}
        self._missed(one for one in facts if one.identity not in found)
        return {identity for identity, begun in found.items() if begun}

    def _in_program(self) -> set[str]:
        """Whose program's row has their mark."""
        by_row = self._by(_program)
        marked = {
            one.identity
            for row, held in self._read(by_row).items()
            for one in by_row[row]
            if mark_of(one.identity) in held.marks
        }
        self.ours |= marked
        return marked

    def _finish(self) -> None:
        facts = [fact for fact in self._well(self.facts) if fact.identity in self.ours]
        self._each("event", [([fact], partial(self.to.rows.finish, fact)) for fact in facts])

    def _unmark(self, row_of: RowOf) -> None:
        by_row = self._by(row_of)
        marks = {row: self.marks[row].intersection(_marks(facts)) for row, facts in by_row.items()}
        self._each(
            "totals",
            [(by_row[row], partial(self._unmark_one, row, marks[row])) for row in by_row if marks[row]],
        )

    def _unmark_one(self, row: Row, marks: set[str]) -> None:
        self.to.rows.unmark(row, marks)
        self.marks[row] -= marks

    def _read(self, by_row: Grouped) -> dict[Row, Held]:
        facts = [one for group in by_row.values() for one in group]
        found = self._alone(facts, "totals", partial(self._rows, by_row)) or {}
        self._missed(one for row, group in by_row.items() if row not in found for one in group)
        self.marks |= {row: set(held.marks) for row, held in found.items()}
        return found

    def _rows(self, by_row: Grouped) -> dict[Row, Held]:
        """Read rows of one table; one whose key DynamoDB refuses is found by halves."""
        try:
            return self.to.rows.read(by_row)
        except UnfitError:
            if len(by_row) == 1:
                raise
        first, second = _halves(by_row)
        return self._read(first) | self._read(second)

    def _takes(self, held: Held, facts: Sequence[MirroredFact]) -> bool:
        takes = held.takes(_sum(facts))
        if not takes:
            self.outcome.fail(facts, _cannot("totals"))
        return takes

    def _missed(self, facts: Iterable[MirroredFact]) -> None:
        """What is not known of a fact is asked again."""
        for fact in self._well(facts):
            self.busy[fact.identity] = "a read was cut short"

    def _by(self, row_of: RowOf) -> Grouped:
        by_row: Grouped = {}
        for fact in self._well(self.facts):
            by_row.setdefault(row_of(fact), []).append(fact)
        return by_row

    def _well(self, facts: Iterable[MirroredFact]) -> list[MirroredFact]:
        gone = self.busy.keys() | self.outcome.failed.keys()
        return [fact for fact in facts if fact.identity not in gone]

    def _each(self, where: str, changes: Iterable[Change]) -> None:
        """Make calls of different rows."""
        for _ in self.to.together(lambda change: self._alone(change[0], where, change[1]), changes):
            pass

    def _alone(self, facts: Sequence[MirroredFact], where: str, call: Callable[[], T]) -> T | None:
        """Make a call, if it concerns any, and keep what goes wrong to these facts; then it is None."""
        if not facts:
            return None
        why = "out of time"
        if self.to.has_time():
            try:
                return call()
            except BusyError as error:
                why = str(error)
            except UnfitError as error:
                self.outcome.fail(facts, f"{_cannot(where)} ({error})")
                return None
        self.busy.update({fact.identity: why for fact in facts})
        return None


def _program(fact: MirroredFact) -> Row:
    return Row(fact.program_id)


def _employee(fact: MirroredFact) -> Row:
    return Row(fact.program_id, fact.employee_id)


def _sum(facts: Iterable[MirroredFact]) -> Fold:
    return sum((fact.fold for fact in facts), Fold())


def _marks(facts: Iterable[MirroredFact]) -> list[str]:
    return [mark_of(fact.identity) for fact in facts]


def _halves(by_row: Grouped) -> tuple[Grouped, Grouped]:
    rows = list(by_row.items())
    middle = len(rows) // 2
    return dict(rows[:middle]), dict(rows[middle:])


def _cannot(where: str) -> str:
    return f"legacy's {where} row cannot take it"
