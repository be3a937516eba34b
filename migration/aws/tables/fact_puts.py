"""The one way to write a fact: a conditional put, so nothing here can alter a fact."""

from __future__ import annotations

from dataclasses import dataclass

from migration.aws.tables.fact_items import stored_fact
from migration.aws.transport.metered import ConditionFailed, Writer
from migration.model.facts import Created, Spent, StoredFact, Taken
from pipeline.domain.fact import IF_ABSENT, fact_item


@dataclass(frozen=True, slots=True)
class FactWriter:
    """One stack's facts, as far as they are put."""

    writer: Writer
    table: str

    def put(self, fact: StoredFact) -> tuple[Created | Taken, Spent]:
        """Store a fact unless its identity is taken."""
        parameters = {
            "TableName": self.table,
            "Item": fact_item(fact.activity, fact.ingested_at, lane=fact.lane.value, side=fact.side.value),
            "ConditionExpression": IF_ABSENT,
        }
        result, spent = self.writer.write("PutItem", parameters, f"putting a fact in {self.table}")
        if isinstance(result, ConditionFailed):
            return Taken(stored_fact(self.table, result.item)), spent
        return Created(), spent
