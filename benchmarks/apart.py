"""A measurement in a process of its own, so that its CPU time and its peak memory are its own."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.wire import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Measured = dict[str, Any]

_laps: Final[dict[str, float]] = {}
_STATUS: Final = Path("/proc/self/status")


def apart(module: str, function: str, *arguments: object) -> Measured:
    """Call `module.function` with texts, in another interpreter, and give what `measured` made of it."""
    code = (
        "import json, sys; from benchmarks.apart import measured; "
        f"from {module} import {function} as work; "
        "print(json.dumps(measured(work, *sys.argv[1:])))"
    )
    child = subprocess.run(  # noqa: S603 - our own code, in our own interpreter
        [sys.executable, "-c", code, *map(str, arguments)], cwd=ROOT, stdout=subprocess.PIPE, check=True
    )
    answer: Measured = json.loads(child.stdout)
    return answer


def measured(work: Callable[..., object], *arguments: str) -> Measured:
    """Do it; imports that it makes before are not counted."""
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    result = work(*arguments)
    wall_s, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    return {
        "result": result,
        "cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "wall_s": wall_s,
        "peak_mb": peak_mb(),
        **_laps,
    }


@contextmanager
def lap(name: str) -> Iterator[None]:
    """Have a part of the work measured besides: its CPU time, under this name."""
    started = time.process_time()
    yield
    _laps[name] = time.process_time() - started


def peak_mb() -> float:
    """Read this program's own peak of memory: getrusage's begins with that of the process that started it."""
    if not _STATUS.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines = _STATUS.read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
