"""The one update of a fact: it gets legacy's content while it says just what is disputed, and is legacy's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipeline.domain.fact import CONTENT, fact_item

if TYPE_CHECKING:
    from migration.model.facts import Restatement, StoredFact

_HELD: Final = (*CONTENT, "lane", "side")


def restating(table: str, restatement: Restatement) -> dict[str, Any]:
    """Say it in DynamoDB's words, for an update by itself or in a transaction."""
    was, to = _item(restatement.fact), _item(restatement.restated)
    return {
        "TableName": table,
        "Key": {name: was[name] for name in ("employee_id", "event_id")},
        "UpdateExpression": "SET " + ", ".join(f"#{name} = :to_{name}" for name in CONTENT),
        "ConditionExpression": " AND ".join(f"#{name} = :was_{name}" for name in _HELD),
        "ExpressionAttributeNames": {f"#{name}": name for name in _HELD},
        "ExpressionAttributeValues": {
            **{f":to_{name}": to[name] for name in CONTENT},
            **{f":was_{name}": was[name] for name in _HELD},
        },
    }


def _item(fact: StoredFact) -> dict[str, dict[str, str]]:
    return fact_item(fact.activity, fact.ingested_at, lane=fact.lane.value, side=fact.side.value)
