"""A fact's item as DynamoDB gives it, read or refused; pipeline/domain/fact.py lays it out for writing.

It reads no table, and needs nothing beyond the runtime's libraries; a fast scan has scanned_items.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from migration.model.errors import IntegrityError
from migration.model.facts import Lane, StoredFact
from migration.model.fold import COLUMNS, Activity
from migration.model.side import Side

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Each column's place in an item: a text is an S, a number an N.
ATTRIBUTES: Final = {name: "N" if kind is int else "S" for name, kind in COLUMNS.items()}
_NUMBERS: Final = [place for place, kind in enumerate(COLUMNS.values()) if kind is int]


def activity_of(texts: Iterable[str]) -> Activity:
    """Read an activity from its columns, in order, as items and messages hold them: numbers are texts.

    Raises:
        ValueError: when a number is none.
    """
    values: list[Any] = [*texts]
    for place in _NUMBERS:
        values[place] = int(values[place])
    return Activity(*values)


def stored_fact(table: str, item: Mapping[str, Any]) -> StoredFact:
    """Read a fact.

    Raises:
        IntegrityError: when it is something that no side writes; it is named.
    """
    try:
        activity = activity_of([item[name][letter] for name, letter in ATTRIBUTES.items()])
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
