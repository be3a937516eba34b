"""What a side has stored and added up, read where it is kept and not where it is served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from migration.model.fold import Activity, Fold, Row


class SideTables(Protocol):
    """One side's tables, read consistently."""

    def activities(self) -> Iterator[Activity]:
        """Read every fact, or every event row of legacy; reserved ones among them."""
        ...

    def folds(self) -> Mapping[Row, Fold]:
        """Read every aggregate, program shards summed; legacy's have no fingerprint and no totals."""
        ...


class Backlog(Protocol):
    """How far the folds are behind the facts of the live lane, reserved ones left out."""

    def stored(self) -> int:
        """Count the facts of the live lane."""
        ...

    def folded(self) -> int:
        """Count the events that the live lane folded into the programs."""
        ...

    def queued(self) -> int:
        """Count the messages that are in the queue or being worked on."""
        ...
