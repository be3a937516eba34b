"""The server process of the local AWS: ministack with its gaps filled, behind the fault layer.

Run as `python -m migration.local.emulator.server HOME PORT LISTENER_FD detached|leashed` by the launcher,
which gives it a clean environment, a bound socket and the lock of its home. It never opens a port of its own.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack import app as ministack
from ministack.core import lambda_runtime

from migration.local.emulator import gaps, local_tables
from migration.local.emulator.fault_layer import FaultLayer
from migration.local.emulator.fault_rules import Rules
from migration.local.emulator.home import Home, ServerState
from migration.local.emulator.named_items import HeldItems

if TYPE_CHECKING:
    from hypercorn.typing import ASGIFramework


def main(home: Path, port: int, listener: int, *, leashed: bool) -> None:
    """Serve until a signal ends it or, when leashed, until its input does."""
    Home(home).write(ServerState(os.getpid(), port))
    # Its notes on every call cost more than the calls; what handlers print is in their log groups.
    logging.getLogger().setLevel(logging.WARNING)
    # Handlers inherit this environment; without this they would find our packages, whatever their zip lacks.
    os.environ.pop("PYTHONPATH", None)
    rules = Rules(HeldItems(local_tables.key_names))
    gaps.fill(rules)
    local_tables.fill()
    config = Config()
    config.bind = [f"fd://{listener}"]
    config.loglevel = "WARNING"
    config.keep_alive_timeout = 75
    config.graceful_timeout = 0.2
    application = cast("ASGIFramework", FaultLayer(ministack.app, rules))
    asyncio.run(serve(application, config, shutdown_trigger=partial(_told_to_end, leashed=leashed)))


async def _told_to_end(*, leashed: bool) -> None:
    """Wait for the end, then end the handlers' processes, so that no call in flight holds it up."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    if leashed:
        loop.add_reader(sys.stdin.fileno(), told.set)
    await told.wait()
    if leashed:
        loop.remove_reader(sys.stdin.fileno())
    await asyncio.to_thread(lambda_runtime.reset)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), leashed=sys.argv[4] == "leashed")
