"""From a batch of facts to transactions: deduplicate, coalesce per aggregate row, cut into chunks.

    messages --> unique facts --> in folding order --> chunks of <= 100 actions
                                                       (1 dedup put per fact + 1 ADD per row)

The order is what makes coalescing pay: as they arrive, the cap on actions is reached by rows that the next
chunk touches again. Employees with several facts first, by employee, then all others by program costs
least, the boards' index included (measured: benchmarks/results.md).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.domain.fold import Fold
from pipeline.domain.ranking import TOTAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.domain.queued_fact import QueuedFact

MAX_ACTIONS: Final = 100


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """The key of one aggregate row: an employee's in a program, an employee's total, or a program's shard."""

    program_id: str
    employee_id: str | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one transaction folds: each fact once, each row once."""

    facts: tuple[QueuedFact, ...]

    @property
    def deltas(self) -> dict[Row, Fold]:
        """What the chunk adds to each row, in a fixed order."""
        deltas: dict[Row, Fold] = {}
        for fact in self.facts:
            fold = fact.fold
            for row in rows_of(fact):
                deltas[row] = deltas.get(row, Fold()) + fold
        return deltas

    def without(self, identities: frozenset[str]) -> Chunk:
        """Leave out facts, by identity."""
        return Chunk(tuple(fact for fact in self.facts if fact.identity not in identities))


def rows_of(fact: QueuedFact) -> tuple[Row, Row, Row]:
    """Name the three rows that a fact is folded into."""
    return (
        Row(fact.program_id, fact.employee_id),
        Row(TOTAL, fact.employee_id),
        Row(fact.program_id),
    )


def folding_order(facts: Iterable[QueuedFact]) -> list[QueuedFact]:
    """Bring facts that share rows together; the order is the same for every order of arrival."""
    batch = list(facts)
    count = Counter(fact.employee_id for fact in batch)

    def place(fact: QueuedFact) -> tuple[bool, str, str, str]:
        if count[fact.employee_id] > 1:
            return False, fact.employee_id, fact.program_id, fact.event_id
        return True, fact.program_id, fact.employee_id, fact.event_id

    return sorted(batch, key=place)


def chunks(facts: Iterable[QueuedFact], max_actions: int = MAX_ACTIONS) -> Iterator[Chunk]:
    """Bring unique facts into folding order and cut them into chunks of at most `max_actions`."""
    return cut(folding_order(facts), max_actions)


def cut(ordered: Iterable[QueuedFact], max_actions: int = MAX_ACTIONS) -> Iterator[Chunk]:
    """Cut facts, in the order given, so that a chunk's dedup puts and row updates stay within the cap."""
    chosen: list[QueuedFact] = []
    touched: set[Row] = set()
    for fact in ordered:
        grown = touched.union(rows_of(fact))
        if chosen and len(chosen) + 1 + len(grown) > max_actions:
            yield Chunk(tuple(chosen))
            chosen, grown = [], set(rows_of(fact))
        chosen.append(fact)
        touched = grown
    if chosen:
        yield Chunk(tuple(chosen))
