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

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

from migration.aws.tables.legacy_rows import BusyError, UnfitError, mark_of
from pipeline.domain.aggregator import MAX_BUSY, Outcome
from pipeline.domain.batch import Row, chunks
from pipeline.domain.fold import Fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from migration.aws.tables.legacy_rows import Held, LegacyRows
    from migration.aws.tables.mirrored_fact import MirroredFact

    RowOf = Callable[[MirroredFact], Row]
    Grouped = dict[Row, list[MirroredFact]]

AT_ONCE: Final = 40  # facts and rows between two looks at the time: each is some calls, and rows may be hot


@dataclass(frozen=True, slots=True)
class LegacyFolds:
    """Adds batches to legacy's tables.

    Attributes:
        rows: the tables.
        wait: sleeps before attempt 1, 2, … of what was busy, with jitter.
        has_time: whether the invocation can still afford another attempt.
    """

    rows: LegacyRows
    wait: Callable[[int], None]
    has_time: Callable[[], bool]

    def fold(self, facts: Iterable[MirroredFact]) -> Outcome:
        """Add each distinct fact once; facts that could not be added are in `failed`, with the reason."""
        outcome = Outcome()
        for chunk in chunks({fact.identity: fact for fact in facts}.values(), AT_ONCE):
            self._add(_Adding(self.rows, cast("list[MirroredFact]", list(chunk.facts)), outcome))
        return outcome

    def _add(self, adding: _Adding) -> None:
        for attempt in range(1, MAX_BUSY + 1):
            if not self.has_time():
                adding.outcome.fail(adding.facts, "out of time")
                return
            adding.attempt()
            if not adding.facts:
                return
            if attempt < MAX_BUSY:
                self.wait(attempt)
        adding.outcome.failed |= adding.busy


@dataclass(slots=True)
class _Adding:
    """A few facts on their way; what goes wrong with one stops no other.

    Attributes:
        facts: to be added yet.
        busy: why one needs another attempt.
        put: whose event is there.
        ours: whose program's row had their mark.
        marks: of each row, as far as it is known.
    """

    rows: LegacyRows
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
        for fact in self._well(self.facts):
            if fact.identity not in self.put:
                with self._alone([fact], "event"):
                    self.rows.begin(fact)
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
        for row, held in found.items():
            wanted = (
                one for one in by_row[row] if one.identity in due and mark_of(one.identity) not in held.marks
            )
            facts = self._well(wanted)
            if facts and self._takes(held, facts):
                with self._alone(facts, "totals"):
                    self.rows.add(row, held, _sum(facts), _marks(facts))
                    self.marks[row].update(_marks(facts))

    def _begun(self) -> set[str]:
        """Whose event is there and marked."""
        facts = self._well(self.facts)
        found: dict[str, bool] = {}
        if facts:
            with self._alone(facts, "event"):
                found = self.rows.begun(facts)
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
        for fact in self._well(self.facts):
            if fact.identity in self.ours:
                with self._alone([fact], "event"):
                    self.rows.finish(fact)

    def _unmark(self, row_of: RowOf) -> None:
        for row, facts in self._by(row_of).items():
            if marks := self.marks[row].intersection(_marks(facts)):
                with self._alone(facts, "totals"):
                    self.rows.unmark(row, marks)
                    self.marks[row] -= marks

    def _read(self, by_row: Grouped) -> dict[Row, Held]:
        """Read rows of one table; one whose key DynamoDB refuses is found by halves."""
        facts = [one for group in by_row.values() for one in group]
        found: dict[Row, Held] = {}
        if not facts:
            return found
        with self._alone(facts, "totals"):
            try:
                found = self.rows.read(by_row)
            except UnfitError:
                if len(by_row) == 1:
                    raise
                first, second = _halves(by_row)
                return self._read(first) | self._read(second)
        self._missed(one for row, group in by_row.items() if row not in found for one in group)
        self.marks |= {row: set(held.marks) for row, held in found.items()}
        return found

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

    @contextmanager
    def _alone(self, facts: Iterable[MirroredFact], where: str) -> Iterator[None]:
        """Keep what goes wrong to these facts."""
        try:
            yield
        except BusyError as error:
            self.busy |= {fact.identity: str(error) for fact in facts}
        except UnfitError as error:
            self.outcome.fail(facts, f"{_cannot(where)} ({error})")


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
