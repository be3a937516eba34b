"""DynamoDB in memory with a meter, answered inside boto3: the code under test keeps its own client and calls.

Chosen over moto because moto copies every table for each transaction; held to moto at a small size by
tests/unit/test_benchmarks_dynamodb.py. It answers what legacy and the pipeline ask, and refuses to guess: an
operation or parameter that it does not know is an error.
"""

from __future__ import annotations

import base64
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from benchmarks.capacity import TRANSACTION_FACTOR, index_write_units, item_size, read_units, write_units
from benchmarks.expressions import Scope, holds, updated
from benchmarks.meter import Meter
from benchmarks.tables import SCHEMAS, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from benchmarks.expressions import Item

    Request = dict[str, Any]

MAX_ACTIONS: Final = 100
PAGE_BYTES: Final = 1_048_576
_ANSWERED: Final = SimpleNamespace(status_code=200)
_REFUSED: Final = SimpleNamespace(status_code=400)


class RefusedError(Exception):
    """DynamoDB's answer to a request that it does not carry out."""

    def __init__(self, code: str, **more: object) -> None:
        super().__init__(code)
        self.answer = {"Error": {"Code": code, "Message": code}, **more}


@dataclass(frozen=True, slots=True)
class _Write:
    """One write that was thought through: the images before and after, and whether its condition holds."""

    name: str
    before: Item | None
    after: Item
    allowed: bool


