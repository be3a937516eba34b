"""The end of a handler's output.

ministack 1.5.33 cannot tell when a handler has printed its last line: it waits 50 ms for a first one and 5 ms
after each, so a warm handler that prints nothing takes 56 ms. Lambda knows, because the runtime tells it.
Filled by having the worker end each invocation's output with a mark, which is waited for instead and never
shown.
"""

from __future__ import annotations

import queue
import time
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from ministack.core import lambda_runtime

from migration.local.emulator.gaps import seam

if TYPE_CHECKING:
    from collections.abc import Callable

_MARK: Final = "\x1e end of invocation"
_SILENCE_S: Final = 0.05
_LONGEST_S: Final = 0.25
_LOOP_END: Final = "        _real_stdout.flush()\n\nrun()\n"
_MARKED_END: Final = f"""        sys.__stderr__.write({_MARK!r} + chr(10))
        sys.__stderr__.flush()
{_LOOP_END}"""
_owed: WeakKeyDictionary[queue.Queue[str], int] = WeakKeyDictionary()


def fill() -> None:
    """Fill the gap."""
    seam.rewrite(lambda_runtime, "_PYTHON_WORKER_SCRIPT", _LOOP_END, _MARKED_END)
    seam.replace(seam.original(lambda_runtime, "Worker"), "_drain_stderr_bounded", _up_to_the_mark)


def _up_to_the_mark(bounded: Callable[..., str]) -> Callable[..., str]:
    def drain(worker: Any, *args: float, **limits: float) -> str:  # noqa: ANN401 - ministack is untyped
        if type(worker) is lambda_runtime.Worker and worker.config.get("Runtime", "python").startswith(
            "python"
        ):
            return _lines_before_the_mark(seam.original(worker, "_stderr_queue"))
        return bounded(worker, *args, **limits)

    return drain


def _lines_before_the_mark(printed: queue.Queue[str]) -> str:
    """Collect what was printed; a worker that died marks nothing, so silence ends it too.

    A mark that came too late for its own invocation is skipped by the next one.
    """
    lines: list[str] = []
    owed = _owed.get(printed, 0) + 1
    deadline = time.monotonic() + _LONGEST_S
    while owed and time.monotonic() < deadline:
        try:
            text, mark, _ = printed.get(timeout=_SILENCE_S).partition(_MARK)
        except queue.Empty:
            break
        owed -= bool(mark)
        if text or not mark:
            lines.append(text)
    _owed[printed] = owed
    return "\n".join(lines)
