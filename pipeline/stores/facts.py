"""The fact table: one conditional put an activity, and never an update."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, cast

from botocore.exceptions import ClientError

from pipeline.domain.activity import Activity
from pipeline.domain.fact import IF_ABSENT, fact_item, same_content
from pipeline.stores.errors import code_of, translated

if TYPE_CHECKING:
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

        Raises:
            UnavailableError: when it is not known to be stored; putting it again is safe.
        """
        item = fact_item(activity, ingested_at, lane="live", side="pipeline")
        with translated():
            taken = self._put_unless_taken(item)
        if taken is None:
            return PutResult.CREATED
        return PutResult.DUPLICATE if same_content(taken, item) else PutResult.CONFLICT

    def pulse(self, at: str) -> None:
        """Store a pulse: a fact without points under reserved ids; its arrival shows that the lane is open.

        Raises:
            UnavailableError: when it is not known to be stored.
        """
        self.put(Activity(at, PULSE, PULSE, "pulse", 0, at), at)

    def _put_unless_taken(self, item: Item) -> Item | None:
        try:
            self.client.put_item(
                TableName=self.name,
                Item=item,
                ConditionExpression=IF_ABSENT,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if code_of(error) != "ConditionalCheckFailedException":
                raise
            return cast("Item", error.response.get("Item", {}))
        return None