@dataclass(slots=True)
class MeteredDynamoDB:
    """The tables of both sides behind DynamoDB's operations. Safe to share between threads."""

    tables: dict[str, Table] = field(
        default_factory=lambda: {name: Table(schema) for name, schema in SCHEMAS.items()}
    )
    meter: Meter = field(default_factory=Meter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def answering(self, client: DynamoDBClient) -> Iterator[DynamoDBClient]:
        """Answer all calls of a client instead of AWS."""
        hook: Any = self._answer  # what it returns is the answer, which the SDK's stubs do not know
        client.meta.events.register("before-call.dynamodb", hook)
        try:
            yield client
        finally:
            client.meta.events.unregister("before-call.dynamodb", hook)

    def new_meter(self) -> Meter:
        """Start counting from zero."""
        self.meter = Meter()
        return self.meter

    def _answer(self, model: Any, params: Request, **_: object) -> tuple[SimpleNamespace, Request]:  # noqa: ANN401 - botocore's
        request = json.loads(params["body"])
        with self._lock:
            self.meter.calls[model.name] += 1
            try:
                answer = _OPERATIONS[model.name](self, request)
            except RefusedError as error:
                return _REFUSED, {**error.answer, "ResponseMetadata": {"HTTPStatusCode": 400}}
        _expect_nothing_left(request)
        return _ANSWERED, {**answer, "ResponseMetadata": {"HTTPStatusCode": 200}}

    def put_item(self, request: Request) -> Request:
        """Put one item, if its condition holds."""
        return self._write_one(request, self._planned_put(request))

    def update_item(self, request: Request) -> Request:
        """Update one item, if its condition holds."""
        return self._write_one(request, self._planned_update(request))

    def transact_write_items(self, request: Request) -> Request:
        """Write all items, or none if a condition fails; what is cancelled is charged as what is not."""
        actions = request.pop("TransactItems")
        request.pop("ClientRequestToken")  # the SDK's own; every call here is its first attempt
        writes = [self._planned(action) for action in actions]
        targets = {(write.name, self.tables[write.name].schema.key_of(write.after)) for write in writes}
        if not 1 <= len(actions) <= MAX_ACTIONS or len(targets) != len(actions):
            raise RefusedError("ValidationException")
        committed = all(write.allowed for write in writes)
        for write in writes:
            self._charge(write, TRANSACTION_FACTOR, applied=committed)
        if not committed:
            codes = ["None" if write.allowed else "ConditionalCheckFailed" for write in writes]
            raise RefusedError(
                "TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes]
            )
        self._apply(writes)
        return {}

    def get_item(self, request: Request) -> Request:
        """Read one item by key."""
        name, key = request.pop("TableName"), request.pop("Key")
        item = self.tables[name].items.get(self.tables[name].schema.key_of(key))
        consistent = request.pop("ConsistentRead", False)
        self.meter.read(name, read_units(item_size(item) if item else 0, consistent=consistent), 1)
        return {"Item": _parsed(item)} if item else {}

    def query(self, request: Request) -> Request:
        """Read the first entries of an index partition, highest sort key first, one page."""
        name, index = request.pop("TableName"), request.pop("IndexName")
        if request.pop("ScanIndexForward") or request.pop("KeyConditionExpression") != "board = :b":
            raise NotImplementedError(request)
        partition = request.pop("ExpressionAttributeValues")[":b"]["S"]
        limit = request.pop("Limit")
        ranked = self.tables[name].ranked(partition)
        page = ranked[:limit]
        self.meter.read(f"{name}/{index}", read_units(_bytes(page), consistent=False), len(page))
        return {"Items": [dict(entry) for entry in page]}

    def scan(self, request: Request) -> Request:
        """Read a table by pages of 1 MB."""
        table, start = self.tables[request["TableName"]], request.pop("ExclusiveStartKey", None)
        page: list[Item] = []
        size = 0
        for key in (keys := table.after(table.schema.key_of(start) if start else None)):
            page.append(table.items[key])
            size += item_size(page[-1])
            if size >= PAGE_BYTES:
                break
        consistent = request.pop("ConsistentRead", False)
        self.meter.read(request.pop("TableName"), read_units(size, consistent=consistent), len(page))
        more = {} if len(page) == len(keys) else {name: page[-1][name] for name in table.schema.keys}
        items = [dict(item) for item in page]
        return {"Items": items, "LastEvaluatedKey": more} if more else {"Items": items}

    def _write_one(self, request: Request, write: _Write) -> Request:
        self._charge(write, 1, applied=write.allowed)
        if not write.allowed:
            wanted = request.pop("ReturnValuesOnConditionCheckFailure", "NONE") == "ALL_OLD"
            raise RefusedError(
                "ConditionalCheckFailedException", **({"Item": write.before} if wanted else {})
            )
        request.pop("ReturnValuesOnConditionCheckFailure", None)
        self._apply([write])
        return {}

    def _planned(self, action: Request) -> _Write:
        [(kind, request)] = action.items()
        if kind not in {"Put", "Update"}:
            raise NotImplementedError(kind)
        write = self._planned_put(request) if kind == "Put" else self._planned_update(request)
        _expect_nothing_left(request)
        return write

    def _planned_put(self, request: Request) -> _Write:
        after = request.pop("Item")
        return self._plan(request, after, None)

    def _planned_update(self, request: Request) -> _Write:
        return self._plan(request, request.pop("Key"), request.pop("UpdateExpression"))

    def _plan(self, request: Request, target: Item, update: str | None) -> _Write:
        name = request.pop("TableName")
        table = self.tables[name]
        before = table.items.get(table.schema.key_of(target))
        names = request.pop("ExpressionAttributeNames", {})
        values = request.pop("ExpressionAttributeValues", {})
        condition = request.pop("ConditionExpression", None)
        allowed = condition is None or holds(condition, Scope(before or {}, names, values))
        after = updated(update, Scope(before or target, names, values)) if update else target
        return _Write(name, before, after, allowed)

    def _charge(self, write: _Write, factor: int, *, applied: bool) -> None:
        self.meter.writes[write.name] += factor * write_units(write.before, write.after)
        table = self.tables[write.name]
        if applied and table.schema.index:
            index = table.schema.index
            units = index_write_units(
                table.schema.entry(write.before), table.schema.entry(write.after), index.keys
            )
            self.meter.writes[f"{write.name}/{index.name}"] += units

    def _apply(self, writes: list[_Write]) -> None:
        for write in writes:
            self.tables[write.name].put(write.after)


def _expect_nothing_left(request: Request) -> None:
    if request:
        raise NotImplementedError(f"parameters {', '.join(request)}")


def _parsed(item: Item) -> dict[str, Any]:
    """Give an item as the SDK does, which decodes binary values."""
    return {
        name: {kind: base64.b64decode(value) if kind == "B" else value for kind, value in attribute.items()}
        for name, attribute in item.items()
    }


def _bytes(items: list[Item]) -> int:
    return sum(item_size(item) for item in items)


_OPERATIONS: Final = {
    "PutItem": MeteredDynamoDB.put_item,
    "UpdateItem": MeteredDynamoDB.update_item,
    "TransactWriteItems": MeteredDynamoDB.transact_write_items,
    "GetItem": MeteredDynamoDB.get_item,
    "Query": MeteredDynamoDB.query,
    "Scan": MeteredDynamoDB.scan,
}
