"""An item of employee or program progress as DynamoDB gives it, read or refused.

It reads no table, and needs nothing beyond the runtime's libraries; a fast scan has scanned_items.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from migration.model.errors import IntegrityError
from migration.model.fold import Fold, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

    Item = Mapping[str, Any]

_FOLD: Final = ("points", "events", "fingerprint")


def newest_folded_at(item: Item | None) -> str | None:
    """Read when the newest folded fact was ingested, off the item under `FRESHNESS_KEY`; None before one."""
    text: str | None = (item or {}).get("newest_folded_at", {}).get("S")
    return text


def progress_row(item: Item) -> tuple[Row, Fold]:
    """Read whose row it is, and all that was added to it: of a program, on one shard.

    Raises:
        IntegrityError: when it is something that no side writes.
    """
    employee = item["employee_id"]["S"] if "employee_id" in item else None
    return Row(employee, item["program_id"]["S"]), Fold(*(_number(item, name) for name in _FOLD))


def base_events(item: Item) -> int:
    """Read how many of its events are history."""
    return _number(item, "base_events")


def _number(item: Item, name: str) -> int:
    """Read a whole number; an absent one is nothing added yet."""
    attribute = item.get(name, {"N": "0"})
    try:
        return int(attribute["N"])
    except (KeyError, ValueError):
        key = ", ".join(f"{column} {next(iter(value.values()))}" for column, value in list(item.items())[:3])
        raise IntegrityError(
            f"{name} of the item with {key} is {attribute}, which is not a whole number",
            hint="no side writes that; see who else writes to the table",
        ) from None
