"""A DynamoDB in a process of its own, for millions of items: honest, and never the bottleneck.

    python -m benchmarks.stand_in COUNT SEED      prints its port, serves until its input ends

It holds COUNT legacy events. What it answers is held to moto at a small size by
tests/unit/test_benchmarks_dynamodb.py; an operation or expression that it does not know is an error.
`Metered` is no operation of DynamoDB: it tells what the others cost.
"""

from __future__ import annotations

import re
import sys
import time
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
import urllib3

from benchmarks.apart import peak_mb
from benchmarks.capacity import TRANSACTION_FACTOR, index_write_units, read_units, write_units
from benchmarks.expressions import Scope, holds, updated
from benchmarks.tables import SCHEMAS, Table, decode_item, encode
from benchmarks.wire import Reply, in_its_own_process, serve
from benchmarks.workload import each_activity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager

    from benchmarks.expressions import Item
    from benchmarks.tables import Key, Schema

    Request = dict[str, Any]

MAX_ACTIONS: Final = 100
PAGE_BYTES: Final = 1_048_576
_ERRORS: Final = "com.amazonaws.dynamodb.v20120810#"
_CONDITION_FAILED: Final = "ConditionalCheckFailedException"
_KEYS_OF_A_QUERY: Final = re.compile(r"(\w+) = (:\w+)(?: AND begins_with\((#?\w+), (:\w+)\))?")


@dataclass(frozen=True, slots=True)
class _Write:
    """One write that was thought through: the images before and after, and whether its condition holds."""

    name: str
    before: Item | None
    after: Item
    allowed: bool


class StandIn:
    """The tables of both sides and of the migration."""

    def __init__(self, legacy_events: Iterable[Item] = ()) -> None:
        self.tables = {name: Table(schema) for name, schema in SCHEMAS.items()}
        self.calls: Counter[str] = Counter()
        self.writes: Counter[str] = Counter()  # request units by table, an index's under `table/index`
        for item in legacy_events:
            self.tables["legacy_events"].put(item)

    def answer(self, operation: str, body: bytes) -> Reply:
        """Answer one request."""
        self.calls[operation] += 1
        return _OPERATIONS[operation](self, msgspec.json.decode(body))

    def write_item(self, request: Request) -> Reply:
        """Put or update one item, if its condition holds."""
        write = self._planned(request)
        units = self._charge(write, 1, applied=write.allowed)
        if not write.allowed:
            wanted = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
            return _refused(_CONDITION_FAILED, **({"Item": write.before} if wanted and write.before else {}))
        self.tables[write.name].put(write.after)
        if request.get("ReturnConsumedCapacity") != "TOTAL":
            return _reply({})
        return _reply({"ConsumedCapacity": {"TableName": write.name, "CapacityUnits": units}})

    def transact_write_items(self, request: Request) -> Reply:
        """Write all items, or none if a condition fails; what is cancelled is charged as what is not."""
        writes = [self._planned(one) for action in request["TransactItems"] for one in action.values()]
        targets = {(write.name, self.tables[write.name].schema.key_of(write.after)) for write in writes}
        if not 1 <= len(writes) <= MAX_ACTIONS or len(targets) != len(writes):
            return _refused("ValidationException")
        committed = all(write.allowed for write in writes)
        for write in writes:
            self._charge(write, TRANSACTION_FACTOR, applied=committed)
        if not committed:
            codes = ["None" if write.allowed else "ConditionalCheckFailed" for write in writes]
            return _refused(
                "TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes]
            )
        for write in writes:
            self.tables[write.name].put(write.after)
        return _reply({})

    def get_item(self, request: Request) -> Reply:
        """Read one item by key."""
        table = self.tables[request["TableName"]]
        item = table.get(table.schema.key_of(request["Key"]))
        return _reply({"Item": item} if item else {})

    def query(self, request: Request) -> Reply:
        """Read the items of one partition, all in one page; for small tables."""
        table, values = self.tables[request["TableName"]], request["ExpressionAttributeValues"]
        found = _KEYS_OF_A_QUERY.fullmatch(request["KeyConditionExpression"])
        if found is None:
            raise NotImplementedError(request["KeyConditionExpression"])
        partition = values[found[2]]["S"]
        prefix = values[found[4]]["S"] if found[4] else ""
        keys = sorted(key for key in table.items if key[0] == partition and key[-1].startswith(prefix))
        return _reply({"Items": [msgspec.Raw(table.items[key].content) for key in keys]})

    def scan(self, request: Request) -> Reply:
        """Read a page of a segment."""
        name = request["TableName"]
        table = self.tables[name]
        keys = table.segment(request.get("Segment", 0), request.get("TotalSegments", 1))
        start = request.get("ExclusiveStartKey")
        begin = bisect_right(keys, table.schema.key_of(start)) if start else 0
        page, size = _page(table, keys, begin, request.get("Limit", len(keys)))
        units = read_units(size, consistent=request.get("ConsistentRead", False))
        done = begin + len(page) == len(keys)
        last = {} if done else _key_item(table.schema, keys[begin + len(page) - 1])
        return _reply(
            {
                "Items": [msgspec.Raw(content) for content in _filtered(request, page)],
                **({"LastEvaluatedKey": last} if last else {}),
                "ConsumedCapacity": {"TableName": name, "CapacityUnits": units},
            }
        )

    def describe_table(self, request: Request) -> Reply:
        """Count a table's items."""
        items = self.tables[request["TableName"]].items
        return _reply({"Table": {"ItemCount": len(items), "TableSizeBytes": 200 * len(items)}})

    def metered(self, _request: Request) -> Reply:
        """Tell what was counted so far, and this process's own CPU time and peak memory."""
        own = {"cpu_s": time.process_time(), "peak_mb": peak_mb()}
        return _reply({"calls": self.calls, "writes": self.writes, **own})

    def _planned(self, request: Request) -> _Write:
        """Think a put or an update through; of any other write it lacks what it asks for."""
        name, target = request["TableName"], request.get("Item") or request["Key"]
        table = self.tables[name]
        before = table.get(table.schema.key_of(target))
        given = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
        condition = request.get("ConditionExpression")
        allowed = condition is None or holds(condition, Scope(before or {}, *given))
        if "Item" in request:
            return _Write(name, before, target, allowed)
        after = updated(request["UpdateExpression"], Scope(before or target, *given))
        return _Write(name, before, after, allowed)

    def _charge(self, write: _Write, factor: int, *, applied: bool) -> int:
        schema = self.tables[write.name].schema
        units = factor * write_units(write.before, write.after)
        self.writes[write.name] += units
        if applied and schema.index:
            entries = schema.entry(write.before), schema.entry(write.after)
            more = index_write_units(*entries, schema.index.keys)
            self.writes[f"{write.name}/{schema.index.name}"] += more
            units += more
        return units


