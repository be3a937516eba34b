"""What a comparison reads and where it is recorded, in memory; held to the same contract as the tables."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migration.compare.diff.two_sides import Sighting, Stored, StoredBoard
from migration.compare.shadow.one_employee import EmployeeRead
from migration.model.fold import RESERVED, TOTAL

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from migration.compare.shadow.comparison import Comparison
    from migration.model.facts import StoredFact
    from migration.model.fold import Activity, Fold, Row
    from migration.model.side import Side
    from tests.doubles.both_sides import MemorySides


@dataclass(frozen=True, slots=True)
class MemoryComparedSides:
    """Both sides' tables as lists."""

    sides: MemorySides

    def biggest_programs(self, count: int) -> list[str]:
        """Add the employees up."""
        points: defaultdict[str, int] = defaultdict(int)
        for row, fold in self._rows():
            if row.employee_id and row.program_id != TOTAL and not row.program_id.startswith(RESERVED):
                points[row.program_id] += fold.points
        return sorted(points, key=lambda name: (-points[name], name))[:count]

    def boards(self, board: str) -> tuple[StoredBoard, StoredBoard]:
        """Read both boards."""
        of_legacy, of_pipeline = (
            next((one for one in boards if one.board == board), StoredBoard(board))
            for boards in (self.sides.of_legacy, self.sides.of_pipeline)
        )
        return of_legacy, of_pipeline

    def employees(self, names: Collection[str]) -> Iterator[EmployeeRead]:
        """Read everything of some employees."""
        for name in sorted(names):
            yield EmployeeRead(
                name,
                [(row, fold) for row, fold in self.sides.legacy_rows.items() if row.employee_id == name],
                [(row, fold) for row, fold in self._rows() if row.employee_id == name],
                [self._event(one) for one in self.sides.events.values() if one.employee_id == name],
                [_fact(one) for one in self.sides.facts.values() if one.activity.employee_id == name],
            )

    def newest_folded_at(self) -> str | None:
        """Tell when the newest folded fact was ingested."""
        return self.sides.newest

    def queued(self) -> int:
        """Count the messages."""
        return self.sides.messages

    def read_units(self) -> float:
        """Memory has none."""
        return 0.0

    def _rows(self) -> Iterator[tuple[Row, Fold]]:
        return ((row, parts.live + parts.base) for row, parts in self.sides.rows.items())

    def _event(self, one: Activity) -> Sighting:
        received_at = self.sides.received_at.get(one.identity, "")
        return Sighting(one.identity, Stored(one.program_id, one.points, received_at), None)


def _fact(fact: StoredFact) -> Sighting:
    stored = Stored(fact.activity.program_id, fact.activity.points, fact.ingested_at)
    return Sighting(fact.activity.identity, None, stored, fact.lane, fact.side)


@dataclass(frozen=True, slots=True)
class MemoryServing:
    """Sides that take as long as they are told to; None fails."""

    takes_ms: dict[Side, float | None]

    def latency_ms(self, side: Side) -> float | None:
        """Tell how long a side takes."""
        return self.takes_ms[side]


@dataclass(slots=True)
class MemoryComparisons:
    """Recorded comparisons, and until when each is kept."""

    kept: dict[str, tuple[Comparison, datetime]] = field(default_factory=dict)

    def add(self, comparison: Comparison, until: datetime) -> None:
        """Record a comparison."""
        self.kept[comparison.at] = (comparison, until)

    def since(self, at: str) -> Iterator[Comparison]:
        """Read comparisons in order."""
        return iter([self.kept[key][0] for key in sorted(self.kept) if key >= at])
