"""A fact's item as DynamoDB gives it, read or refused; pipeline/domain/fact.py lays it out for writing.

It reads no table, and needs nothing beyond the runtime's libraries; a fast scan has scanned_items.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migration.model.errors import IntegrityError
from migration.model.facts import Lane, StoredFact
from migration.model.fold import Activity
from migration.model.side import Side

if TYPE_CHECKING:
    from collections.abc import Mapping


def stored_fact(table: str, item: Mapping[str, Any]) -> StoredFact:
    """Read a fact.

    Raises:
        IntegrityError: when it is something that no side writes; it is named.
    """
    try:
        activity = Activity(
            item["employee_id"]["S"],
            item["event_id"]["S"],
            item["program_id"]["S"],
            item["activity_type"]["S"],
            int(item["points"]["N"]),
            item["occurred_at"]["S"],
        )
        lane, side = Lane(item["lane"]["S"]), Side(item["side"]["S"])
        return StoredFact(activity, lane, side, item["ingested_at"]["S"])
    except (KeyError, ValueError) as error:
        employee, event = (item.get(name, {}).get("S") for name in ("employee_id", "event_id"))
        raise no_fact(table, employee, event, error) from None


def no_fact(table: str, employee_id: str | None, event_id: str | None, problem: Exception) -> IntegrityError:
    """Name an item that no side can have written."""
    return IntegrityError(
        f"the fact {employee_id} {event_id} in {table} is not one: {problem}",
        hint="no side writes such a fact; see who else writes to the table",
    )
