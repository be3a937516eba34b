"""When activities arrive: all times are fixed before the first is sent, so no answer delays a later one."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import timedelta

BURST_PERIOD_S: Final = 5.0
BURST_SHARE: Final = 0.8  # of a period's activities arrive
BURST_WINDOW: Final = 0.2  # in this part of the period: four times the average rate


class Profile(StrEnum):
    """How the rate is spread over time."""

    STEADY = "steady"
    BURST = "burst"


def arrivals(rate: float, duration: timedelta, profile: Profile) -> list[float]:
    """Seconds after the start at which each activity is due, ascending; about `rate` x `duration` of them."""
    count = math.floor(rate * duration.total_seconds())
    steady = (index / rate for index in range(count))
    return list(steady) if profile is Profile.STEADY else [_squeezed(moment) for moment in steady]


def _squeezed(moment: float) -> float:
    """Move a moment within its period so that the first part of the period gets most of the activities."""
    period, within = divmod(moment / BURST_PERIOD_S, 1.0)
    if within < BURST_SHARE:
        place = within * BURST_WINDOW / BURST_SHARE
    else:
        place = BURST_WINDOW + (within - BURST_SHARE) * (1 - BURST_WINDOW) / (1 - BURST_SHARE)
    return (period + place) * BURST_PERIOD_S
