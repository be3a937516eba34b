"""Folding: what a set of facts adds up to, per aggregate row. Additive, so DynamoDB `ADD` maintains it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fold:
    """The aggregate of a set of facts. Equal folds have equal count, sum and fingerprint."""

    points: int = 0
    events: int = 0
    fingerprint: int = 0

    def __add__(self, other: Fold) -> Fold:
        """Fold the union of two disjoint sets of facts."""
        return Fold(
            self.points + other.points, self.events + other.events, self.fingerprint + other.fingerprint
        )


def identity(employee_id: str, event_id: str) -> str:
    """Name a fact; neither part can hold a line break."""
    return f"{employee_id}\n{event_id}"


def fingerprint(fact_identity: str) -> int:
    """Hash a fact's identity to 60 bits: the first 15 hexadecimal digits of its SHA-256.

    Summed over a set it stays below 38 digits for 10^19 facts. If exactly one fact is lost or doubled, the
    difference of two sums is that fact's own fingerprint, which names it.
    """
    return int(hashlib.sha256(fact_identity.encode()).hexdigest()[:15], 16)
