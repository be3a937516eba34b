"""The tables of both sides and of the migration, in memory: items by key, and the order that reads see.

Decides what is stored, never what it costs. Schemas are those of docs/contracts.md. A stored item is the JSON
it came as, so a million take 0.6 GB, and a scan copies bytes.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

from benchmarks.capacity import item_size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.expressions import Item

Key = tuple[str, ...]
decode_item: Final = msgspec.json.Decoder(dict[str, dict[str, Any]]).decode
encode: Final = msgspec.json.Encoder().encode


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


class Kept(msgspec.Struct, gc=False):
    """An item as it came, and its size as DynamoDB counts it."""

    content: bytes
    size: int


@dataclass(slots=True)
class Table:
    """One table's items by key."""

    schema: Schema
    items: dict[Key, Kept] = field(default_factory=dict)
    _segments: dict[int, list[list[Key]]] = field(default_factory=dict)

    def get(self, key: Key) -> Item | None:
        """Read an item."""
        kept = self.items.get(key)
        return None if kept is None else decode_item(kept.content)

    def put(self, item: Item) -> None:
        """Store an item in place of the one with the same key."""
        key = self.schema.key_of(item)
        if key not in self.items:
            self._segments.clear()
        self.items[key] = Kept(encode(item), item_size(item))

    def segment(self, number: int, of: int) -> list[Key]:
        """List the keys of a segment, which follows from the partition key."""
        if of not in self._segments:
            self._segments[of] = [[] for _ in range(of)]
            for key in sorted(self.items):
                self._segments[of][zlib.crc32(key[0].encode()) % of].append(key)
        return self._segments[of][number]
