"""The tables of both sides, in memory: items, one index, and the order that reads see.

Decides what is stored, never what it costs. Schemas are those of docs/contracts.md.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from benchmarks.expressions import comparable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal

    from benchmarks.expressions import Item

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index: its partition and sort key, and what it projects besides all keys."""

    name: str
    keys: tuple[str, str]
    projected: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Schema:
    """A table: its key attributes (all texts), and its index if it has one."""

    keys: tuple[str, ...]
    index: Index | None = None

    def key_of(self, item: Item) -> Key:
        """Read an item's key."""
        return tuple(item[name]["S"] for name in self.keys)

    def entry(self, item: Item | None) -> Item | None:
        """Project an item into the index; None when it lacks one of the index's keys."""
        index = self.index
        if index is None or item is None or not all(key in item for key in index.keys):
            return None
        names = (*index.keys, *self.keys, *index.projected)
        return {name: item[name] for name in names if name in item}


SCHEMAS: Final[Mapping[str, Schema]] = {
    "facts": Schema(("employee_id", "event_id")),
    "dedup": Schema(("identity",)),
    "employee_progress": Schema(
        ("employee_id", "program_id"), Index("by_score", ("board", "score"), ("points", "events"))
    ),
    "program_progress": Schema(("program_id", "shard")),
    "snapshots": Schema(("board", "version")),
    "legacy_events": Schema(("employee_id", "event_id")),
    "legacy_program_progress": Schema(("program_id",)),
    "legacy_employee_progress": Schema(("employee_id", "program_id")),
    "legacy_leaderboard": Schema(("board",)),
    "control": Schema(("migration", "record")),
}


@dataclass(slots=True)
class Table:
    """One table's items by key, and its index's entries by partition."""

    schema: Schema
    items: dict[Key, Item] = field(default_factory=dict)
    _partitions: dict[str, dict[Key, Item]] = field(default_factory=dict)
    _ranked: dict[str, list[Item]] = field(default_factory=dict)
    _order: list[Key] = field(default_factory=list)

    def put(self, item: Item) -> None:
        """Store an item in place of the one with the same key."""
        key = self.schema.key_of(item)
        self._forget(key)
        self.items[key] = item
        entry = self.schema.entry(item)
        if entry is not None and self.schema.index:
            partition = entry[self.schema.index.keys[0]]["S"]
            self._partitions.setdefault(partition, {})[key] = entry
            self._ranked.pop(partition, None)

    def put_all(self, items: Iterable[Item]) -> None:
        """Store many items."""
        for item in items:
            self.put(item)

    def ranked(self, partition: str) -> list[Item]:
        """List an index partition's entries, by sort key, highest first."""
        if partition not in self._ranked and self.schema.index:
            sort_key = self.schema.index.keys[1]
            self._ranked[partition] = sorted(
                self._partitions.get(partition, {}).values(),
                key=lambda entry: _number(entry, sort_key),
                reverse=True,
            )
        return self._ranked[partition]

    def after(self, key: Key | None) -> list[Key]:
        """List the keys that a scan meets after `key`, or all."""
        if len(self._order) != len(self.items):
            self._order = sorted(self.items)
        return self._order if key is None else self._order[bisect_right(self._order, key) :]

    def _forget(self, key: Key) -> None:
        entry = self.schema.entry(self.items.get(key))
        if entry is not None and self.schema.index:
            partition = entry[self.schema.index.keys[0]]["S"]
            del self._partitions[partition][key]
            self._ranked.pop(partition, None)


def _number(entry: Item, name: str) -> Decimal | str:
    return comparable(entry[name])[1]
