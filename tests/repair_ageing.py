"""A system that gets old: each message may come again as long as it is folded, and entries go by TTL."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from migration.model.facts import Lane, StoredFact
from migration.model.fold import Fold, fold_all
from migration.model.moments import epoch_of, moment_text
from tests.repair_world import RepairWorld

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from migration.model.fold import Activity
    from migration.repair.words import RepairPlan
    from tests.backfill_world import Budget

DAY_S = 86_400
HORIZON_S = 15 * DAY_S


@dataclass
class AgeingWorld(RepairWorld):
    """Each message may come again, as long as it is folded at all; TTL deletes what is past its time."""

    folder: Path = field(kw_only=True)
    sent: list[StoredFact] = field(default_factory=list)
    runs: Iterator[int] = field(default_factory=count)

    def accept_now(self, one: Activity) -> None:
        """Legacy counts it, its mirror stores it, the pipeline folds it."""
        self.system.legacy_accepts(one)
        self.system.store(one, at=moment_text(self.clock.now()))
        self.work()

    def work(self) -> None:
        """Deliver what is new, or was sent by a repair."""
        new = [
            fact
            for identity, fact in self.tables.facts.items()
            if identity not in self.captured and fact.lane is Lane.LIVE
        ]
        self.sent += [*new, *self.folds.queue]
        super().work()

    def deliver_all_again(self) -> None:
        """Deliver every message that was ever sent and is not too old to be folded."""
        oldest = self.clock.now() - HORIZON_S
        self.folds.queue += [fact for fact in self.sent if epoch_of(fact.ingested_at) >= oldest]
        super().work()

    def ttl(self) -> None:
        """Delete every entry that is past its time."""
        for name in [name for name, at in self.folds.expires.items() if at < self.clock.now()]:
            del self.folds.expires[name]
            self.folds.entries.pop(name, None)

    def repaired(
        self, before: dict[str, Callable[[], None]] | None = None, budget: Budget | None = None
    ) -> RepairPlan:
        """Repair once, whole."""
        store = self.store(self.folder / str(next(self.runs)))
        try:
            job = self.repair(store, budget, before=before)
            plan = job.look()
            job.after(list(job.act(plan)))
            return plan
        finally:
            store.close(keep=False)

    def wrong(self) -> dict[str, Fold]:
        """What rows are off the fold of the facts, by the definition."""
        due = fold_all(fact.activity for fact in self.tables.facts.values())
        held = {row: parts.live + parts.base for row, parts in self.tables.rows.items()}
        off = {row: held.get(row, Fold()) - due.get(row, Fold()) for row in due.keys() | held.keys()}
        return {str(row): fold for row, fold in off.items() if fold != Fold()}
