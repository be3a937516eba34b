"""A traffic switch in memory, held to the same contract as the aliases."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from migration.cutover.alias_weights import UNSTAMPED
from migration.cutover.traffic_switch import Foreign, LostRace, Path, Routed, Routes
from migration.model.routing import shares_of

if TYPE_CHECKING:
    from migration.model.stages import Control


@dataclass(slots=True)
class MemoryTrafficSwitch:
    """Two settings, each with a revision; `foreign` says what else routes, if anything does."""

    routes: Routes = field(default_factory=lambda: Routes(*(Path(0, UNSTAMPED, "0") for _ in range(2))))
    foreign: str = ""

    def read(self) -> Routes | Foreign:
        """Read both."""
        return Foreign(self.foreign) if self.foreign else self.routes

    def apply(self, control: Control, seen: Routes) -> Routed | LostRace:
        """Set each that does not follow the state yet, if it is still as it was seen."""
        shares, now = shares_of(control), self.routes
        writes = _set(now.writes, seen.writes, shares.writes, control.epoch)
        reads = _set(now.reads, seen.reads, shares.reads, control.epoch)
        self.routes = Routes(writes or now.writes, reads or now.reads)
        return Routed() if writes and reads else LostRace("somebody else set it")

    def set_by_hand(self, *, writes: int | None = None, reads: int | None = None) -> None:
        """Route otherwise, as somebody does who knows no migration."""
        now = self.routes
        self.routes = Routes(
            now.writes if writes is None else _next(now.writes, replace(now.writes, share=writes)),
            now.reads if reads is None else _next(now.reads, replace(now.reads, share=reads)),
        )


def _set(now: Path, seen: Path, share: int, epoch: int) -> Path | None:
    """Set one; None when it is not what was seen any more."""
    if (seen.share, seen.epoch) == (share, epoch):
        return now
    return _next(now, Path(share, epoch)) if now.revision == seen.revision else None


def _next(now: Path, then: Path) -> Path:
    return replace(then, revision=str(int(now.revision) + 1))
