"""A side's tables in memory, as the ledger check reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migration.compare.ledger.pipeline import is_reserved
from migration.model.fold import whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from migration.model.fold import Activity, Fold, Row


@dataclass(slots=True)
class MemoryTables:
    """A side's tables: facts of the live lane, aggregates by row, and messages on their way."""

    facts: list[Activity] = field(default_factory=list)
    aggregates: dict[Row, Fold] = field(default_factory=dict)
    messages: int = 0

    def activities(self) -> Iterator[Activity]:
        """Read every fact."""
        yield from self.facts

    def folds(self) -> Mapping[Row, Fold]:
        """Read every aggregate."""
        return {row: fold for row, fold in self.aggregates.items() if not is_reserved(row)}

    def stored(self) -> int:
        """Count the facts."""
        return sum(not fact.reserved for fact in self.facts)

    def folded(self) -> int:
        """Count the events that the program folds hold."""
        return whole(self.folds()).events

    def queued(self) -> int:
        """Count the messages."""
        return self.messages
