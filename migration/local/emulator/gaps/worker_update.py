"""A function that is updated in the middle of a request.

ministack 1.5.33 ends all processes of a function when its code or configuration changes, also those at work:
their requests are answered 502. AWS lets them finish, and starts new ones for what comes next. Filled by
taking the processes at work out of the pool first, and ending each when its request is over.
"""

from __future__ import annotations

import threading
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from migration.local.emulator.gaps import seam

if TYPE_CHECKING:
    from collections.abc import Callable

_POLL_S: Final = 0.1
_LONGEST_S: Final = 900.0  # no function runs longer
_updating: ContextVar[bool] = ContextVar("updating", default=False)


def fill() -> None:
    """Fill the gap."""
    for update in ("_update_code", "_update_config"):
        seam.replace(lambda_svc, update, _known_as_update)
    seam.replace(lambda_svc, "invalidate_worker", _sparing_those_at_work)


def _known_as_update(update: Callable[..., Any]) -> Callable[..., Any]:
    def known(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - ministack is untyped
        token = _updating.set(True)
        try:
            return update(*args, **options)
        finally:
            _updating.reset(token)

    return known


def _sparing_those_at_work(invalidate: Callable[..., None]) -> Callable[..., None]:
    """Spare them in an update only: a process that failed or ran too long is ended at once."""

    def spare(function: str, qualifier: str | None = None, **scope: Any) -> None:  # noqa: ANN401 - as above
        at_work = _taken_out(function, qualifier) if _updating.get() else []
        invalidate(function, qualifier, **scope)
        if at_work:
            threading.Thread(target=_end, args=[at_work], daemon=True).start()

    return spare


def _taken_out(function: str, qualifier: str | None) -> list[Any]:
    """Take a function's processes that are at work out of the pool."""
    pool = seam.original(lambda_runtime, "_workers")
    at_work = []
    with seam.original(lambda_runtime, "_lock"):
        for key, workers in pool.items():
            if key.split(":")[-2:] != [function, qualifier or "$LATEST"]:
                continue
            at_work += [worker for worker in workers if worker.in_use]
            pool[key] = [worker for worker in workers if not worker.in_use]
    return at_work


def _end(workers: list[Any]) -> None:
    """End each process when its request is over."""
    deadline = time.monotonic() + _LONGEST_S
    while any(worker.in_use for worker in workers) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    seam.original(lambda_runtime, "kill_workers")(workers)
