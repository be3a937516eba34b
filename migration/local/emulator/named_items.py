"""Which items a DynamoDB call names, and which of them a transaction holds.

Reads a request and remembers; never touches a table.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from migration.local.emulator.faults import Fault

if TYPE_CHECKING:
    from migration.local.emulator.wire import Call

KeyNames = Callable[[str], tuple[str, ...]]
_PLAIN_WRITES: Final = ("PutItem", "UpdateItem", "DeleteItem")
_TRANSACTIONS: Final = ("TransactWriteItems", "TransactGetItems")
_LAGGING: Final = ("GetItem", "Query", "Scan")
_ONGOING: Final = "Transaction is ongoing for the item"
_BAD_REQUEST: Final = 400


@dataclass(frozen=True, slots=True)
class NamedItem:
    """An item of a table; `key` is DynamoDB's JSON, its names in order."""

    table: str
    key: str


def items_of(call: Call, key_names: KeyNames) -> list[NamedItem]:
    """Name the items of a read or write of one, or of a transaction in the order of its actions."""
    request = _request(call)
    if call.operation in (*_PLAIN_WRITES, "GetItem"):
        actions = [request]
    elif call.operation in _TRANSACTIONS:
        actions = [action for one in request.get("TransactItems", []) for action in one.values()]
    else:
        actions = []
    try:
        return [_named(action, key_names) for action in actions]
    except (KeyError, TypeError, AttributeError):
        return []  # DynamoDB says what is wrong with it


def holds(call: Call) -> bool:
    """Tell whether a call is one that holds its items while it is carried out."""
    return call.operation == "TransactWriteItems"


def may_lag(call: Call) -> bool:
    """Tell whether a call is a read that may answer what was there a while ago."""
    return call.operation in _LAGGING and not _request(call).get("ConsistentRead")


def _request(call: Call) -> dict[str, Any]:
    try:
        request = json.loads(call.body)
    except ValueError:
        return {}
    return request if call.service == "dynamodb" and isinstance(request, dict) else {}


def _named(action: dict[str, Any], key_names: KeyNames) -> NamedItem:
    table = action["TableName"].rpartition("/")[2]  # or its ARN
    key = action["Key"] if "Key" in action else {name: action["Item"][name] for name in key_names(table)}
    one_spelling = {name: _spelt_once(value) for name, value in key.items()}
    return NamedItem(table, json.dumps(one_spelling, sort_keys=True))


def _spelt_once(value: dict[str, str]) -> dict[str, str]:
    """Spell a number in one way: 1, 1.0 and 1e0 are one key."""
    if "N" not in value:
        return value
    try:
        return {"N": str(Decimal(value["N"]).normalize())}
    except ArithmeticError:
        return value  # DynamoDB says what is wrong with it


@dataclass(frozen=True, slots=True)
class _Holder:
    fault_id: str
    token: str | None


@dataclass(slots=True)
class HeldItems:
    """The items that running transactions hold, and what they refuse."""

    key_names: KeyNames
    _holders: dict[NamedItem, _Holder] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Tell whether any is held."""
        return bool(self._holders)

    def hold(self, call: Call, fault_id: str) -> None:
        """Hold a transaction's items, for the fault that makes it take its time."""
        holder = _Holder(fault_id, _request(call).get("ClientRequestToken"))
        self._holders |= dict.fromkeys(items_of(call, self.key_names), holder)

    def release(self, call: Call) -> None:
        """Let go of a transaction's items."""
        for item in items_of(call, self.key_names):
            self._holders.pop(item, None)

    def refusal(self, call: Call) -> tuple[str, Fault] | None:
        """Say how a call is refused that meets a held item, and by which fault's transaction."""
        if not self or call.operation not in (*_PLAIN_WRITES, *_TRANSACTIONS):
            return None
        holders = [self._holders.get(item) for item in items_of(call, self.key_names)]
        if (holder := next((one for one in holders if one), None)) is None:
            return None
        if call.operation in _PLAIN_WRITES:
            return holder.fault_id, _refused("TransactionConflictException", _ONGOING)
        if holder.token and holder.token == _request(call).get("ClientRequestToken"):
            return holder.fault_id, _refused("TransactionInProgressException", "Transaction is in progress")
        return holder.fault_id, _cancelled([one is not None for one in holders])


def _cancelled(held: list[bool]) -> Fault:
    codes = ["TransactionConflict" if one else "None" for one in held]
    reasons: list[Any] = [
        {"Code": code} | ({"Message": _ONGOING} if code != "None" else {}) for code in codes
    ]
    message = "Transaction cancelled, please refer cancellation reasons for specific reasons"
    text = f"{message} [{', '.join(codes)}]"
    return _refused("TransactionCanceledException", text, CancellationReasons=reasons)


def _refused(code: str, message: str, **extra: Any) -> Fault:  # noqa: ANN401 - any JSON value
    return Fault(service="dynamodb", code=code, message=message, status=_BAD_REQUEST, extra=extra)
