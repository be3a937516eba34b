"""The one way to write a fact: a conditional put, so nothing here can alter a fact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migration.aws.transport.metered import ConditionFailed, Writer
from migration.model.errors import IntegrityError
from migration.model.facts import Created, Lane, Spent, StoredFact, Taken
from migration.model.fold import Activity
from migration.model.side import Side
from pipeline.domain.fact import IF_ABSENT, fact_item

if TYPE_CHECKING:
    from collections.abc import Mapping


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


def stored_fact(table: str, item: Mapping[str, Mapping[str, str]]) -> StoredFact:
    """Read the item that a condition refused to overwrite."""
    texts = {name: next(iter(value.values())) for name, value in item.items()}
    try:
        activity = Activity(
            texts["employee_id"],
            texts["event_id"],
            texts["program_id"],
            texts["activity_type"],
            int(texts["points"]),
            texts["occurred_at"],
        )
        return StoredFact(activity, Lane(texts["lane"]), Side(texts["side"]), texts["ingested_at"])
    except (KeyError, ValueError) as error:
        raise no_fact(table, texts.get("employee_id"), texts.get("event_id"), error) from None


def no_fact(table: str, employee_id: str | None, event_id: str | None, problem: Exception) -> IntegrityError:
    """Name an item that no side can have written."""
    return IntegrityError(
        f"the fact {employee_id} {event_id} in {table} is not one: {problem}",
        hint="no side writes such a fact; see who else writes to the table",
    )
