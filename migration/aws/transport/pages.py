"""Pages of items as DynamoDB answers them, decoded into typed structs without a detour over dictionaries.

Attributes that a struct does not have are skipped; one that is not as the struct says is an error that names
the item.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar, cast

import msgspec

from migration.model.errors import IntegrityError

T = TypeVar("T")


class Text(msgspec.Struct, gc=False, frozen=True):
    """An attribute of type S."""

    S: str


class Number(msgspec.Struct, gc=False, frozen=True):
    """An attribute of type N, in DynamoDB's own text: up to 38 digits."""

    N: str


class Capacity(msgspec.Struct):
    """What a request cost."""

    CapacityUnits: float = 0.0


class ItemPage(msgspec.Struct, Generic[T]):
    """An answer to Scan or Query; the key is empty on the last page."""

    Items: list[T]
    LastEvaluatedKey: msgspec.Raw = msgspec.Raw(b"")
    ConsumedCapacity: Capacity | None = None

    @property
    def next_key(self) -> bytes | None:
        """The key that the next page begins after."""
        return bytes(self.LastEvaluatedKey) or None


class PageDecoder(Generic[T]):
    """Decodes the pages of one table."""

    def __init__(self, table: str, item: type[T]) -> None:
        self._table = table
        self._item = item
        page = cast("type[ItemPage[T]]", ItemPage[item])  # type: ignore[valid-type] # the type is only known here
        self._decoder = msgspec.json.Decoder(page)

    def decode(self, content: bytes) -> ItemPage[T]:
        """Decode a page.

        Raises:
            IntegrityError: when it is none, or an item is not what it must be; it is named.
        """
        try:
            return self._decoder.decode(content)
        except msgspec.DecodeError as error:
            raise self._culprit(content) from error

    def _culprit(self, content: bytes) -> IntegrityError:
        try:
            items: list[Any] = msgspec.json.decode(content)["Items"]
        except (msgspec.DecodeError, KeyError, TypeError):
            items = []
        for item in items:
            try:
                msgspec.convert(item, self._item)
            except msgspec.ValidationError as error:
                return IntegrityError(
                    f"an item of {self._table} is not what its table holds: {error}; it is {item}",
                    hint="neither side writes such an item; see who else writes to the table",
                )
        return IntegrityError(f"an answer about {self._table} is not what DynamoDB answers", hint="try again")
