"""What a side asked of DynamoDB: calls, write and read request units, and the items it went through."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Meter:
    """Counts since it was made. Units are kept by table, an index's under `table/index`."""

    calls: Counter[str] = field(default_factory=Counter)
    writes: Counter[str] = field(default_factory=Counter)
    reads: dict[str, float] = field(default_factory=dict)
    items_read: int = 0

    @property
    def table_writes(self) -> int:
        """Write request units of tables."""
        return sum(units for name, units in self.writes.items() if "/" not in name)

    @property
    def index_writes(self) -> int:
        """Write request units of indexes."""
        return sum(units for name, units in self.writes.items() if "/" in name)

    @property
    def read_units(self) -> float:
        """Read request units of tables and indexes."""
        return sum(self.reads.values())

    def read(self, name: str, units: float, items: int) -> None:
        """Count one read request."""
        self.reads[name] = self.reads.get(name, 0) + units
        self.items_read += items
