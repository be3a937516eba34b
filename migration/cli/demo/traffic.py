"""Clients at work beside everything else: an open-loop load that goes on until it is told to stop."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

from migration.cutover.background import in_thread
from migration.load.load import DueBody, Load, run_together

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from migration.load.report import LoadReport


@contextmanager
def traffic(load: Load, bodies: Iterable[bytes], rate: float) -> Iterator[list[LoadReport]]:
    """Send bodies at so many a second while the block runs; its report is there when the block has ended.

    Raises:
        Exception: what the load met, at the end of the block.
    """
    stopped = threading.Event()
    reports: list[LoadReport] = []

    def due() -> Iterator[DueBody]:
        for number, body in zip(count(), bodies, strict=False):
            if stopped.is_set():
                return
            yield DueBody(body, number / rate)

    job = in_thread(lambda: run_together([(load, due())]))
    try:
        yield reports
    finally:
        stopped.set()
    reports += job.result()
