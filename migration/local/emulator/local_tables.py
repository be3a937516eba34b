"""What the fault layer does in ministack's tables themselves: names keys, deletes an item, reads the past.

ministack carries out each DynamoDB call in one go on its event loop, so a read of the past takes the newest
changes back, reads, and makes them again, and nobody else sees it. It knows the last `_KEPT` changes.
"""

from __future__ import annotations

import json
import time
from collections import deque
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ministack.services import dynamodb

from migration.local.emulator.gaps import seam

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migration.local.emulator.named_items import NamedItem

    Read = Callable[[dict[str, Any]], Any]
    Write = Callable[..., Any]

_KEPT: Final = 5_000
_age_s: ContextVar[float] = ContextVar("age_s", default=0.0)


@dataclass(frozen=True, slots=True)
class _Change:
    at: float
    table: dict[str, Any]
    place: tuple[str, str]
    was: dict[str, Any] | None


_changes: deque[_Change] = deque(maxlen=_KEPT)


def fill() -> None:
    """Have ministack remember its changes, and read the past when it is asked to."""
    put, remove = (seam.original(dynamodb, name) for name in ("_set_item", "_remove_item"))
    for name in ("_set_item", "_remove_item"):
        seam.replace(dynamodb, name, _remembered)
    for name in ("_get_item", "_query", "_scan"):
        seam.replace(dynamodb, name, lambda read: _of_then(read, put, remove))


def key_names(table: str) -> tuple[str, ...]:
    """Name a table's key attributes; none for a table that is not there."""
    known = seam.original(dynamodb, "_tables").get(table) or {}
    return tuple(name for name in (known.get("pk_name"), known.get("sk_name")) if name)


def remove(item: NamedItem) -> None:
    """Delete an item, as its time to live would."""
    seam.original(dynamodb, "_delete_item")({"TableName": item.table, "Key": json.loads(item.key)})


@contextmanager
def as_it_was(age_ms: int) -> Iterator[None]:
    """Have reads without `ConsistentRead` answer what was there so long ago."""
    token = _age_s.set(age_ms / 1000)
    try:
        yield
    finally:
        _age_s.reset(token)


def _remembered(change: Write) -> Write:
    def remember(table: dict[str, Any], *place_and_item: Any) -> Any:  # noqa: ANN401 - ministack is untyped
        was = change(table, *place_and_item)
        _changes.append(_Change(time.monotonic(), table, (place_and_item[0], place_and_item[1]), was))
        return was

    return remember


def _of_then(read: Read, put: Write, remove: Write) -> Read:
    def become(change: _Change, item: dict[str, Any] | None) -> dict[str, Any] | None:
        """Put an item in a change's place; return what was there."""
        was: dict[str, Any] | None
        was = remove(change.table, *change.place) if item is None else put(change.table, *change.place, item)
        return was

    def read_then(request: dict[str, Any]) -> Any:  # noqa: ANN401 - ministack is untyped
        if not (age_s := _age_s.get()) or request.get("ConsistentRead"):
            return read(request)
        since = time.monotonic() - age_s
        taken_back = [(one, become(one, one.was)) for one in reversed(_changes) if one.at > since]
        try:
            return read(request)
        finally:
            for change, item in reversed(taken_back):
                become(change, item)

    return read_then
