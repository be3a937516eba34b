"""The guardrail `door_settled`: every instance that answers requests routes by the epoch that was written.

    doors' clocks   ──── first one routes by the new epoch ──── door_settled_s ────► none by an older one

Only the doors' own clocks are compared with each other: an operator whose clock is wrong causes no alarm, and
hides none. An idle instance routes nothing; it reads the stage anew before its next request. Where none was
seen to route by the epoch, nothing is known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, ClassVar, Final

from migration.guardrails.guardrail import FOLDING, Assessment, seconds
from migration.guardrails.vital import DoorEvidence, Vital
from migration.model.guardrails import DOOR_SETTLED, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migration.door.counts import DoorCounts
    from migration.guardrails.vital import VitalLook


@dataclass(slots=True)
class DoorSettled(Vital[DoorEvidence]):
    """Every instance that was seen of late routes by this epoch."""

    name: ClassVar = DOOR_SETTLED
    stages: ClassVar = FOLDING
    lives_on_requests: ClassVar = True
    door_settled_s: float = seconds(5.0, "Seconds in which every instance must route by a new epoch")
    door_seen_s: float = seconds(10.0, "Seconds that an instance's counts speak")
    epoch: int = field(default=-1, init=False)
    told: dict[str, tuple[float, float | None]] = field(default_factory=dict, init=False)

    def _assess(self, look: VitalLook[DoorEvidence]) -> Assessment:
        counts, epoch = look.once(look.evidence.door), look.state.epoch
        latest = max((one.at for one in counts), default=0.0)
        recent = [one for one in counts if latest - one.at <= self.door_seen_s]
        if ahead := [one for one in recent if one.epoch > epoch]:
            return self._ahead(ahead, epoch)
        moved = [one for one in counts if one.epoch == epoch]
        behind = [one for one in recent if one.epoch < epoch]
        first = min((one.since for one in moved), default=inf)
        routing_on = self._routing_on(behind, epoch)
        if late := [one for one in behind if one.at > first + self.door_settled_s or one in routing_on]:
            why = (
                f"{len(late):,} of {len(recent):,} instances go on routing by an older epoch than {epoch}; "
                f"the limit is {self.door_settled_s:g} s"
            )
            return Assessment(Outcome.FAIL, why)
        if not moved:
            seen = f"{len(behind):,} instances were seen before it"
            why = f"no request has been routed by epoch {epoch} yet; {seen}"
            return Assessment(Outcome.INCONCLUSIVE, why)
        following = len(recent) - len(behind)
        why = (
            f"{following:,} instances that answered in the last {self.door_seen_s:g} s route by epoch {epoch}"
        )
        if behind:
            why += f", {len(behind):,} have been idle since before it"
        settled = not behind or max(one.at for one in moved) - first > self.door_settled_s
        return Assessment(Outcome.PASS if settled else Outcome.INCONCLUSIVE, why)

    def _ahead(self, ahead: Sequence[DoorCounts], epoch: int) -> Assessment:
        """Judge instances that route by a newer epoch: it was just moved on, or it was set back."""
        lasting = [one for one in ahead if one.at - one.since > self.door_settled_s]
        newest = max(one.epoch for one in ahead)
        why = f"{len(ahead):,} instances route by epoch {newest}, and the state is at epoch {epoch} only"
        if lasting:
            why += ": it was set back, and they ignore it until it is above theirs"
        return Assessment(Outcome.FAIL if lasting else Outcome.INCONCLUSIVE, why)

    def _routing_on(self, behind: Sequence[DoorCounts], epoch: int) -> list[DoorCounts]:
        """Find instances that still answer by an older epoch, long after this one was seen to be written.

        What was told last when the epoch was first looked at may be of before it. What is told next is not,
        but for what was on its way: so the limit counts from there, by the instance's own clock.
        """
        if epoch != self.epoch:
            self.epoch, self.told = epoch, {}
        late = []
        for one in behind:
            before, since = self.told.setdefault(one.instance, (one.at, None))
            if since is None and one.at > before:
                since = one.at
                self.told[one.instance] = (before, since)
            if since is not None and one.at - since > self.door_settled_s:
                late.append(one)
        return late


GUARDRAILS: Final = (DoorSettled,)
