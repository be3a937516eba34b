"""Door counts and limits in a few words, for tests of guardrails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migration.door.counts import BUCKETS, Answers, DoorCounts, Role, bucket_of
from migration.model.side import Side
from migration.plan.guardrails import GuardrailsPlan

if TYPE_CHECKING:
    from migration.guardrails.limits import Limits

NOW = 1_772_357_400.0
EPOCH = 7


def limits(**changes: Any) -> Limits:
    return GuardrailsPlan(**changes).limits


def answers(requests: int, errors: int = 0, took: dict[float, int] | None = None) -> Answers:
    times = [0] * BUCKETS
    for elapsed_ms, count in (took or {5.0: requests}).items():
        times[bucket_of(elapsed_ms)] += count
    return Answers(requests, errors, tuple(times))


def door(
    legacy: Answers | None = None,
    pipeline: Answers | None = None,
    instance: str = "a",
    **changes: Any,
) -> DoorCounts:
    sides = {Side.LEGACY: legacy, Side.PIPELINE: pipeline}
    fields: dict[str, Any] = {
        "role": Role.INGEST,
        "epoch": EPOCH,
        "since": NOW - 60,
        "at": NOW - 1,
        **changes,
    }
    return DoorCounts(instance, sides={side: one for side, one in sides.items() if one}, **fields)
