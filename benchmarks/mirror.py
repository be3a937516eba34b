"""What a client of legacy feels of a mirror that fails: the door in `dualwrite`, all faults in one run.

Requests go one after another, as in one environment of a function. Legacy's DynamoDB answers each of its
three calls after 3 ms, always; the mirror's does so too, or fails. The first row is the same door in stage
`off`, without a mirror.
"""

from __future__ import annotations

import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from statistics import median
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from benchmarks.doors import door, set_stage
from benchmarks.faulty import Fault, faulty
from benchmarks.report import Report
from benchmarks.systems import post
from benchmarks.workload import each_activity
from migration.door.mirror import Mirrored

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.settings import Settings

NO_MIRROR: Final = "no mirror (stage off)"
AFTER_MS: Final = 3.0
MOST_REQUESTS: Final = 200  # a round and fault
MOST_ROUNDS: Final = 5
LATE_MS: Final = 100.0
_MANY: Final = 10_000_000  # activities to draw from; they are made as they are needed
_ACCEPTED: Final = 202


@dataclass(slots=True)
class Felt:
    """What the clients got, and what became of the mirror's puts."""

    latencies_ms: list[float] = field(default_factory=list)
    rounds: int = 0
    accepted: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    def medians_ms(self) -> list[float]:
        """Give the median latency of each round."""
        each = len(self.latencies_ms) // self.rounds
        return [
            median(self.latencies_ms[begin : begin + each]) for begin in range(0, each * self.rounds, each)
        ]


def run(settings: Settings) -> list[Report]:
    """Send requests through the door with every fault, round by round."""
    requests, rounds = min(settings.timed_activities, MOST_REQUESTS), min(settings.rounds, MOST_ROUNDS)
    events = (post(fields) for fields in each_activity(_MANY, settings.seed))
    with ExitStack() as stack:
        url = stack.enter_context(faulty(Fault.NONE, AFTER_MS))
        mirrors = {fault.value: stack.enter_context(faulty(fault, AFTER_MS)) for fault in Fault}
        for stage in ("off", "dualwrite"):
            set_stage(url, stage, stage)
        felt = {name: Felt() for name in (NO_MIRROR, *mirrors)}
        for _ in range(rounds):
            for name, so_far in felt.items():
                stage = "off" if name == NO_MIRROR else "dualwrite"
                _send(islice(events, requests), stage, url, mirrors.get(name), so_far)
    return [_report(felt, requests * rounds)]


def _send(events: Iterator[dict[str, Any]], stage: str, url: str, mirror_url: str | None, felt: Felt) -> None:
    def count(outcome: str) -> None:
        felt.outcomes[outcome] += 1

    felt.rounds += 1
    with door(stage, url, mirror_url) as handler, patch("migration.door.ingest.count", count):
        for event in events:
            started = time.perf_counter()
            answer = handler(event, None)
            felt.latencies_ms.append((time.perf_counter() - started) * 1_000)
            felt.accepted += answer["statusCode"] == _ACCEPTED


def _report(felt: Mapping[str, Felt], requests: int) -> Report:
    base = felt[NO_MIRROR].medians_ms()
    return Report(
        "mirror",
        "What a client of legacy feels of the mirror",
        ("mirror", "requests", "accepted", "p50_ms", "ratio", "p99_ms", "late", *map(_column, Mirrored)),
        tuple((name, requests, *_row(one, base)) for name, one in felt.items()),
        (
            "Dead: nobody listens. Slow: answers after 2 s. Throttled: refuses every put.",
            "Poisoned: in turn another fact, no JSON, no answer, an error.",
            f"Ratios of medians to the first row's, round by round. Late: over {LATE_MS:.0f} ms.",
            "Skipped: the circuit breaker left the mirror alone. All but stored and duplicate is reconciled.",
        ),
    )


def _row(felt: Felt, base: list[float]) -> tuple[int | float, ...]:
    ordered = sorted(felt.latencies_ms)
    middle, high = median(ordered), ordered[int(len(ordered) * 0.99)]
    ratio = median(one / first for one, first in zip(felt.medians_ms(), base, strict=True))
    late = sum(latency > LATE_MS for latency in ordered)
    return felt.accepted, middle, ratio, high, late, *(felt.outcomes[name] for name in Mirrored)


def _column(outcome: Mirrored) -> str:
    return outcome.removeprefix("Mirror").lower()
