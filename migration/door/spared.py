"""The door's own work, of which a client may notice nothing: what goes wrong in it is told, and not raised.

The sides' handlers never run inside of it: what they raise is theirs. A fault that every request meets is
told at once, and then once a minute with how often it was met, as far as there are requests.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePath
from traceback import walk_tb
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EVERY_S: Final = 60.0
_TOOLKIT: Final = PurePath(__file__).parents[1]
_T = TypeVar("_T")


def spared(otherwise: _T, work: Callable[..., _T], *arguments: object) -> _T:
    """Do it; give `otherwise` if it fails."""
    try:
        return work(*arguments)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is no business of a client's
        with suppress(Exception):
            tell(error)
        return otherwise


def tell(error: Exception) -> None:
    """Write to the log what failed, where and how often, and nothing of the request."""
    *_, place = ("", *_places(error))
    what = {"error": type(error).__name__, "at": place}
    fault = _faults.setdefault((what["error"], place), _Fault())
    fault.times += 1
    if time.monotonic() - fault.told_at < EVERY_S:
        return
    line = {"level": "ERROR", "message": "the door's own work failed", **what, "times": fault.times}
    fault.told_at, fault.times = time.monotonic(), 0
    sys.stdout.write(json.dumps(line) + "\n")


def _places(error: Exception) -> Iterator[str]:
    """Give the toolkit's own lines that led to it, outermost first."""
    for frame, line in walk_tb(error.__traceback__):
        path = PurePath(frame.f_code.co_filename)
        if path.is_relative_to(_TOOLKIT):
            yield f"{path.name}:{line}"


@dataclass(slots=True)
class _Fault:
    told_at: float = float("-inf")
    times: int = 0  # since


_faults: Final[dict[tuple[str, str], _Fault]] = {}
