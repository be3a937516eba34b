"""The dedup table: the fold's claim on a fact's identity. The one place that knows the table's key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

Item = dict[str, dict[str, str]]
_KEY: Final = "identity"
_EXPIRY: Final = "expires_at"


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

    def hold(self, identity: str, kept: Item) -> dict[str, Any]:
        """Claim an identity, or keep its claim for longer, never shorter; a Put."""
        return self._renewing(identity, kept, f"attribute_not_exists(#{_KEY}) OR #{_EXPIRY} < :{_EXPIRY}")

    def renew(self, identity: str, kept: Item) -> dict[str, Any]:
        """Keep a claim for longer, never shorter, where there is one; a Put."""
        return self._renewing(identity, kept, f"attribute_exists(#{_KEY}) AND #{_EXPIRY} < :{_EXPIRY}")

    def _renewing(self, identity: str, kept: Item, condition: str) -> dict[str, Any]:
        return {
            **self.claim(identity, kept),
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {f"#{name}": name for name in (_KEY, _EXPIRY)},
            "ExpressionAttributeValues": {f":{_EXPIRY}": kept[_EXPIRY]},
        }


def claimed(item: Item) -> str:
    """Read which identity an item claims."""
    return item[_KEY]["S"]


def until(epoch_s: float) -> Item:
    """Say when a claim may go; one without it stays."""
    return {_EXPIRY: {"N": str(int(epoch_s))}}
