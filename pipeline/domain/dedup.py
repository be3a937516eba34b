"""The dedup table: the fold's claim on a fact's identity. The one place that knows the table's key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

Item = dict[str, dict[str, str]]
_KEY: Final = "identity"


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims that a table holds, as requests to DynamoDB."""

    table: str

    def key(self, identity: str) -> Item:
        """Give the key of a claim."""
        return {_KEY: {"S": identity}}

    def has(self, identity: str) -> dict[str, Any]:
        """Ask, consistently, whether an identity is claimed; a GetItem."""
        return {"TableName": self.table, "Key": self.key(identity), "ConsistentRead": True}

    def claim(self, identity: str, about: Item) -> dict[str, Any]:
        """Claim an identity unless it is claimed; a Put, whose item says `about` besides."""
        return {
            "TableName": self.table,
            "Item": {**self.key(identity), **about},
            "ConditionExpression": f"attribute_not_exists(#{_KEY})",
            "ExpressionAttributeNames": {f"#{_KEY}": _KEY},
        }


def claimed(item: Item) -> str:
    """Read which identity an item claims."""
    return item[_KEY]["S"]


def until(epoch_s: float) -> Item:
    """Say when a claim may go; one without it stays."""
    return {"expires_at": {"N": str(int(epoch_s))}}
