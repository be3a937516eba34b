"""Percentiles of measured durations, by nearest rank: every value reported was really measured."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Percentiles:
    """How a set of durations is spread, in milliseconds."""

    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float


def percentiles(durations_ms: Sequence[float]) -> Percentiles | None:
    """Summarise the durations; None when there are none."""
    if not durations_ms:
        return None
    ordered = sorted(durations_ms)
    return Percentiles(
        nearest_rank(ordered, 50), nearest_rank(ordered, 90), nearest_rank(ordered, 99), ordered[-1]
    )


def nearest_rank(ordered: Sequence[float], percent: int) -> float:
    """Give the smallest value that so many percent of them do not exceed; there must be one at least."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
