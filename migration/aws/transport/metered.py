"""One write to DynamoDB: what it cost, how long it took, and whether its condition held."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from migration.aws.transport.clients import translated
from migration.model.facts import Spent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migration.aws.transport.raw_dynamodb import RawDynamoDB
    from migration.model.clock import Clock

CONDITION_FAILED: Final = "ConditionalCheckFailedException"
REFUSED_UNITS: Final = 1.0  # DynamoDB charges a refused write, and does not say how much: 1 for a kilobyte


@dataclass(frozen=True, slots=True)
class Written:
    """The condition held, and the item is written."""


@dataclass(frozen=True, slots=True)
class ConditionFailed:
    """The condition did not hold; this is the item."""

    item: Mapping[str, Any]


class _Retries(threading.local):
    count = 0


@dataclass(slots=True)
class _CountingClock:
    """The clock that a raw source waits on between attempts, counting them for each thread."""

    clock: Clock
    retries: _Retries = field(default_factory=_Retries)

    def now(self) -> float:
        return self.clock.now()

    def elapsed(self) -> float:
        return self.clock.elapsed()

    def sleep(self, seconds: float) -> None:
        self.retries.count += 1
        self.clock.sleep(seconds)


class Writer:
    """Makes conditional writes; used from many threads at once."""

    def __init__(self, source: RawDynamoDB) -> None:
        """Write to where a source reads from."""
        self._clock = _CountingClock(source.clock)
        self._source = replace(source, clock=self._clock)

    def write(
        self, operation: str, parameters: Mapping[str, Any], doing: str
    ) -> tuple[Written | ConditionFailed, Spent]:
        """Write one item.

        Args:
            operation: `PutItem` or `UpdateItem`.
            parameters: in DynamoDB's own words; what is returned is asked for here.
            doing: completes "AWS failed while …".

        Raises:
            RemoteError: when it is not known whether it is written.
        """
        asked = {
            **parameters,
            "ReturnConsumedCapacity": "TOTAL",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        began, retries = self._clock.elapsed(), self._clock.retries.count
        result, units = self._call(operation, asked, doing)
        waited_s = self._clock.elapsed() - began
        return result, Spent(units, waited_s, self._clock.retries.count - retries)

    def _call(
        self, operation: str, parameters: dict[str, Any], doing: str
    ) -> tuple[Written | ConditionFailed, float]:
        with translated(doing):
            try:
                content = self._source.call(operation, parameters)
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") != CONDITION_FAILED:
                    raise
                item: Any = error.response.get("Item", {})
                return ConditionFailed(item), REFUSED_UNITS
        consumed = json.loads(content).get("ConsumedCapacity", {})
        return Written(), float(consumed.get("CapacityUnits", REFUSED_UNITS))
