"""Legacy's events, page by page and segment by segment, so that reading can stop and go on anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from migration.backfill.estimate import TableSize
    from migration.model.fold import Activity


@dataclass(frozen=True, slots=True)
class EventPage:
    """A page of one segment.

    Attributes:
        segment: which.
        position: where the segment goes on after it; None when it was the last.
        activities: the events that fit the plan.
        misfits: the items that do not, each in words that name it.
    """

    segment: int
    position: str | None
    activities: tuple[Activity, ...]
    misfits: tuple[str, ...] = ()


class LegacyEventSource(Protocol):
    """Legacy's event table, read consistently and never written."""

    def pages(self, segments: int, positions: Mapping[int, str | None]) -> Generator[EventPage]:
        """Read on, in no particular order of segments.

        Args:
            segments: how many parts the table is read in.
            positions: for each segment that was begun, where it goes on; None for one that is done.
        """
        ...

    def size(self) -> TableSize:
        """Tell how much there is to read, about."""
        ...
