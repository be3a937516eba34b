"""A fact as its table holds it: the one place that knows the layout, whoever writes the fact."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    Item = dict[str, dict[str, str]]

IF_ABSENT: Final = "attribute_not_exists(event_id)"
CONTENT: Final = ("program_id", "activity_type", "points", "occurred_at")
_KEY: Final = ("employee_id", "event_id")
_FIELDS: Final = (*_KEY, *CONTENT)
_HELD: Final = (*CONTENT, "lane", "side")
_values: Final = attrgetter(*_FIELDS)


class Content(Protocol):
    """What an activity says, however its reader represents it."""

    @property
    def employee_id(self) -> str: ...  # noqa: D102 - the fields of an activity
    @property
    def event_id(self) -> str: ...  # noqa: D102
    @property
    def program_id(self) -> str: ...  # noqa: D102
    @property
    def activity_type(self) -> str: ...  # noqa: D102
    @property
    def points(self) -> int: ...  # noqa: D102
    @property
    def occurred_at(self) -> str: ...  # noqa: D102


def fact_item(activity: Content, ingested_at: str, *, lane: str, side: str) -> Item:
    """Lay a fact out as DynamoDB takes it; to be put only under the condition `IF_ABSENT`."""
    return {
        **activity_item(activity),
        "ingested_at": {"S": ingested_at},
        "lane": {"S": lane},
        "side": {"S": side},
    }


def activity_item(activity: Content) -> Item:
    """Lay an activity out: numbers as N, all else as S."""
    return {
        name: {"N": str(value)} if isinstance(value, int) else {"S": value}
        for name, value in zip(_FIELDS, _values(activity), strict=True)
    }


def changing(was: Item, to: Item) -> dict[str, Any]:
    """Say an update, for a table to be named: a fact gets attributes while it says just what it said."""
    return {
        "Key": {name: was[name] for name in _KEY},
        "UpdateExpression": "SET " + ", ".join(f"#{name} = :to_{name}" for name in to),
        "ConditionExpression": " AND ".join(f"#{name} = :was_{name}" for name in _HELD),
        "ExpressionAttributeNames": {f"#{name}": name for name in _HELD},
        "ExpressionAttributeValues": {
            **{f":to_{name}": value for name, value in to.items()},
            **{f":was_{name}": was[name] for name in _HELD},
        },
    }


def same_content(taken: Mapping[str, object], item: Item) -> bool:
    """Whether what is stored under an identity is the same activity; who took it, when and how may differ."""
    return all(taken.get(name) == item[name] for name in CONTENT)
