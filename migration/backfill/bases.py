"""The history part of the aggregates: `base_*`, read and replaced row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.backfill.history import BaseChange
    from migration.model.facts import Spent
    from migration.model.fold import Fold, Row


@dataclass(frozen=True, slots=True)
class Installed:
    """The row's history part is replaced, and its totals moved by the difference."""


@dataclass(frozen=True, slots=True)
class Holds:
    """The row's history part was not what the change said; nothing was written. This is what it is."""

    base: Fold


class Bases(Protocol):
    """`base_*` of every aggregate; used from many threads at once."""

    def bases(self) -> Iterator[tuple[Row, Fold]]:
        """Read the history part of every row that has one, consistently."""
        ...

    def install(self, change: BaseChange) -> tuple[Installed | Holds, Spent]:
        """Replace a row's history part if it is what the change says, and add the difference to its totals.

        Raises:
            RemoteError: when it is not known to be installed; installing it again is safe.
        """
        ...
