"""What gives each side its share of the traffic, once the control table says which.

    the state is written ─► read what routes ─► read the state ─► apply, if nobody set it since ─► read again

The control item is always written first, and a switch only ever follows it. Whoever applies reads the routes
*before* the state: then a process that stood still in between, whose state was moved on from since, names a
setting that is gone, and is refused (fencing). It works only if each applied epoch leaves another setting
behind, also where the shares stay the same, which every adapter must see to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from migration.model.routing import Shares, shares_of

if TYPE_CHECKING:
    from migration.model.stages import Control


@dataclass(frozen=True, slots=True)
class Path:
    """How reads, or writes, are routed now.

    Attributes:
        share: how many of 10,000 requests go to the pipeline.
        epoch: of the state that it follows; below 0 when no state of this migration was applied yet.
        revision: names this very setting, for `apply`.
    """

    share: int
    epoch: int
    revision: str = ""


@dataclass(frozen=True, slots=True)
class Routes:
    """What routes now."""

    writes: Path
    reads: Path

    @property
    def shares(self) -> Shares:
        """What the pipeline has."""
        return Shares(self.writes.share, self.reads.share)

    @property
    def newest(self) -> int:
        """The newest epoch that any of it follows."""
        return max(self.writes.epoch, self.reads.epoch)

    def follow(self, control: Control) -> bool:
        """Whether all of it routes as a state says, and by that state's own epoch."""
        at = {self.writes.epoch, self.reads.epoch}
        return self.shares == shares_of(control) and at == {control.epoch}


@dataclass(frozen=True, slots=True)
class Foreign:
    """Something routes that is neither side; whoever set it so must say what is meant."""

    why: str


@dataclass(frozen=True, slots=True)
class Routed:
    """Everything routes as it was asked to."""


@dataclass(frozen=True, slots=True)
class LostRace:
    """Somebody set a part of it since it was read, and that part was left alone: read and decide again."""

    why: str


class TrafficSwitch(Protocol):
    """One migration's switch. Every method raises RemoteError when AWS fails; reading tells what holds."""

    def read(self) -> Routes | Foreign:
        """Read what routes now."""
        ...

    def apply(self, control: Control, seen: Routes) -> Routed | LostRace:
        """Route as a state says, wherever what routes is still what was seen.

        Of two parts, one may be applied and the other's race be lost. Applying again changes nothing.
        """
        ...
