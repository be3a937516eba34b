"""What the front door costs a request in each stage, beside the handler of the side with authority alone.

The handlers are the real ones, with their own boto3 clients, over HTTP to a stand-in in another process; the
CPU time is this process's. Writes are counted where they arrive; the door also reads its control item, once a
second at most, however many requests there are.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

import boto3

from benchmarks.report import Report
from benchmarks.stand_in import ask, stand_in
from benchmarks.systems import ENDPOINT, LEGACY_ENVIRONMENT, post, quiet
from benchmarks.timing import interleave
from benchmarks.workload import each_activity
from legacy import ingest as legacy_ingest
from legacy import tables as legacy_tables
from migration.door import control, ingest
from migration.door.sides import handler_of
from migration.model.stages import FULL_WEIGHT
from pipeline.handlers import ingest as pipeline_ingest
from pipeline.stores import clients

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from benchmarks.settings import Settings
    from benchmarks.timing import Timing

    Handler = Callable[[dict[str, Any], object], dict[str, Any]]

MOST_REQUESTS: Final = 300  # a round and side
_MANY: Final = 10_000_000  # activities to draw from; they are made as they are needed
_WARM_UP: Final = 5
_WRITES: Final = ("PutItem", "UpdateItem")
_ACCEPTED: Final = 202
CONTROL_TABLE: Final = "control"
_ENVIRONMENT: Final = {
    **LEGACY_ENVIRONMENT,
    "AWS_REGION": os.environ["AWS_DEFAULT_REGION"],
    "LEGACY_HANDLER": "legacy.ingest.handler",
    "PIPELINE_HANDLER": "pipeline.handlers.ingest.handler",
    "FACTS_TABLE": "facts",
    "CONTROL_TABLE": CONTROL_TABLE,
    "BAKED_CONTROL": '{"stage":"off"}',
}
_CACHES: Final = (
    legacy_tables.dynamodb,
    legacy_tables.table,
    clients.dynamodb,
    pipeline_ingest.facts,
    control.control,
    ingest.mirror,
    handler_of,
)


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
        with _door(_migration(asked), self.url) as through:
            handler = asked.alone or through
            self._send(handler, _WARM_UP)
            started = time.process_time_ns()
            self._send(handler, self.requests)
            return (time.process_time_ns() - started) / 1_000 / self.requests

    def writes(self, asked: Asked) -> float:
        """Count the writes of a request."""
        before = self._written()
        with _door(_migration(asked), self.url) as through:
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
        _set_stage(bench.url, asked)
    writes = {name: bench.writes(asked) for name, asked in sides.items()}
    timings = interleave(
        {name: partial(bench.cpu_us, asked) for name, asked in sides.items()}, settings.rounds
    )
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


def _migration(asked: Asked) -> str:
    return f"{asked.stage} {asked.write_weight}"


def _set_stage(url: str, asked: Asked) -> None:
    """Write a control item."""
    item: Any = {
        "migration": {"S": _migration(asked)},
        "record": {"S": "state"},
        "stage": {"S": asked.stage},
        "write_weight": {"N": str(asked.write_weight)},
        "read_weight": {"N": "0"},
        "epoch": {"N": "1"},
    }
    boto3.client("dynamodb", endpoint_url=url).put_item(TableName=CONTROL_TABLE, Item=item)


@contextmanager
def _door(migration: str, url: str) -> Iterator[Handler]:
    """Give the door of a fresh process: connections are made, and the stage is read, when first needed."""
    with patch.dict(os.environ, {**_ENVIRONMENT, ENDPOINT: url, "MIGRATION": migration}), quiet():
        _forget()
        yield ingest.handler
        _forget()


def _forget() -> None:
    for cached in _CACHES:
        cached.cache_clear()
