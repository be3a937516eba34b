"""A count of some among all: what every rate is made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many requests."""

    hits: int
    of: int

    @property
    def rate(self) -> float:
        """The share; of nothing, nothing."""
        return self.hits / self.of if self.of else 0.0

    def __str__(self) -> str:
        """Say it."""
        return f"{self.hits:,} of {self.of:,}"
