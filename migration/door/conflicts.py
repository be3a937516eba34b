"""A side's own writes, tried again where DynamoDB refused them because a transaction held the item.

    a transaction holds the row   ├──── 20 ms ────┤
    legacy's plain update         ✗  ✗   ✗          ✓     5 ms apart at first, 1 s in all at most

A mirror, reconcile and repair have transactions on rows that legacy's code updates plainly. Such a write was
refused and not applied, so trying it again is safe; botocore does not. Every client and resource of boto3
goes through one method, whenever it was made and however it retries, so that is where this is done, while a
side's handler runs, and for nothing but these refusals.
"""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, Final

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from migration.aws.transport.conflicts import refused_for_now
from migration.door.spared import spared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIRST_PAUSE_S: Final = 0.005
LONGEST_PAUSE_S: Final = 0.1
PATIENCE_S: Final = 1.0
_running: Final[list[bool]] = []  # one for each handler that runs; lists take and give in one step


@contextmanager
def conflicts_retried() -> Iterator[None]:
    """Have what a side's handler writes meanwhile tried again."""
    spared(None, _install)
    _running.append(True)
    try:
        yield
    finally:
        _running.pop()


def retrying(
    call: Callable[..., Any],
    elapsed: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    jitter: Callable[[], float] = random.random,
) -> Callable[..., Any]:
    """Make a call of it that is tried again while it is refused for a conflict."""

    @wraps(call)
    def calling(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever botocore passes
        pause, until = FIRST_PAUSE_S, 0.0
        while True:
            try:
                return call(*arguments, **named)
            except ClientError as error:
                if not _running or not spared(False, refused_for_now, error.response):  # noqa: FBT003 - what it is otherwise
                    raise
                until = until or elapsed() + PATIENCE_S
                wait = pause * (1 + jitter()) / 2
                if elapsed() + wait > until:
                    raise
            sleep(wait)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    return calling


@cache
def _install() -> None:
    BaseClient._make_api_call = retrying(BaseClient._make_api_call)  # type: ignore[attr-defined] # noqa: SLF001 - the one place
