"""Timing sides against each other: interleaved rounds in one process, CPU time, medians and ratios.

A noisy machine disturbs neighbouring measurements alike, so the ratio is taken within each round.
"""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Timing:
    """One side's rounds: its unit is the caller's; `ratio` is against the first side, round by round."""

    median: float
    low: float
    high: float
    ratio: float


def interleave(sides: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, Timing]:
    """Measure every side once a round, in turn; a side returns its own measurement."""
    for measure in sides.values():
        measure()  # not kept: caches fill, lazy imports happen
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, measure in sides.items():
            taken[name].append(measure())
    baseline = next(iter(taken.values()))
    return {name: _timing(values, baseline) for name, values in taken.items()}


def cpu_us(work: Callable[[], object], count: int) -> Callable[[], float]:
    """Measure microseconds of this process's CPU time for each of `count` things that `work` does."""

    def measure() -> float:
        gc.collect()
        started = time.process_time_ns()
        work()
        return (time.process_time_ns() - started) / 1_000 / count

    return measure


def _timing(values: list[float], baseline: list[float]) -> Timing:
    ratios = [value / base for value, base in zip(values, baseline, strict=True)]
    return Timing(median(values), min(values), max(values), median(ratios))
