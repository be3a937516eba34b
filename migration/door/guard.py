"""The door's own work beside a side's handler: whatever fails of it, the request goes on without.

The first failure of each kind and place is said in the log; what a client sent is never in it.
"""

from __future__ import annotations

import json
import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
U = TypeVar("U")
_said: Final[set[tuple[str, str]]] = set()


def quietly(work: Callable[[], T], otherwise: U) -> T | U:
    """Do a part of the door's own work; give the other value where it fails, however it does."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - no fault of the door's, known or not, is a client's
        with suppress(Exception):
            _say(error)
        return otherwise


def _say(error: Exception) -> None:
    place = traceback.extract_tb(error.__traceback__)[-1]
    kind = type(error).__name__, f"{place.name}, line {place.lineno} of {place.filename.rpartition('/')[2]}"
    if kind in _said:
        return
    _said.add(kind)
    line = {"level": "WARNING", "message": "the front door went on without", "error": kind[0], "at": kind[1]}
    sys.stdout.write(json.dumps(line) + "\n")
