"""The fact table in DynamoDB, written fact by fact and read by the fast scan.

A put is always conditional, so it cannot alter a fact. One write does: a restatement, of a fact that legacy
has authority over, and only while it says just what was disputed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migration.aws.tables.fact_items import stored_fact
from migration.aws.tables.fact_puts import FactWriter
from migration.aws.tables.restating import restating
from migration.aws.tables.scanned_items import FactItem
from migration.aws.transport.metered import ConditionFailed
from migration.aws.transport.scan import ReadPace, Scan, batches
from migration.model.facts import Lane, Restated, Stands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.aws.transport.metered import Writer
    from migration.aws.transport.raw_dynamodb import RawDynamoDB
    from migration.model.facts import Created, Restatement, Spent, StoredFact, Taken
    from migration.model.fold import Activity


@dataclass(frozen=True, slots=True)
class FactTable:
    """One stack's facts.

    Attributes:
        source: DynamoDB, for scans.
        writer: the same, for puts.
        table: its name.
        pace: what scans are held to.
        segments: how many parts a scan reads side by side.
    """

    source: RawDynamoDB
    writer: Writer
    table: str
    pace: ReadPace
    segments: int = 4

    def put(self, fact: StoredFact) -> tuple[Created | Taken, Spent]:
        """Store a fact unless its identity is taken."""
        return FactWriter(self.writer, self.table).put(fact)

    def restate(self, restatement: Restatement) -> tuple[Restated | Stands, Spent]:
        """Give a disputed fact legacy's content, in place, unless it is another fact by now."""
        result, spent = self.writer.write(
            "UpdateItem", restating(self.table, restatement), f"restating a fact in {self.table}"
        )
        if isinstance(result, ConditionFailed):
            return Stands(stored_fact(self.table, result.item) if result.item else None), spent
        return Restated(), spent

    def history(self) -> Iterator[Activity]:
        """Read the history lane."""
        scan = Scan(
            self.table,
            FactItem,
            self.segments,
            condition="lane = :history",
            values={":history": {"S": Lane.HISTORY.value}},
        )
        return (item.fact(self.table).activity for item in self._items(scan))

    def everything(self) -> Iterator[StoredFact]:
        """Read every fact; pulses are facts too, and nobody's."""
        facts = (item.fact(self.table) for item in self._items(Scan(self.table, FactItem, self.segments)))
        return (fact for fact in facts if not fact.activity.reserved)

    def _items(self, scan: Scan[FactItem]) -> Iterator[FactItem]:
        for batch in batches(self.source, scan, self.pace):
            yield from batch.items
