"""What a comparison reads of both sides, bounded by the boards' size, and where it is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from migration.compare.diff.two_sides import StoredBoard
    from migration.compare.shadow.comparison import Comparison
    from migration.compare.shadow.one_employee import EmployeeRead
    from migration.model.side import Side


class ComparedSides(Protocol):
    """Both sides' tables, read consistently and never written.

    Every method raises RemoteError when AWS fails, and IntegrityError when an item is not what it must be.
    """

    def biggest_programs(self, count: int) -> list[str]:
        """Name the programs with the most points, as the pipeline last published them."""
        ...

    def boards(self, board: str) -> tuple[StoredBoard, StoredBoard]:
        """Read legacy's board and the pipeline's; one that was never made has no entries."""
        ...

    def employees(self, names: Collection[str]) -> Iterator[EmployeeRead]:
        """Read everything of some employees, each one's aggregates before their events; in any order."""
        ...

    def newest_folded_at(self) -> str | None:
        """Tell when the newest folded fact was ingested; None before the first."""
        ...

    def queued(self) -> int:
        """Count the messages in the pipeline's queue or being worked on, about."""
        ...

    def read_units(self) -> float:
        """Tell how many read units were used so far."""
        ...


class Serving(Protocol):
    """Both sides' own serving of the global board."""

    def latency_ms(self, side: Side) -> float | None:
        """Have a side serve it, and tell how long that took; None when it failed."""
        ...


class Comparisons(Protocol):
    """One migration's comparisons, kept for a while. Every method raises RemoteError when AWS fails."""

    def add(self, comparison: Comparison, until: datetime) -> None:
        """Record a comparison, to be kept until then; the same one again changes nothing."""
        ...

    def since(self, at: str) -> Iterator[Comparison]:
        """Read those that began then (UTC text with milliseconds) or later, in order."""
        ...
