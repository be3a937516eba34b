"""A fact as its table holds it: the one place that knows the layout, whoever writes the fact."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    Item = dict[str, dict[str, str]]

IF_ABSENT: Final = "attribute_not_exists(event_id)"
CONTENT: Final = ("program_id", "activity_type", "points", "occurred_at")
_FIELDS: Final = ("employee_id", "event_id", *CONTENT)
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


def same_content(taken: Mapping[str, object], item: Item) -> bool:
    """Whether what is stored under an identity is the same activity; who took it, when and how may differ."""
    return all(taken.get(name) == item[name] for name in CONTENT)
