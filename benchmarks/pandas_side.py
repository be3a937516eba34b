"""pandas, where it is installed: what data people would reach for, and no dependency of the project."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")
NAME: Final = "pandas"
_MISSING: Final = "pandas is not installed (the extra `bench` has it), so it is not among the sides."


def installed() -> bool:
    """Whether it can be measured here."""
    return find_spec(NAME) is not None


def those_here(sides: Mapping[str, T]) -> dict[str, T]:
    """Leave out the sides that need it where it is missing."""
    return {name: side for name, side in sides.items() if installed() or not name.startswith(NAME)}


def notes() -> tuple[str, ...]:
    """Say why it is missing, if it is."""
    return () if installed() else (_MISSING,)
