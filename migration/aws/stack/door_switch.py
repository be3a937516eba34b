"""The front door as a traffic switch: the control item routes by itself, so there is nothing to apply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migration.cutover.traffic_switch import LostRace, Path, Routed, Routes
from migration.model.routing import shares_of

if TYPE_CHECKING:
    from migration.model.control_plane import ControlPlane
    from migration.model.stages import Control


@dataclass(frozen=True, slots=True)
class DoorSwitch:
    """Says of the state itself what every door makes of it; whether they have read it is `door_settled`'s."""

    plane: ControlPlane

    def read(self) -> Routes:
        """Read the state."""
        control = self.plane.state().control
        shares = shares_of(control)
        return Routes(Path(shares.writes, control.epoch), Path(shares.reads, control.epoch))

    def apply(self, control: Control, seen: Routes) -> Routed | LostRace:
        """Confirm that this is the state."""
        del seen
        now = self.plane.state().epoch
        return Routed() if now == control.epoch else LostRace(f"the state is at epoch {now}")
