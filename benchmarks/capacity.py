"""DynamoDB's published arithmetic: what an item weighs, and what writing or reading it costs.

Sources: "DynamoDB item sizes and formats", "Read and write operations", "Using global secondary indexes" and
"Amazon DynamoDB transactions" in the developer guide. An index entry written by a transaction is charged as
outside one: only the table's own write is doubled.
"""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    Item = Mapping[str, Mapping[str, Any]]

WRITE_BLOCK: Final = 1_024
READ_BLOCK: Final = 4_096
TRANSACTION_FACTOR: Final = 2


def item_size(item: Item) -> int:
    """Weigh an item in bytes: names, texts as UTF-8, numbers by significant digits, maps by their entries."""
    return sum(
        len(name.encode()) + _value_size(kind, held)
        for name, value in item.items()
        for kind, held in value.items()
    )


def write_units(before: Item | None, after: Item | None) -> int:
    """Charge one write of a table by the larger of both images; at least 1, also when a condition failed."""
    return _blocks(max(_size(before), _size(after)))


def index_write_units(before: Item | None, after: Item | None, keys: tuple[str, ...]) -> int:
    """Charge what a write changes in an index: nothing, one entry, or both where an entry's key moves."""
    if before == after:
        return 0
    if before and after and any(before[key] != after[key] for key in keys):
        return _blocks(_size(before)) + _blocks(_size(after))
    return _blocks(max(_size(before), _size(after)))


def read_units(size: int, *, consistent: bool) -> float:
    """Charge one read request for all bytes it went through; half if eventually consistent."""
    blocks = max(1, math.ceil(size / READ_BLOCK))
    return blocks if consistent else blocks / 2


def _size(item: Item | None) -> int:
    return item_size(item) if item else 0


def _blocks(size: int) -> int:
    return max(1, math.ceil(size / WRITE_BLOCK))


def _value_size(kind: str, held: Any) -> int:  # noqa: ANN401 - as DynamoDB's JSON has it
    if kind == "S":
        return len(held.encode())
    if kind == "N":
        significant = held.lstrip("-").replace(".", "").strip("0")
        return math.ceil(len(significant) / 2) + 1
    if kind == "B":
        return len(base64.b64decode(held))
    if kind == "M":
        return 3 + item_size(held) + len(held)
    raise NotImplementedError(f"attributes of type {kind}")
