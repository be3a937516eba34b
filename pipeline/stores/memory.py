"""Aggregates in memory, for property tests; one contract suite holds them to DynamoDB's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.domain.aggregator import Busy, Committed, Refused
from pipeline.domain.fold import Fold

if TYPE_CHECKING:
    from pipeline.domain.batch import Chunk, Row


@dataclass(slots=True)
class MemoryFolds:
    """Folds into dictionaries, all of a chunk or nothing."""

    identities: set[str] = field(default_factory=set)
    rows: dict[Row, Fold] = field(default_factory=dict)
    newest_folded_at: str = ""

    def commit(self, chunk: Chunk) -> Committed | Refused | Busy:
        """Fold a chunk, unless some of it was folded before."""
        identities = {fact.identity for fact in chunk.facts}
        duplicates = frozenset(identities & self.identities)
        if duplicates:
            return Refused(duplicates)
        self.identities |= identities
        for row, delta in chunk.deltas.items():
            self.rows[row] = self.rows.get(row, Fold()) + delta
        return Committed()

    def advance_newest(self, ingested_at: str) -> bool:
        """Move the time of the newest folded fact forward, never backward."""
        self.newest_folded_at = max(self.newest_folded_at, ingested_at)
        return True
