"""What an instance of the front door counts, and in which buckets it sorts times. The door itself uses this.

Counts only grow, from the first request that the instance routed by an epoch on; another epoch begins them
anew, except for the mirror's and the baked ones, which grow for the instance's whole life: a miss stays one.

    bucket     0     1       2      3      4   …
    times in ms   1    √2      2     2√2     4
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from math import floor, log2
from typing import TYPE_CHECKING, Final

from migration.door.share import Share
from pipeline.domain.fold import identity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migration.model.side import Side

BUCKETS: Final = 32  # the last one holds everything from 33 s on
EMPTY: Final = (0,) * BUCKETS
MOMENTS: Final = ("missed_at", "contradicted_at", "baked_at")  # of what must not be lost


class Role(StrEnum):
    """What an instance answers."""

    INGEST = "ingest"
    SERVE = "serve"


def bucket_of(elapsed_ms: float) -> int:
    """Sort a time into a bucket: two a doubling."""
    return 0 if elapsed_ms < 1 else min(BUCKETS - 1, floor(2 * log2(elapsed_ms)) + 1)


def edge_ms(bucket: int) -> float:
    """Tell where a bucket ends, in milliseconds."""
    return float(2 ** (bucket / 2))


@dataclass(frozen=True, slots=True)
class Answers:
    """What one side, or the pulses, came to.

    Attributes:
        requests: answered.
        errors: among them 5xx answers and exceptions.
        times: how many took how long, by bucket; an instance's first request of a side is left out, because
            it pays for the side's imports.
    """

    requests: int = 0
    errors: int = 0
    times: tuple[int, ...] = EMPTY

    def __add__(self, other: Answers) -> Answers:
        """Join two."""
        times = tuple(one + two for one, two in zip(self.times, other.times, strict=True))
        return Answers(self.requests + other.requests, self.errors + other.errors, times)

    def __sub__(self, other: Answers) -> Answers:
        """Take an earlier reading of the same counts off."""
        times = tuple(one - two for one, two in zip(self.times, other.times, strict=True))
        return Answers(self.requests - other.requests, self.errors - other.errors, times)

    @property
    def failed(self) -> Share:
        """How many failed."""
        return Share(self.errors, self.requests)

    @property
    def timed(self) -> int:
        """How many have a time."""
        return sum(self.times)

    def slower(self, bucket: int) -> Share:
        """How many took at least as long as where this bucket ends."""
        return Share(sum(self.times[bucket + 1 :]), self.timed)


NOTHING: Final = Answers()


@dataclass(frozen=True, slots=True)
class Witness:
    """One fact that a door stored, as a sample of all: is it folded in time?"""

    employee_id: str
    event_id: str
    at: float

    @property
    def identity(self) -> str:
        """The fact's identity, as the dedup table holds it."""
        return identity(self.employee_id, self.event_id)


@dataclass(frozen=True, slots=True)
class DoorCounts:
    """What one instance told last.

    Attributes:
        instance: by chance, one for each process.
        role: what it answers.
        epoch: it routed its last request by.
        since: when it routed its first one by that epoch, epoch seconds.
        at: when it routed its last one.
        sides: what each side answered.
        pulses: what the pipeline answered to pulses.
        mirrored: what became of its forward mirrors, by the outcome's name; over its whole life.
        missed_at: when it missed a mirror last; None while it never did.
        witness: the newest fact that it stored.
        contradicted_at: when it last mirrored what legacy refused; None while it never did.
        baked: requests that it routed by the value baked in at deployment, because the control table could
            not be read; over its whole life.
        baked_at: when it did so last; None while it never did.
    """

    instance: str
    role: Role
    epoch: int
    since: float
    at: float
    sides: Mapping[Side, Answers] = field(default_factory=dict)
    pulses: Answers = NOTHING
    mirrored: Mapping[str, int] = field(default_factory=dict)
    missed_at: float | None = None
    witness: Witness | None = None
    contradicted_at: float | None = None
    baked: int = 0
    baked_at: float | None = None
