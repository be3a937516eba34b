"""Runs a Pulumi program in this process against a `Host`, through the SDK's own seam.

Decides the order: everything the program registers is handled at once, on one thread, one at a time, so
runs are repeatable and the state file is a simple log. It leaves `sys.path`, `sys.modules` and the SDK's
settings as they were, so that many programs can run in one process. The working folder does not change.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import importlib
import logging
import runpy
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migration.local.deployer import sdk
from migration.local.deployer.monitor import Monitor

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from migration.local.deployer.registration import Host

_LOG = logging.getLogger("pulumi")
_LEVELS = {sdk.ERROR: logging.ERROR, sdk.WARNING: logging.WARNING, sdk.INFO: logging.INFO}
_ONE_AT_A_TIME = threading.Lock()  # sys.path and sys.modules belong to the whole process


@dataclass(frozen=True, slots=True)
class Program:
    """A program and what the Pulumi CLI passes it. `folder` has `__main__.py`, `root` is importable."""

    root: Path
    folder: Path
    project: str
    stack: str
    config: Mapping[str, str]
    secret_keys: Collection[str] = ()


def run(program: Program, host: Host, *, dry_run: bool) -> None:
    """Run the program to its end; raises what the program, or the host, raised."""
    with _ONE_AT_A_TIME, _importable(program), _without_collecting():
        contextvars.Context().run(_run, program, host, dry_run)


def _run(program: Program, host: Host, dry_run: bool) -> None:  # noqa: FBT001 - Context.run passes no keywords
    monitor = Monitor(host, program.stack, program.project, program.folder)
    sdk.configure(
        sdk.Settings(
            project=program.project,
            stack=program.stack,
            monitor=monitor.surface(),
            engine=sdk.engine(_log),
            dry_run=dry_run,
            organization="organization",
            root_directory=str(program.root),
        )
    )
    sdk.set_all_config(dict(program.config), list(program.secret_keys))
    loop = asyncio.new_event_loop()
    loop.set_default_executor(_Inline())
    loop.set_exception_handler(_ignore)
    try:
        loop.run_until_complete(sdk.run_in_stack(lambda: _main(program.folder)))
    except Exception as error:  # noqa: BLE001 - the program's own, or an echo of the host's
        raise monitor.failure or error from None
    finally:
        _close(loop)


def _main(folder: Path) -> None:
    importlib.invalidate_caches()
    runpy.run_path(str(folder), run_name="__main__")


def _close(loop: asyncio.AbstractEventLoop) -> None:
    pending = asyncio.all_tasks(loop)
    for task in pending:
        task.cancel()
    if pending:
        loop.run_until_complete(asyncio.wait(pending))
    loop.close()


def _ignore(_loop: asyncio.AbstractEventLoop, _context: dict[str, Any]) -> None:
    """Drop the echoes of a failure that `run` raises: each output that waited for it fails as well."""


def _log(request: Any) -> None:  # noqa: ANN401 - a protobuf message
    _LOG.log(_LEVELS.get(request.severity, logging.DEBUG), "%s", request.message)


@contextmanager
def _importable(program: Program) -> Iterator[None]:
    """Add the root to `sys.path`, and forget the program's own modules afterwards, as a new process would."""
    path, known = list(sys.path), set(sys.modules)
    sys.path.append(str(program.root))
    try:
        yield
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - known:
            file = getattr(sys.modules[name], "__file__", None)
            if file and program.folder in Path(file).parents:
                del sys.modules[name]


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Put garbage collection off: a run keeps nearly all it makes, and going through that took 40 % of it."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


class _Inline(ThreadPoolExecutor):
    """An executor that runs each call at once in the caller's thread (asyncio insists on this base class)."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - handed to whoever awaits the call
            future.set_exception(error)
        return future
