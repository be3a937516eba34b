"""A DynamoDB in a process of its own, for millions of items: honest, and never the bottleneck.

    python -m benchmarks.stand_in COUNT SEED      prints its port, serves until its input ends

It holds COUNT legacy events. A stored item is the JSON it came as, so a million take 0.6 GB, and a scan
copies bytes. Conditions and updates are evaluated as in `benchmarks.dynamodb`, and charged by the same
arithmetic; an operation or expression that it does not know is an error. `Metered` is no operation of
DynamoDB: it tells what the others cost.
"""

from __future__ import annotations

import re
import sys
import time
import zlib
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec
import urllib3

from benchmarks.apart import peak_mb
from benchmarks.capacity import index_write_units, item_size, read_units, write_units
from benchmarks.expressions import Scope, holds, updated
from benchmarks.meter import Meter
from benchmarks.tables import SCHEMAS
from benchmarks.wire import Reply, in_its_own_process, serve
from benchmarks.workload import each_activity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager

    from benchmarks.expressions import Item
    from benchmarks.tables import Key, Schema

    Request = dict[str, Any]

PAGE_BYTES: Final = 1_048_576
_ERRORS: Final = "com.amazonaws.dynamodb.v20120810#"
_CONDITION_FAILED: Final = "ConditionalCheckFailedException"
_KEYS_OF_A_QUERY: Final = re.compile(r"(\w+) = (:\w+)(?: AND begins_with\((#?\w+), (:\w+)\))?")
_decode_item: Final = msgspec.json.Decoder(dict[str, dict[str, Any]]).decode
_encode: Final = msgspec.json.Encoder().encode


class _Kept(msgspec.Struct, gc=False):
    """An item as it came, and its size as DynamoDB counts it."""

    content: bytes
    size: int


@dataclass(slots=True)
class _Table:
    schema: Schema
    items: dict[Key, _Kept] = field(default_factory=dict)
    _segments: dict[int, list[list[Key]]] = field(default_factory=dict)

    def get(self, key: Key) -> Item | None:
        """Read an item."""
        kept = self.items.get(key)
        return None if kept is None else _decode_item(kept.content)

    def put(self, item: Item) -> None:
        """Store an item in place of the one with the same key."""
        key = self.schema.key_of(item)
        if key not in self.items:
            self._segments.clear()
        self.items[key] = _Kept(_encode(item), item_size(item))

    def segment(self, number: int, of: int) -> list[Key]:
        """List the keys of a segment, which follows from the partition key."""
        if of not in self._segments:
            self._segments[of] = [[] for _ in range(of)]
            for key in sorted(self.items):
                self._segments[of][zlib.crc32(key[0].encode()) % of].append(key)
        return self._segments[of][number]


class StandIn:
    """The tables of both sides and of the migration."""

    def __init__(self, legacy_events: Iterable[Item] = ()) -> None:
        self.tables = {name: _Table(schema) for name, schema in SCHEMAS.items()}
        self.meter = Meter()
        for item in legacy_events:
            self.tables["legacy_events"].put(item)

    def answer(self, operation: str, body: bytes) -> Reply:
        """Answer one request."""
        self.meter.calls[operation] += 1
        return _OPERATIONS[operation](self, msgspec.json.decode(body))

    def put_item(self, request: Request) -> Reply:
        """Put one item, if its condition holds."""
        item = request.pop("Item")
        return self._write(request, item, None)

    def update_item(self, request: Request) -> Reply:
        """Update one item, if its condition holds."""
        return self._write(request, request.pop("Key"), request.pop("UpdateExpression"))

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
        self.meter.read(name, units, len(page))
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
        meter = self.meter
        counted = {"calls": meter.calls, "writes": meter.writes, "reads": meter.reads}
        return _reply({**counted, "cpu_s": time.process_time(), "peak_mb": peak_mb()})

    def _write(self, request: Request, target: Item, update: str | None) -> Reply:
        table = self.tables[request["TableName"]]
        before = table.get(table.schema.key_of(target))
        names = request.get("ExpressionAttributeNames", {})
        values = request.get("ExpressionAttributeValues", {})
        condition = request.get("ConditionExpression")
        if condition and not holds(condition, Scope(before or {}, names, values)):
            self.meter.writes[request["TableName"]] += write_units(before, None)
            wanted = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
            return _refused(_CONDITION_FAILED, **({"Item": before} if wanted and before else {}))
        after = updated(update, Scope(before or target, names, values)) if update else target
        table.put(after)
        units = self._charge(request["TableName"], before, after)
        if request.get("ReturnConsumedCapacity") != "TOTAL":
            return _reply({})
        return _reply({"ConsumedCapacity": {"TableName": request["TableName"], "CapacityUnits": units}})

    def _charge(self, name: str, before: Item | None, after: Item) -> int:
        schema = self.tables[name].schema
        units = write_units(before, after)
        self.meter.writes[name] += units
        if schema.index:
            more = index_write_units(schema.entry(before), schema.entry(after), schema.index.keys)
            self.meter.writes[f"{name}/{schema.index.name}"] += more
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


def _page(table: _Table, keys: list[Key], begin: int, most: int) -> tuple[list[bytes], int]:
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
    return (one for one in page if holds(condition, Scope(_decode_item(one), names, values)))


def _key_item(schema: Schema, key: Key) -> Item:
    return {name: {"S": value} for name, value in zip(schema.keys, key, strict=True)}


def _reply(fields: dict[str, Any]) -> Reply:
    return Reply((_encode(fields),))


def _refused(code: str, **more: object) -> Reply:
    return Reply((_encode({"__type": f"{_ERRORS}{code}", "message": code, **more}),), status=400)


_OPERATIONS: Final = {
    "PutItem": StandIn.put_item,
    "UpdateItem": StandIn.update_item,
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
