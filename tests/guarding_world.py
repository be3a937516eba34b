"""Door counts, limits and single guardrails in a few words, for tests of guardrails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from migration.door.counts import BUCKETS, Answers, DoorCounts, Role, bucket_of
from migration.guardrails.plan import GuardrailsPlan
from migration.guardrails.vital import VitalLook
from migration.model.side import Side
from migration.model.stages import Control, Stage
from migration.model.state import State
from tests.doubles.clock import MemoryClock
from tests.doubles.vitals import MemoryVitals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migration.guardrails.vital import Vital
    from migration.model.guardrails import GuardrailVerdict

_Kind = TypeVar("_Kind", bound="Vital[Any]")
NOW = 1_772_357_400.0
EPOCH = 7


def guardrail(kind: type[_Kind], **changes: Any) -> _Kind:
    """One that has seen nothing yet, with the default limits but for the changes."""
    return GuardrailsPlan(**changes).chosen([kind])[0]


def verdict(one: Vital[Any], counts: Sequence[DoorCounts], now: float = NOW) -> GuardrailVerdict:
    """Have it look at what doors told."""
    state = State(Control(Stage.LIVE, epoch=EPOCH))
    return one.verdict(VitalLook(MemoryVitals(doors=list(counts)), state, MemoryClock(now)))


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
