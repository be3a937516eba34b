"""The two sides, asked through their own handlers: named in the environment, so the door wraps anybody's."""

from __future__ import annotations

import os
import time
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

from migration.model.side import Side

if TYPE_CHECKING:
    from collections.abc import Callable

    from migration.door.counters import DoorCounters
    from migration.door.event import Event

    Handler = Callable[[Event, object], dict[str, Any]]

SERVER_ERROR: Final = 500
metrics = Metrics()


@cache
def handler_of(side: Side) -> Handler:
    """Import a side's handler when first needed: `LEGACY_HANDLER` or `PIPELINE_HANDLER`."""
    module, _, function = os.environ[f"{side.upper()}_HANDLER"].rpartition(".")
    handler: Handler = getattr(import_module(module), function)
    return handler


@cache
def pinned() -> Side | None:
    """Return the side that an alias chose with this version: `PINNED_SIDE`; None where the door chooses."""
    side = os.environ.get("PINNED_SIDE")
    return Side(side) if side else None


def ask(side: Side, event: Event, context: object, counted: DoorCounters) -> dict[str, Any]:
    """Have a side answer, and count its requests, its errors and its time."""
    name = side.capitalize()
    started, failed = time.perf_counter(), True
    try:
        answer = handler_of(side)(event, context)
        failed = answer["statusCode"] >= SERVER_ERROR
    finally:
        elapsed_ms = (time.perf_counter() - started) * 1000
        metrics.add_metric(f"{name}Requests", MetricUnit.Count, 1)
        metrics.add_metric(f"{name}Errors", MetricUnit.Count, int(failed))
        metrics.add_metric(f"{name}LatencyMs", MetricUnit.Milliseconds, elapsed_ms)
        metrics.flush_metrics()
        counted.answered(side, elapsed_ms, failed=failed)
    return answer


def count(outcome: str) -> None:
    """Count one outcome of the door's own work."""
    metrics.add_metric(outcome, MetricUnit.Count, 1)
    metrics.flush_metrics()
