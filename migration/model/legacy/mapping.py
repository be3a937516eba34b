"""From a legacy item, as DynamoDB writes it in JSON, to an activity or a row; compiled once, for millions.

Decides only where a value is and how it is read. It never guesses: an item that lacks a mapped attribute, or
holds something else there, is an error that names the item, the attribute and what was found.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, TypeVar

from migration.model.errors import IntegrityError
from migration.model.fold import COLUMNS, Activity, Fold, Row, canonical_time
from migration.model.legacy.layout import LegacyEmployeeProgress
from migration.model.misfit import is_text, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from migration.model.legacy.layout import Attribute, LegacyEvents, LegacyProgramProgress

    Item = Mapping[str, Any]  # {"points": {"N": "5"}, "detail": {"M": {…}}}
    T = TypeVar("T")
    Read = Callable[[Item], T]

_SHOWN: Final = 4  # attributes of an item that an error shows
_NUMBERS_BELOW: Final = 10**26  # of either sign: DynamoDB has 38 digits, and 12 of a score order equals


class UnmappableError(IntegrityError):
    """An item that the mapping does not fit."""


def activity_mapper(layout: LegacyEvents) -> Callable[[Item], Activity]:
    """Compile a layout; what it gives raises `UnmappableError` for an item that does not fit."""
    columns = columns_mapper(layout)
    return lambda item: Activity(*columns(item))


def columns_mapper(layout: LegacyEvents) -> Callable[[Item], list[Any]]:
    """Compile a layout as `activity_mapper` does; what it gives leaves the activity's columns as values."""
    reads = [_column(layout, name) for name in COLUMNS]

    def columns(item: Item) -> list[Any]:
        try:
            return [read(item) for read in reads]
        except _UnreadableError as error:
            raise _unmappable(item, str(error)) from None
        except (ValueError, OverflowError, OSError) as error:
            text = f"{layout.occurred_at} is no time in the format {layout.time_format} ({error})"
            raise _unmappable(item, text) from None

    return columns


def row_mapper(layout: LegacyEmployeeProgress | LegacyProgramProgress) -> Callable[[Item], tuple[Row, Fold]]:
    """Compile a layout; the folds have no fingerprint, and an absent number is nothing added yet."""
    employee_id = None
    if isinstance(layout, LegacyEmployeeProgress):
        employee_id = _reader(layout.employee_id, _employee(layout.employee_id))
    program_id = _reader(layout.program_id, _text(layout.program_id))
    points, events = (_reader(one, _whole(one), "0") for one in (layout.points, layout.events))

    def row(item: Item) -> tuple[Row, Fold]:
        try:
            name = Row(None if employee_id is None else employee_id(item), program_id(item))
            return name, Fold(points(item), events(item))
        except _UnreadableError as error:
            raise _unmappable(item, str(error)) from None

    return row


def _column(layout: LegacyEvents, name: str) -> Read[Any]:
    """Compile the way to one column of an activity."""
    attribute: Attribute = getattr(layout, name)
    if COLUMNS[name] is int:
        return _reader(attribute, _whole(attribute))
    if name == "occurred_at":
        return _reader(attribute, _TIMES[layout.time_format])
    return _reader(attribute, _employee(attribute) if name == "employee_id" else _text(attribute))


class _UnreadableError(Exception):
    """What is wrong with an attribute; the item is named where it is known."""


def _reader(attribute: Attribute, value_of: Callable[[str], T], default: str | None = None) -> Read[T]:
    """Compile the way to one scalar, and what is made of its text, which is DynamoDB's own."""
    if not isinstance(attribute, str):
        return lambda _item: value_of(str(attribute.constant))
    *maps, last = attribute.split(".")

    def read(item: Item) -> T:
        try:
            for name in maps:
                item = item[name]["M"]
            value = item[last]
        except (KeyError, TypeError):
            if default is None:
                raise _UnreadableError(f"{attribute} is missing") from None
            return value_of(default)
        if "S" in value:
            return value_of(value["S"])
        if "N" in value:
            return value_of(value["N"])
        raise _UnreadableError(f"{attribute} is {dict(value)}, neither a text nor a number")

    return read


def _text(attribute: Attribute) -> Callable[[str], str]:
    def text_of(text: str) -> str:
        if text.isascii() or is_text(text):
            return text
        raise _UnreadableError(f"{attribute} is {shortened(text)}, which has half a surrogate pair")

    return text_of


def _employee(attribute: Attribute) -> Callable[[str], str]:
    """Read an employee; nobody at all would pass for a program, whose rows have none."""
    read = _text(attribute)

    def employee_of(text: str) -> str:
        if text:
            return read(text)
        raise _UnreadableError(f"{attribute} is empty")

    return employee_of


def _whole(attribute: Attribute) -> Callable[[str], int]:
    def whole(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = _from_decimal(text, attribute)
        if -_NUMBERS_BELOW < number < _NUMBERS_BELOW:
            return number
        raise _UnreadableError(f"{attribute} is {shortened(text)}, and fewer than 27 digits can be summed up")

    return whole


def _from_decimal(text: str, attribute: Attribute) -> int:
    try:
        number = Decimal(text)
        if number == (whole := int(number)):
            return whole
    except (InvalidOperation, ValueError, OverflowError):
        pass
    raise _UnreadableError(f"{attribute} is {text!r}, which is not a whole number")


def _iso(text: str) -> str:
    if datetime.fromisoformat(text).utcoffset() is None:
        text += "Z"
    return canonical_time(text)


def _epoch(milliseconds: Decimal) -> str:
    whole = int(milliseconds)
    moment = datetime.fromtimestamp(whole // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{whole % 1000:03}Z"


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is no number") from None


# All are taken as UTC unless the text has an offset.
_TIMES: Final[Mapping[str, Callable[[str], str]]] = {
    "iso": _iso,
    "epoch_s": lambda text: _epoch(_number(text) * 1000),
    "epoch_ms": lambda text: _epoch(_number(text)),
}


def _unmappable(item: Item, problem: str) -> UnmappableError:
    shown = ", ".join(f"{name} {value}" for name, value in list(item.items())[:_SHOWN])
    return UnmappableError(
        f"an item of legacy does not fit the plan: {problem}; the item begins with {shown}",
        hint="correct the attribute's name in the plan file, or the item",
        next_command="cutover plan check",
    )
