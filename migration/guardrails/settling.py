"""The guardrail `door_settled`: every instance that answers requests routes by the epoch that was written.

    doors' clocks   ──── first one routes by the new epoch ──── door_settled_s ────► none by an older one

Only the doors' own clocks are compared with each other: an operator whose clock is wrong causes no alarm.
An idle instance routes nothing; it reads the stage anew before its next request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from migration.guardrails.guardrail import FOLDING, Assessment, seconds
from migration.guardrails.mirrors import baked_text
from migration.guardrails.vital import DoorEvidence, Vital
from migration.model.guardrails import DOOR_SETTLED, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migration.door.counts import DoorCounts
    from migration.guardrails.vital import VitalLook


@dataclass(slots=True)
class DoorSettled(Vital[DoorEvidence]):
    """Every instance that was seen of late routes by this epoch or a newer one."""

    name: ClassVar = DOOR_SETTLED
    stages: ClassVar = FOLDING
    lives_on_requests: ClassVar = True
    door_settled_s: float = seconds(5.0, "Seconds in which every instance must route by a new epoch")
    door_seen_s: float = seconds(10.0, "Seconds that an instance's counts speak")

    def _assess(self, look: VitalLook[DoorEvidence]) -> Assessment:
        counts = look.once(look.evidence.door)
        found = self._followed(counts, look.state.epoch, look.now)
        baked = sum(one.baked for one in counts if look.now - one.at <= self.door_seen_s)
        return Assessment(found.outcome, f"{found.why}; {baked_text(baked)}") if baked else found

    def _followed(self, counts: Sequence[DoorCounts], epoch: int, now: float) -> Assessment:
        moved = [one for one in counts if one.epoch >= epoch]
        recent = [one for one in counts if now - one.at <= self.door_seen_s]
        behind = [one for one in recent if one.epoch < epoch]
        if not moved:
            seen = f"{len(behind):,} instances were seen before it"
            why = f"no request has been routed by epoch {epoch} yet; {seen}"
            return Assessment(Outcome.INCONCLUSIVE, why)
        first = min(one.since for one in moved)
        late = [one for one in behind if one.at > first + self.door_settled_s]
        if late:
            passed_s = max(one.at for one in late) - first
            why = (
                f"{len(late):,} of {len(recent):,} instances route by an older epoch than {epoch}, "
                f"the latest {passed_s:.1f} s after the first left it; the limit is {self.door_settled_s:g} s"
            )
            return Assessment(Outcome.FAIL, why)
        following = len(recent) - len(behind)
        why = f"{following:,} instances seen in the last {self.door_seen_s:g} s route by epoch {epoch}"
        if behind:
            why += f", {len(behind):,} have been idle since before it"
        settled = not behind or max(one.at for one in moved) - first > self.door_settled_s
        return Assessment(Outcome.PASS if settled else Outcome.INCONCLUSIVE, why)


GUARDRAILS: Final = (DoorSettled,)
