"""How names are said to people, in every message and report."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def words(name: str) -> str:
    """Say a name of ours as people write it."""
    return name.replace("_", " ")


def counted(counts: Iterable[tuple[str, int]]) -> str:
    """Say how many there are of each kind."""
    return ", ".join(f"{count:,} {words(kind)}" for kind, count in counts)
