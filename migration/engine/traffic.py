"""Clients at work beside everything else: an open-loop load that goes on until it is told to stop."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

from migration.engine.background import in_thread
from migration.engine.load import Arrival, Load, run_together

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from migration.core.load_report import LoadReport


@contextmanager
def traffic(load: Load, bodies: Iterable[bytes], rate: float) -> Iterator[list[LoadReport]]:
    """Send bodies at so many a second while the block runs; its report is there when the block has ended.

    Raises:
        Exception: what the load met, at the end of the block.
    """
    stopped = threading.Event()
    reports: list[LoadReport] = []

    def due() -> Iterator[Arrival]:
        for number, body in zip(count(), bodies, strict=False):
            if stopped.is_set():
                return
            yield Arrival(body, number / rate)

    job = in_thread(lambda: run_together([(load, due())]))
    try:
        yield reports
    finally:
        stopped.set()
    reports += job.result()
