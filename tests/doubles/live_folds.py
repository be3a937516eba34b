"""The live lane's folds in memory, over the rows that a verification reads; held to the tables' contract."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migration.compare.verify.verification import Parts
from migration.model.facts import Restated
from migration.repair.live_folds import Compensated, CompensatedBefore, Overtaken
from migration.repair.words import compensations_of
from tests.doubles.backfill import MemoryFacts

if TYPE_CHECKING:
    from collections.abc import Callable

    from migration.model.facts import Restatement, Stands, StoredFact
    from migration.model.fold import Fold, Identity, Row
    from migration.repair.words import Compensation

KEPT_S = 40 * 86_400.0


@dataclass(slots=True)
class MemoryLiveFolds:
    """Rows, dedup entries and a queue.

    Attributes:
        rows: the aggregates.
        entries: by identity; a compensation's with what it added.
        queue: facts whose message was sent again.
        facts: the fact table.
        now: the time; TTL is the test's.
        expires: when an entry may be deleted, by identity; one that is not in it stays.
    """

    rows: dict[Row, Parts] = field(default_factory=dict)
    entries: dict[str, Fold | None] = field(default_factory=dict)
    queue: list[StoredFact] = field(default_factory=list)
    facts: MemoryFacts = field(default_factory=MemoryFacts)
    now: Callable[[], float] = field(default=lambda: 0.0)
    expires: dict[str, float] = field(default_factory=dict)

    def has_folded(self, identity: Identity) -> bool:
        """Whether an event has a dedup entry."""
        return "\n".join(identity) in self.entries

    def claim(self, name: str, until: float | None = None) -> None:
        """Take an identity for as long as the live lane does."""
        self.entries[name] = None
        self.expires[name] = self.now() + KEPT_S if until is None else until

    def close(self, identity: Identity) -> None:
        """Have an event's dedup entry live for a whole horizon from now, whether or not it has one."""
        name = "\n".join(identity)
        if name not in self.entries or self.expires.get(name, math.inf) < self.now() + KEPT_S:
            self.claim(name)

    def keep_closed(self, identity: Identity) -> None:
        """Have a dedup entry live for a whole horizon from now, where there is one."""
        if self.has_folded(identity):
            self.close(identity)

    def redrive(self, fact: StoredFact) -> None:
        """Send a fact's message to the queue again."""
        self.queue.append(fact)

    def compensations(self, row: Row) -> int:
        """Count the compensations that a row has had."""
        return compensations_of(row, self.entries.__contains__)

    def compensate(self, compensation: Compensation) -> Compensated | CompensatedBefore | Overtaken:
        """Add to a row, and take the compensation's identity."""
        if compensation.identity in self.entries:
            same = self.entries[compensation.identity] == compensation.delta
            return CompensatedBefore() if same else Overtaken()
        self.entries[compensation.identity] = compensation.delta
        held = self.rows.get(compensation.row, Parts())
        self.rows[compensation.row] = held + Parts(live=compensation.delta)
        return Compensated()

    def restate(self, restatement: Restatement) -> Restated | Stands:
        """Give a disputed fact legacy's content, and its rows the difference."""
        result, _ = self.facts.restate(restatement)
        if isinstance(result, Restated):
            for row, delta in restatement.moves.items():
                self.rows[row] = self.rows.get(row, Parts()) + Parts(live=delta)
        return result
