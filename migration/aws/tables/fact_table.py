"""The fact table in DynamoDB, written fact by fact and read by the fast scan.

A put is always conditional, so it cannot alter a fact. One write does: a restatement, of a fact that legacy
has authority over, and only while it says just what was disputed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migration.aws.tables.both_sides import FactItem
from migration.aws.tables.fact_puts import FactWriter, no_fact, stored_fact
from migration.aws.tables.restating import restating
from migration.aws.transport.metered import ConditionFailed
from migration.aws.transport.scan import ReadPace, Scan, batches
from migration.model.facts import Lane, Restated, Stands, StoredFact
from migration.model.fold import Activity
from migration.model.side import Side

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.aws.transport.metered import Writer
    from migration.aws.transport.raw_dynamodb import RawDynamoDB
    from migration.model.facts import Created, Restatement, Spent, Taken


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
        return (self._fact(item).activity for item in self._items(scan))

    def everything(self) -> Iterator[StoredFact]:
        """Read every fact; pulses are facts too, and nobody's."""
        facts = (self._fact(item) for item in self._items(Scan(self.table, FactItem, self.segments)))
        return (fact for fact in facts if not fact.activity.reserved)

    def _items(self, scan: Scan[FactItem]) -> Iterator[FactItem]:
        for batch in batches(self.source, scan, self.pace):
            yield from batch.items

    def _fact(self, item: FactItem) -> StoredFact:
        content = (item.employee_id.S, item.event_id.S, item.program_id.S, item.activity_type.S)
        try:
            activity = Activity(*content, int(item.points.N), item.occurred_at.S)
            return StoredFact(activity, Lane(item.lane.S), Side(item.side.S), item.ingested_at.S)
        except ValueError as error:
            raise no_fact(self.table, item.employee_id.S, item.event_id.S, error) from None
