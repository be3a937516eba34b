"""A DynamoDB that answers Scan with prepared pages, in a process of its own: never what limits a reader.

    python -m benchmarks.canned_scan SEED      prints its port, serves until its input ends

A table `facts-N` has N full pages of 1 MB as DynamoDB counts, each 1.5 MB of JSON. Its number is its key.
"""

from __future__ import annotations

import json
import sys
import zlib
from functools import cache, partial
from typing import TYPE_CHECKING, Final

from benchmarks.wire import Reply, in_its_own_process, serve
from benchmarks.workload import activities

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

PAGE_ITEMS: Final = 5_688  # facts of 184 bytes in 1 MB


def canned_scan(seed: int) -> AbstractContextManager[str]:
    """Run it, and give its URL."""
    return in_its_own_process("benchmarks.canned_scan", seed)


def main(seed: int) -> None:
    """Prepare a page, and serve it."""
    items = json.dumps(_items(seed), separators=(",", ":")).encode()
    head = b'{"Count":%d,"ScannedCount":%d,"Items":' % (PAGE_ITEMS, PAGE_ITEMS) + items
    serve(partial(_answer, head, zlib.crc32(head)))


def _items(seed: int) -> list[dict[str, dict[str, str]]]:
    more = {"ingested_at": "2026-03-01T09:30:00.000Z", "lane": "live", "side": "pipeline"}
    return [
        {
            name: {"N": str(value)} if name == "points" else {"S": value}
            for name, value in {**fields, **more}.items()
        }
        for fields in activities(PAGE_ITEMS, seed)
    ]


def _answer(head: bytes, crc: int, _operation: str, body: bytes) -> Reply:
    request = json.loads(body)
    pages = int(request["TableName"].rpartition("-")[2])
    page = int(request.get("ExclusiveStartKey", {"event_id": {"S": "0"}})["event_id"]["S"]) + 1
    tail = _tail(page if page < pages else None)
    return Reply((head, tail), crc=zlib.crc32(tail, crc))


@cache
def _tail(page: int | None) -> bytes:
    """End a page; with the key that the next one begins after."""
    key = (
        ""
        if page is None
        else f',"LastEvaluatedKey":{{"employee_id":{{"S":"e"}},"event_id":{{"S":"{page}"}}}}'
    )
    return f'{key},"ConsumedCapacity":{{"TableName":"facts","CapacityUnits":256.0}}}}'.encode()


if __name__ == "__main__":
    main(int(sys.argv[1]))
