"""Everything that a diff reads, on both sides; each item once, in any order, never all in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.compare.diff.two_sides import Sighting, StoredBoard
    from migration.model.fold import Fold, Row


class BothSides(Protocol):
    """Legacy's and the pipeline's tables, read consistently; reserved ids may be among what is read."""

    def legacy_boards(self) -> Iterator[StoredBoard]:
        """Read legacy's boards."""
        ...

    def pipeline_boards(self) -> Iterator[StoredBoard]:
        """Read the pipeline's latest boards of employees."""
        ...

    def legacy_rows(self) -> Iterator[tuple[Row, Fold]]:
        """Read legacy's aggregates, of employees in programs and of programs."""
        ...

    def pipeline_rows(self) -> Iterator[tuple[Row, Fold]]:
        """Read the pipeline's aggregates; the shards of a program one by one."""
        ...

    def legacy_events(self) -> Iterator[Sighting]:
        """Read legacy's event rows."""
        ...

    def facts(self) -> Iterator[Sighting]:
        """Read the facts."""
        ...

    def newest_folded_at(self) -> str | None:
        """Tell when the newest folded fact was ingested; None before the first."""
        ...

    def queued(self) -> int:
        """Count the messages in the pipeline's queue or being worked on, about."""
        ...
