"""Both sides' tables as lists: what a test of a diff reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.compare.diff.two_sides import Sighting, StoredBoard
    from migration.model.fold import Fold, Row


@dataclass(slots=True)
class MemorySides:
    """Everything that a diff reads, put there by the caller."""

    of_legacy: list[StoredBoard] = field(default_factory=list)
    of_pipeline: list[StoredBoard] = field(default_factory=list)
    legacy: list[tuple[Row, Fold]] = field(default_factory=list)
    pipeline: list[tuple[Row, Fold]] = field(default_factory=list)
    events: list[Sighting] = field(default_factory=list)
    stored: list[Sighting] = field(default_factory=list)
    newest: str | None = None
    messages: int = 0

    def legacy_boards(self) -> Iterator[StoredBoard]:
        """Read legacy's boards."""
        return iter(self.of_legacy)

    def pipeline_boards(self) -> Iterator[StoredBoard]:
        """Read the pipeline's boards."""
        return iter(self.of_pipeline)

    def legacy_rows(self) -> Iterator[tuple[Row, Fold]]:
        """Read legacy's aggregates."""
        return iter(self.legacy)

    def pipeline_rows(self) -> Iterator[tuple[Row, Fold]]:
        """Read the pipeline's aggregates."""
        return iter(self.pipeline)

    def legacy_events(self) -> Iterator[Sighting]:
        """Read legacy's event rows."""
        return iter(self.events)

    def facts(self) -> Iterator[Sighting]:
        """Read the facts."""
        return iter(self.stored)

    def newest_folded_at(self) -> str | None:
        """Tell when the newest folded fact was ingested."""
        return self.newest

    def queued(self) -> int:
        """Count the messages."""
        return self.messages
