"""The one update of a fact: it gets legacy's content while it says just what is disputed, and is legacy's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.domain.fact import CONTENT, changing, fact_item

if TYPE_CHECKING:
    from migration.model.facts import Restatement, StoredFact


def restating(table: str, restatement: Restatement) -> dict[str, Any]:
    """Say it in DynamoDB's words, for an update by itself or in a transaction."""
    was, to = _item(restatement.fact), _item(restatement.restated)
    return {"TableName": table, **changing(was, {name: to[name] for name in CONTENT})}


def _item(fact: StoredFact) -> dict[str, dict[str, str]]:
    return fact_item(fact.activity, fact.ingested_at, lane=fact.lane.value, side=fact.side.value)
