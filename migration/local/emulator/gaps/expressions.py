"""Expressions that are read again for every item.

ministack 1.5.33 splits and checks the text of a condition anew for each item that a query or a scan looks at;
a fifth of a verification's time on the local AWS went into it. DynamoDB reads an expression once a request.
Filled by keeping what was read of the last texts.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from ministack.services import dynamodb

from migration.local.emulator.gaps import seam

if TYPE_CHECKING:
    from collections.abc import Callable

_KEPT: Final = 1_000


def fill() -> None:
    """Fill the gap."""
    seam.replace(dynamodb, "_tokenize", _split_once)
    seam.replace(dynamodb, "_condition_syntax_error", lru_cache(_KEPT))


def _split_once(split: Callable[[str], list[Any]]) -> Callable[[str], list[Any]]:
    kept = lru_cache(_KEPT)(lambda expression: tuple(split(expression)))
    return lambda expression: list(kept(expression))
