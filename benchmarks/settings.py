"""What a run measures: sizes, rounds, the seed, and the prices that turn units into money."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Settings:
    """One run.

    Attributes:
        activities: how many go through each side that is counted.
        timed_activities: how many go through each side that is timed, a round.
        batch_sizes: facts an invocation of the aggregator.
        employees: sizes of the organisation for which snapshots are taken.
        facts: how many are backfilled.
        diffed_keys: aggregates of both sides that the join of a diff is loaded with.
        rounds: how often a timed benchmark repeats all its sides.
        seed: makes the activities; the same on every side.
        write_price: dollars for a million write request units (on demand, us-east-1; an assumption).
        read_price: dollars for a million read request units (on demand, us-east-1; an assumption).
    """

    activities: int = 10_000
    timed_activities: int = 2_000
    batch_sizes: tuple[int, ...] = (1, 10, 100, 1_000)
    employees: tuple[int, ...] = (100, 1_000, 10_000, 100_000)
    facts: int = 100_000
    diffed_keys: int = 10_000_000
    rounds: int = 9
    seed: int = 1
    write_price: float = 0.625
    read_price: float = 0.125

    def write_dollars(self, units: float) -> float:
        """Price write request units."""
        return units * self.write_price / MILLION

    def read_dollars(self, units: float) -> float:
        """Price read request units."""
        return units * self.read_price / MILLION


FULL: Final = Settings()
QUICK: Final = Settings(
    activities=2_000,
    employees=(100, 1_000, 10_000),
    facts=10_000,
    diffed_keys=100_000,
    rounds=3,
)