def stand_in(count: int, seed: int) -> AbstractContextManager[str]:
    """Run one, and give its URL."""
    return in_its_own_process("benchmarks.stand_in", count, seed)


def ask(url: str, operation: str) -> dict[str, Any]:
    """Ask a stand-in for something without parameters."""
    target = {"X-Amz-Target": f"DynamoDB_20120810.{operation}"}
    answer: dict[str, Any] = urllib3.request("POST", url, headers=target, body=b"{}").json()
    return answer


def legacy_events(count: int, seed: int) -> Iterator[Item]:
    """Make generated activities as legacy's event table holds them."""
    for fields in each_activity(count, seed):
        item = {name: {"N" if name == "points" else "S": str(value)} for name, value in fields.items()}
        yield {**item, "received_at": item["occurred_at"]}


def _page(table: Table, keys: list[Key], begin: int, most: int) -> tuple[list[bytes], int]:
    page: list[bytes] = []
    size = 0
    for key in keys[begin : begin + most]:
        kept = table.items[key]
        page.append(kept.content)
        size += kept.size
        if size >= PAGE_BYTES:
            break
    return page, size


def _filtered(request: Request, page: list[bytes]) -> Iterable[bytes]:
    condition = request.get("FilterExpression")
    if condition is None:
        return page
    names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
    return (one for one in page if holds(condition, Scope(decode_item(one), names, values)))


def _key_item(schema: Schema, key: Key) -> Item:
    return {name: {"S": value} for name, value in zip(schema.keys, key, strict=True)}


def _reply(fields: dict[str, Any]) -> Reply:
    return Reply((encode(fields),))


def _refused(code: str, **more: object) -> Reply:
    return Reply((encode({"__type": f"{_ERRORS}{code}", "message": code, **more}),), status=400)


_OPERATIONS: Final = {
    "PutItem": StandIn.write_item,
    "UpdateItem": StandIn.write_item,
    "TransactWriteItems": StandIn.transact_write_items,
    "GetItem": StandIn.get_item,
    "Query": StandIn.query,
    "Scan": StandIn.scan,
    "DescribeTable": StandIn.describe_table,
    "Metered": StandIn.metered,
}


def main(count: int, seed: int) -> None:
    """Make the events, and serve."""
    serve(StandIn(legacy_events(count, seed)).answer)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
