"""What stories on a deployed stack share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from migration.wiring.workspace import RunningStack

PATIENCE_S: Final = 240.0
"""Longer than a message stays hidden (121 s locally) whose batch had no end: then it is delivered again."""


def wait_until(condition: Callable[[], object]) -> None:
    """Wait for a condition; whatever a story waits for comes within `PATIENCE_S`."""
    eventually(condition, PATIENCE_S, every_s=0.05)


def stop_watchdog(stack: RunningStack) -> None:
    """Let a story set stages and break things by hand, which the watchdog would rightly roll back."""
    assert stack.outputs.migration is not None
    assert stack.outputs.migration.watchdog_function is not None
    stack.clients.functions.put_function_concurrency(
        FunctionName=stack.outputs.migration.watchdog_function, ReservedConcurrentExecutions=0
    )
