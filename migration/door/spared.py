"""The door's own work, of which a client may notice nothing: what goes wrong in it is told, and not raised.

The sides' handlers never run inside of it: what they raise is theirs.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import PurePath
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

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
    """Write to the log what failed and where, and nothing of the request."""
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    place = f"{PurePath(where.tb_frame.f_code.co_filename).name}:{where.tb_lineno}" if where else ""
    line = {"level": "ERROR", "message": "the door's own work failed", "error": type(error).__name__}
    sys.stdout.write(json.dumps({**line, "at": place}) + "\n")
