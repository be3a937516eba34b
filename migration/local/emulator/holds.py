"""Which items a running transaction holds, and whom DynamoDB refuses meanwhile.

    TransactWriteItems   ├── holds its items ──┤ applied
    plain write of one          ✗ TransactionConflictException
    another transaction         ✗ TransactionCanceledException, reason TransactionConflict

The local AWS applies a transaction at once, and never refuses anybody for it.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from migration.local.emulator.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import JsonValue

    from migration.local.emulator.wire import Call

TRANSACTION: Final = "TransactWriteItems"
_WRITES: Final = frozenset({"PutItem", "UpdateItem", "DeleteItem"})
_ACTIONS: Final = ("Put", "Update", "Delete", "ConditionCheck")
CONFLICT: Final = "TransactionConflictException"
CANCELLED: Final = "TransactionCanceledException"
_WHY: Final = "Transaction is ongoing for the item"


@dataclass(frozen=True, slots=True)
class Named:
    """An item as a request names it: by its key, or whole.

    Attributes:
        table: its table.
        attributes: the key's attributes, or all that are put.
        whole: whether they are all.
    """

    table: str
    attributes: Mapping[str, Any]
    whole: bool


@dataclass(slots=True)
class Holds:
    """What is held now. `keys` learns the names of each table's keys from requests that give them."""

    held: list[Named] = field(default_factory=list)
    keys: dict[str, frozenset[str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def refused(self, call: Call) -> Fault | None:
        """Give the refusal that a call meets; None for none."""
        if call.service != "dynamodb" or call.operation not in _WRITES | {TRANSACTION}:
            return None
        asked = named(call)
        with self._lock:
            self._learn(asked)
            conflicts = [any(self._same(one, other) for other in self.held) for one in asked]
        if not any(conflicts):
            return None
        if call.operation != TRANSACTION:
            return conflict(call.operation)
        reasons: list[JsonValue] = [{"Code": "TransactionConflict" if met else "None"} for met in conflicts]
        return Fault(
            service="dynamodb",
            code=CANCELLED,
            message=_WHY,
            status=400,
            extra={"CancellationReasons": reasons},
        )

    @contextmanager
    def holding(self, call: Call) -> Iterator[None]:
        """Hold a transaction's items for the length of a block."""
        mine = named(call)
        with self._lock:
            self.held += mine
        try:
            yield
        finally:
            with self._lock:
                self.held = [one for one in self.held if not any(one is other for other in mine)]

    def _learn(self, asked: list[Named]) -> None:
        self.keys |= {one.table: frozenset(one.attributes) for one in asked if not one.whole}

    def _same(self, one: Named, other: Named) -> bool:
        if one.table != other.table:
            return False
        names = self.keys.get(one.table)
        if names is None:  # nobody has named a key yet, so both are whole
            return one.attributes == other.attributes
        return all(one.attributes.get(name) == other.attributes.get(name) for name in names)


def conflict(operation: str, **more: Any) -> Fault:  # noqa: ANN401 - a fault's other fields
    """Make the refusal of a plain write."""
    return Fault(service="dynamodb", operation=operation, code=CONFLICT, message=_WHY, status=400, **more)


def named(call: Call) -> list[Named]:
    """List the items that a write is about, in its order."""
    fields = json.loads(call.body)
    if call.operation == TRANSACTION:
        writes = [action[kind] for action in fields["TransactItems"] for kind in _ACTIONS if kind in action]
    else:
        writes = [fields]
    return [Named(one["TableName"], one.get("Key", one.get("Item")), "Key" not in one) for one in writes]
