"""Writes that DynamoDB refused because a transaction held the item: not applied, so tried again.

    plain write          TransactionConflictException
    transaction          TransactionCanceledException, its reasons only conflicts and throttles

botocore's retry modes know neither. Only botocore is imported: the door uses this for a legacy's own client.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.hooks import BaseEventHooks

FIRST_PAUSE_S: Final = 0.01  # a transaction holds an item for about as long
LONGEST_PAUSE_S: Final = 0.5
_CONFLICT: Final = "TransactionConflictException"
_CANCELLED: Final = "TransactionCanceledException"
_FOR_NOW: Final = frozenset({"ProvisionedThroughputExceeded", "ThrottlingError", "TransactionConflict"})
_SINCE: Final = "cutover_refused_since"


def refused_for_now(error: Mapping[str, Any]) -> bool:
    """Whether an answer of botocore's shape says: not written, and the same write may succeed."""
    code = error.get("Error", {}).get("Code")
    if code == _CONFLICT:
        return True
    reasons = {reason.get("Code", "None") for reason in error.get("CancellationReasons", [])} - {"None"}
    return code == _CANCELLED and bool(reasons) and reasons <= _FOR_NOW


@dataclass(frozen=True, slots=True)
class TryAgain:
    """A handler of botocore's event `needs-retry`.

    Attributes:
        within_s: how long after the first refusal another attempt may begin.
        elapsed: monotonic seconds.
        sleep: waits so many seconds.
        jitter: gives a number from 0 to 1, so that those who wait do not come back together.
    """

    within_s: float
    elapsed: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def __call__(
        self,
        *,
        response: tuple[Any, Mapping[str, Any]] | None,
        attempts: int,
        request_dict: dict[str, Any],
        **_: object,
    ) -> float | None:
        """Wait and answer 0, or None where this is nobody's to try again, or its time is over."""
        if response is None or not refused_for_now(response[1]):
            return None
        pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**attempts) * self.jitter()
        since = request_dict["context"].setdefault(_SINCE, self.elapsed())
        if self.elapsed() + pause - since > self.within_s:
            return None
        self.sleep(pause)
        return 0.0

    def attach(self, events: BaseEventHooks) -> None:
        """Attach to a client (`client.meta.events`), or to all that a session makes (`session.events`)."""
        events.register("needs-retry.dynamodb", self)  # type: ignore[arg-type] # what it returns is heard
