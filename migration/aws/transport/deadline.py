"""A deadline for all of something: a socket's timeout is for each read, and looking up a name has none.

in_time(call, 0.25)    the call in a thread of its own; what is late goes on alone, and nobody hears of it
left_s(until)          for what takes a timeout of its own
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")


def begun(call: Callable[[], _T]) -> Future[_T]:
    """Begin a call in a thread of its own, which keeps no process from ending."""
    future: Future[_T] = Future()
    threading.Thread(target=_run, args=(call, future), daemon=True).start()
    return future


def in_time(call: Callable[[], _T], within_s: float) -> _T:
    """Call, and wait so long at most, whatever the call waits for.

    Raises:
        TimeoutError: when it did not come back in time; it may still do what it is about.
    """
    return begun(call).result(within_s)


def left_s(until: float) -> float:
    """Tell how long it is until a moment of the monotonic clock.

    Raises:
        TimeoutError: when it is over.
    """
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


def _run(call: Callable[[], _T], future: Future[_T]) -> None:
    try:
        future.set_result(call())
    except BaseException as error:  # noqa: BLE001 - raised where it is waited for
        future.set_exception(error)
