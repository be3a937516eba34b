"""The fact table: one conditional put an activity; the one update hands a fact of legacy's over.

no fact                              put: the pipeline's                          one write
the pipeline's, or history           a duplicate                                  one write
the forward mirror's, live lane      a duplicate: side = pipeline, MODIFY         two writes
                                     └► the reverse mirror's pipe ─► legacy, unless it has the event
other content                        a conflict, and nothing is written
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import ClientError

from pipeline.domain.activity import Activity
from pipeline.domain.fact import IF_ABSENT, changing, fact_item, same_content
from pipeline.stores.errors import UnavailableError, code_of, translated

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient

    from pipeline.domain.fact import Item

PULSE: Final = "#pulse"


class PutResult(Enum):
    """What the fact table made of an activity."""

    CREATED = "created"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class FactTable:
    """Writes facts of the live lane, accepted by the pipeline."""

    client: DynamoDBClient
    name: str

    def put(self, activity: Activity, ingested_at: str) -> PutResult:
        """Store an activity unless its identity is taken; say whether what is there has the same content.

        A duplicate is acknowledged by the pipeline. Its fact may be the forward mirror's, of a call that
        legacy failed: it becomes the pipeline's, so that the reverse mirror gives it to legacy too.
        Of what is in the history lane legacy has the event, or has dropped it since.

        Raises:
            UnavailableError: when it is not known to be stored; putting it again is safe.
        """
        item = fact_item(activity, ingested_at, lane="live", side="pipeline")
        with translated():
            held = self._refused(self.client.put_item, Item=item, ConditionExpression=IF_ABSENT)
            if held is None:
                return PutResult.CREATED
            if same_content(held, item) and _is_mirrored(held):
                held = self._refused(self.client.update_item, **changing(held, {"side": item["side"]}))
        if held == {}:
            raise UnavailableError("the fact is gone")
        return PutResult.DUPLICATE if held is None or same_content(held, item) else PutResult.CONFLICT

    def pulse(self, at: str) -> None:
        """Store a pulse: a fact without points under reserved ids; its arrival shows that the lane is open.

        Raises:
            UnavailableError: when it is not known to be stored.
        """
        self.put(Activity(at, PULSE, PULSE, "pulse", 0, at), at)

    def _refused(self, write: Callable[..., object], **parameters: Any) -> Item | None:  # noqa: ANN401 - a call's
        """Write under a condition; returns what is there instead, {} where nothing is; None when written."""
        try:
            write(TableName=self.name, ReturnValuesOnConditionCheckFailure="ALL_OLD", **parameters)
        except ClientError as error:
            if code_of(error) != "ConditionalCheckFailedException":
                raise
            return cast("Item", error.response.get("Item", {}))
        return None


def _is_mirrored(held: Item) -> bool:
    return (held.get("lane"), held.get("side")) == ({"S": "live"}, {"S": "legacy"})
