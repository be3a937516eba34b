"""Vital evidence in memory: a pipeline that folds what it is told to, held to the same contract."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from migration.guardrails.folding import Checked
from migration.guardrails.prober import Accepted
from migration.model.live_lane import LiveState
from tests.doubles.control_plane import MemoryControlPlane

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from migration.door.counts import DoorCounts, Witness
    from migration.model.journal import Entry


@dataclass(slots=True)
class MemoryVitals:
    """What the guardrails find; `facts` are when each identity of the live lane was ingested."""

    doors: list[DoorCounts] = field(default_factory=list)
    live: LiveState = field(default_factory=LiveState)
    facts: dict[str, float] = field(default_factory=dict)
    folded: set[str] = field(default_factory=set)
    letters: dict[str, int] = field(default_factory=dict)
    mirror_messages: int = 0
    has_mirror: bool = True
    board_at: float | None = None
    plane: MemoryControlPlane = field(default_factory=MemoryControlPlane)

    def door(self) -> Sequence[DoorCounts]:
        """Read what every instance told last."""
        return list(self.doors)

    def journal(self, since: str = "") -> Iterable[Entry]:
        """Read the journal's entries."""
        return self.plane.journal(since)

    def lane(self) -> LiveState:
        """Read the live lane."""
        return self.live

    def check(self, witnesses: Sequence[Witness]) -> Checked:
        """Look up whether these facts are folded."""
        unfolded = tuple(
            replace(one, at=self.facts[one.identity])
            for one in witnesses
            if one.identity in self.facts and one.identity not in self.folded
        )
        asked = {one.identity for one in witnesses}
        return Checked(frozenset(asked - {one.identity for one in unfolded}), unfolded)

    def dead(self) -> Mapping[str, int]:
        """Count the messages of each of the live lane's dead-letter queues."""
        return {name: self.letters.get(name, 0) for name in ("not captured", "not folded")}

    def mirrors_dead(self) -> Mapping[str, int]:
        """Count the messages of each of the reverse mirror's."""
        if not self.has_mirror:
            return {}
        return {name: self.letters.get(name, 0) for name in ("not captured for legacy", "not mirrored back")}

    def mirrored_back(self) -> int | None:
        """Count the messages on their way to legacy."""
        return self.mirror_messages if self.has_mirror else None

    def snapshot_at(self) -> float | None:
        """Tell when the newest global board was made."""
        return self.board_at


@dataclass(slots=True)
class MemoryProber:
    """Takes every pulse."""

    pulses: int = 0

    def pulse(self) -> Accepted:
        """Send a pulse."""
        self.pulses += 1
        return Accepted()
