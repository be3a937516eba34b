"""The guardrail `door_settled`: every instance that answers requests routes by the epoch that was written.

    doors' clocks   ──── first one routes by the new epoch ──── door_settled_s ────► none by an older one

Only the doors' own clocks are compared with each other: an operator whose clock is wrong causes no alarm.
An idle instance routes nothing; it reads the stage anew before its next request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migration.guardrails.limits import Guard
from migration.model.guardrails import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migration.door.counts import DoorCounts
    from migration.guardrails.limits import Limits
    from migration.model.guardrails import GuardrailVerdict


def door_settled(counts: Sequence[DoorCounts], epoch: int, limits: Limits, now: float) -> GuardrailVerdict:
    """Judge whether every instance that was seen of late routes by this epoch or a newer one."""
    moved = [one for one in counts if one.epoch >= epoch]
    recent = [one for one in counts if now - one.at <= limits.door_seen_s]
    behind = [one for one in recent if one.epoch < epoch]
    if not moved:
        why = (
            f"no request has been routed by epoch {epoch} yet; {len(behind):,} instances were seen before it"
        )
        return limits.verdict(Guard.DOOR_SETTLED, Outcome.INCONCLUSIVE, why, now)
    first = min(one.since for one in moved)
    late = [one for one in behind if one.at > first + limits.door_settled_s]
    if late:
        latest = max(late, key=lambda one: one.at)
        why = (
            f"{len(late):,} of {len(recent):,} instances route by an older epoch than {epoch}, the latest "
            f"{latest.at - first:.1f} s after the first left it; the limit is {limits.door_settled_s:g} s"
        )
        return limits.verdict(Guard.DOOR_SETTLED, Outcome.FAIL, why, now)
    since = max(one.at for one in moved) - first
    following = len(recent) - len(behind)
    why = f"{following:,} instances seen in the last {limits.door_seen_s:g} s route by epoch {epoch}"
    if behind:
        why += f", {len(behind):,} have been idle since before it"
    settled = not behind or since > limits.door_settled_s
    return limits.verdict(Guard.DOOR_SETTLED, Outcome.PASS if settled else Outcome.INCONCLUSIVE, why, now)
