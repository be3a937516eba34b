"""What the front door costs a request in each stage, beside the handler of the side with authority alone.

The handlers are the real ones, with their own boto3 clients, over HTTP to a stand-in in another process; the
CPU time is this process's. Writes are counted where they arrive; the door also reads its control item, once a
second at most, however many requests there are.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from benchmarks.doors import door, set_stage
from benchmarks.report import Report
from benchmarks.stand_in import ask, stand_in
from benchmarks.systems import post
from benchmarks.timing import interleave
from benchmarks.workload import each_activity
from legacy import ingest as legacy_ingest
from migration.model.stages import FULL_WEIGHT
from pipeline.handlers import ingest as pipeline_ingest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from benchmarks.doors import Handler
    from benchmarks.settings import Settings
    from benchmarks.timing import Timing

MOST_REQUESTS: Final = 300  # a round and side
_MANY: Final = 10_000_000  # activities to draw from; they are made as they are needed
_WARM_UP: Final = 5
_WRITES: Final = ("PutItem", "UpdateItem")
_ACCEPTED: Final = 202


@dataclass(frozen=True, slots=True)
class Asked:
    """A handler behind the door, or without it."""

    stage: str
    write_weight: int = 0
    alone: Handler | None = None


LEGACY: Final = {
    "legacy's handler alone": Asked("off", alone=legacy_ingest.handler),
    "door, off": Asked("off"),
    "door, dualwrite": Asked("dualwrite"),
    "door, shadow": Asked("shadow"),
    "door, live, write weight 0 %": Asked("live"),
}
PIPELINE: Final = {
    "the pipeline's handler alone": Asked("complete", alone=pipeline_ingest.handler),
    "door, live, write weight 100 %": Asked("live", FULL_WEIGHT),
    "door, rampdown": Asked("rampdown"),
    "door, complete": Asked("complete"),
}


def run(settings: Settings) -> list[Report]:
    """Time and count the requests of both sides."""
    with stand_in(0, settings.seed) as url:
        events = (post(fields) for fields in each_activity(_MANY, settings.seed))
        return [
            _report(side, _Bench(url, events, min(settings.timed_activities, MOST_REQUESTS)), asked, settings)
            for side, asked in (("legacy", LEGACY), ("pipeline", PIPELINE))
        ]


@dataclass(frozen=True, slots=True)
class _Bench:
    """Sends requests, each a new activity."""

    url: str
    events: Iterator[dict[str, Any]]
    requests: int

    def cpu_us(self, asked: Asked) -> float:
        """Measure microseconds of this process's CPU time for a request."""
        with door(_migration(asked), self.url) as through:
            handler = asked.alone or through
            self._send(handler, _WARM_UP)
            started = time.process_time_ns()
            self._send(handler, self.requests)
            return (time.process_time_ns() - started) / 1_000 / self.requests

    def writes(self, asked: Asked) -> float:
        """Count the writes of a request."""
        before = self._written()
        with door(_migration(asked), self.url) as through:
            self._send(asked.alone or through, self.requests)
        return (self._written() - before) / self.requests

    def _send(self, handler: Handler, count: int) -> None:
        for event in islice(self.events, count):
            assert handler(event, None)["statusCode"] == _ACCEPTED

    def _written(self) -> int:
        calls: Mapping[str, int] = ask(self.url, "Metered")["calls"]
        return sum(calls.get(name, 0) for name in _WRITES)


def _report(side: str, bench: _Bench, sides: Mapping[str, Asked], settings: Settings) -> Report:
    for asked in sides.values():
        set_stage(bench.url, _migration(asked), asked.stage, asked.write_weight)
    writes = {name: bench.writes(asked) for name, asked in sides.items()}
    timings = interleave({name: _bound(bench, asked) for name, asked in sides.items()}, settings.rounds)
    alone = next(iter(timings.values())).median
    return Report(
        f"door_{side}",
        f"A request that {side} has authority over: CPU time, and writes",
        ("side", "us_per_request", "low", "high", "ratio", "added_us", "writes"),
        tuple(
            (name, round(t.median), round(t.low), round(t.high), t.ratio, _added(t, alone), writes[name])
            for name, t in timings.items()
        ),
        (
            "Microseconds: median, lowest and highest round. Ratios against the first row, round by round.",
            "Added is what the ratio makes of the first row's median.",
            "Besides, the door reads its control item once a second at most.",
        ),
    )


def _added(timing: Timing, alone_us: float) -> int:
    return round((timing.ratio - 1) * alone_us)


def _bound(bench: _Bench, asked: Asked) -> Callable[[], float]:
    return lambda: bench.cpu_us(asked)


def _migration(asked: Asked) -> str:
    return f"{asked.stage} {asked.write_weight}"
