"""Small calls that must not fail because others write at the same moment: tried again for some seconds.

    refused for a conflict, or throttled ─► wait, a little longer each time ─► the same write

What was refused was not applied, so the same write is right again, with its own condition. It works with any
boto3 client, as the control table's writers get theirs from anywhere.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final, TypeVar

from botocore.exceptions import ClientError

from migration.aws.transport.conflicts import refused_for_now

if TYPE_CHECKING:
    from collections.abc import Callable

    from migration.model.clock import Clock

PAUSES_S: Final = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0)
_THROTTLED: Final = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TransactionInProgressException",
    }
)
_Result = TypeVar("_Result")


def patiently(write: Callable[[], _Result], clock: Clock) -> _Result:
    """Write, or read, again while it is refused for what others do; the last refusal is raised."""
    for pause in PAUSES_S:
        try:
            return write()
        except ClientError as error:
            throttled = error.response.get("Error", {}).get("Code") in _THROTTLED
            if not throttled and not refused_for_now(error.response):
                raise
        clock.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - keeps writers apart
    return write()
