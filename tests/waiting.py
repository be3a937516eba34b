"""Waiting for what a test is about; and code that waits, made not to, module by module."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

T = TypeVar("T")
HASTY = SimpleNamespace(**{**vars(time), "sleep": lambda _seconds: None})


def hurry(patch: pytest.MonkeyPatch, *modules: str) -> None:
    """Have these modules wait for nothing.

    `time.sleep` itself stays as it is: it is everybody's, and two patches of it that are not undone in order
    leave it patched for good.
    """
    for module in modules:
        patch.setattr(f"{module}.time", HASTY)


def eventually(probe: Callable[[], T | None], within_s: float, every_s: float) -> T:
    """Call until the answer is truthy, and return it."""
    deadline = time.monotonic() + within_s
    while not (answer := probe()):
        assert time.monotonic() < deadline, f"what the test waits for did not happen within {within_s} s"
        time.sleep(every_s)
    return answer
