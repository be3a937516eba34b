"""Legacy's tables, written as the reverse mirror writes them: each finds what the other applied."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migration.aws.tables.legacy_folds import LegacyFolds
from migration.aws.tables.mirrored_fact import mirrored
from migration.repair.legacy_sink import Applied, AppliedBefore, NotApplied
from pipeline.domain.aggregator import longest_wait_s

if TYPE_CHECKING:
    from migration.aws.tables.legacy_rows import LegacyRows
    from migration.model.clock import Clock
    from migration.model.facts import StoredFact


@dataclass(frozen=True, slots=True)
class MirrorSink:
    """Applies facts one by one."""

    rows: LegacyRows
    clock: Clock

    def apply(self, fact: StoredFact) -> Applied | AppliedBefore | NotApplied:
        """Write the event and add to the totals, unless the event is there and finished."""
        one = mirrored(fact.activity, fact.ingested_at)
        outcome = LegacyFolds(self.rows, wait=self._wait, has_time=lambda: True).fold([one])
        if outcome.failed:
            return NotApplied(outcome.failed[one.identity])
        return Applied() if outcome.folded else AppliedBefore()

    def _wait(self, attempt: int) -> None:
        self.clock.sleep(random.uniform(0, longest_wait_s(attempt)))  # noqa: S311 - jitter
