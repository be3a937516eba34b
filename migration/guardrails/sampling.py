"""Which facts are watched until they are folded: the newest one that each door told, look after look.

told ──── lag limit ──── due: looked up ──► folded: remembered for a minute as one that was
                                      └──► not folded, or nowhere: still due at the next look
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from migration.door.counts import DoorCounts, Witness

MOST: Final = 100  # watched at once; one a second and instance is a sample, not a census
REMEMBERED_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Sample:
    """The watched facts.

    Attributes:
        watched: by identity, oldest first.
        settled: when each was found folded, or to need no fold.
    """

    watched: Mapping[str, Witness] = field(default_factory=dict)
    settled: Mapping[str, float] = field(default_factory=dict)

    def told(self, counts: Iterable[DoorCounts], now: float) -> Sample:
        """Watch what doors told since; of too many, the newest are left out until there is room."""
        settled = {identity: at for identity, at in self.settled.items() if now - at <= REMEMBERED_S}
        watched = dict(self.watched)
        for one in counts:
            fact = one.witness
            fresh = fact is not None and now - fact.at <= REMEMBERED_S and fact.identity not in settled
            if fact is not None and fresh and len(watched) < MOST:
                watched.setdefault(fact.identity, fact)
        return Sample(watched, settled)

    def due(self, lag_s: float, now: float) -> Sequence[Witness]:
        """Give those that have to be folded by now."""
        return [one for one in self.watched.values() if now - one.at >= lag_s]

    def checked(self, settled: Iterable[str], now: float) -> Sample:
        """Let go of those that need no other look."""
        done = dict.fromkeys(settled, now)
        watched = {identity: one for identity, one in self.watched.items() if identity not in done}
        return Sample(watched, {**self.settled, **done})
