"""What the vital guardrails look at: primary sources only, each cheap enough to be read every second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migration.door.counts import DoorCounts, Witness
    from migration.model.live_lane import LiveState


@dataclass(frozen=True, slots=True)
class Checked:
    """Sampled facts that were looked up.

    Attributes:
        settled: identities that need no second look: folded, or no facts that the live lane folds.
        unfolded: facts that are not folded; their `at` is when they were ingested.
    """

    settled: frozenset[str]
    unfolded: tuple[Witness, ...]


class VitalEvidence(Protocol):
    """A stack as it is now. Every method raises RemoteError when AWS fails."""

    def door(self) -> Sequence[DoorCounts]:
        """Read what every instance of the front door told last."""
        ...

    def lane(self) -> LiveState:
        """Read the live lane's queue and how far its folds are."""
        ...

    def check(self, witnesses: Sequence[Witness]) -> Checked:
        """Look up whether these facts are folded."""
        ...

    def dead(self) -> Mapping[str, int]:
        """Count the messages of each dead-letter queue, by what could not be done."""
        ...

    def mirrored_back(self) -> int:
        """Count the messages on their way to legacy; 0 where there is no reverse mirror."""
        ...

    def snapshot_at(self) -> float | None:
        """Tell when the newest global board was made; None before the first."""
        ...
