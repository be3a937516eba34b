"""The fast scan: a table in parallel segments, decoded page by page into typed structs.

    segment 0  ─ page ─ page ─ … ─┐
    segment 1  ─ page ─ page ─ … ─┼──► batches, each with the position after it
    segment n  ─ page ─ … ────────┘

A batch's position is where its segment goes on: who stores it together with the batch can stop at any moment
and resume without reading anything twice. It reads, and decides nothing about what it reads.
"""

from __future__ import annotations

import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

import msgspec

from migration.aws.transport.clients import translated
from migration.aws.transport.pages import PageDecoder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from migration.aws.transport.raw_dynamodb import RawDynamoDB
    from migration.model.clock import Clock

T = TypeVar("T")
MOST_CONNECTIONS: Final = 16
_END: Final = object()
_LOOK_UP_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Scan(Generic[T]):
    """What to read.

    Attributes:
        table: its name.
        item: what an item is decoded into; attributes that it does not have are skipped.
        segments: how many parts are read side by side.
        consistent: whether every item is as it is now; costs twice the capacity.
        attributes: top-level attributes that are sent over the network; all when empty. Costs the same.
        condition, names, values: a filter in DynamoDB's syntax; what it drops is paid for all the same.
        page_items: items a page at most; 1 MB of them when None.
    """

    table: str
    item: type[T]
    segments: int = 4
    consistent: bool = True
    attributes: tuple[str, ...] = ()
    condition: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    page_items: int | None = None

    def request(self, segment: int, after: bytes | None) -> dict[str, Any]:
        """Write the request for the page after a position; None is the segment's start."""
        names = {f"#a{number}": name for number, name in enumerate(self.attributes)}
        return {
            "TableName": self.table,
            "Segment": segment,
            "TotalSegments": self.segments,
            "ConsistentRead": self.consistent,
            "ReturnConsumedCapacity": "TOTAL",
            **({"ProjectionExpression": ",".join(names)} if names else {}),
            **({"FilterExpression": self.condition} if self.condition else {}),
            **({"ExpressionAttributeNames": names | dict(self.names)} if names or self.names else {}),
            **({"ExpressionAttributeValues": dict(self.values)} if self.values else {}),
            **({"Limit": self.page_items} if self.page_items else {}),
            **({"ExclusiveStartKey": msgspec.json.decode(after)} if after else {}),
        }


@dataclass(frozen=True, slots=True)
class Batch(Generic[T]):
    """A page of a segment, and the key that the segment goes on after; None when it is at its end."""

    items: list[T]
    segment: int
    position: bytes | None


@dataclass(slots=True)
class ReadPace:
    """Holds all readers together to so many read units a second; None lets them run."""

    units_per_s: float | None
    clock: Clock
    _free_at: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def spend(self, units: float) -> None:
        """Wait until these units, which are spent already, are within the rate."""
        if self.units_per_s is None:
            return
        with self._lock:
            now = self.clock.elapsed()
            self._free_at = max(self._free_at, now) + units / self.units_per_s
            wait = self._free_at - now
        self.clock.sleep(wait)


def batches(
    source: RawDynamoDB,
    scan: Scan[T],
    pace: ReadPace,
    positions: Mapping[int, bytes | None] | None = None,
) -> Iterator[Batch[T]]:
    """Read a table, page by page, in no particular order.

    Args:
        source: DynamoDB.
        scan: what to read.
        pace: shared by all scans that must stay within one rate together.
        positions: for each segment that was begun, where it goes on; None for one that is done.

    Raises:
        RemoteError: when DynamoDB fails or refuses.
        IntegrityError: when an item is not what it must be; it is named.
    """
    positions = positions or {}
    left = [segment for segment in range(scan.segments) if positions.get(segment, b"") is not None]
    if not left:
        return
    readers = min(len(left), MOST_CONNECTIONS)
    reading = _Reading(source, scan, pace, queue.Queue(maxsize=2 * readers))
    with ThreadPoolExecutor(readers, thread_name_prefix="scan") as pool:
        for segment in left:
            pool.submit(reading.segment, segment, positions.get(segment))
        try:
            yield from reading.results(len(left))
        finally:
            reading.stop()


class _Reading(Generic[T]):
    """One scan in progress: its readers put batches, or what went wrong, into one bounded queue."""

    def __init__(
        self, source: RawDynamoDB, scan: Scan[T], pace: ReadPace, results: queue.Queue[object]
    ) -> None:
        self._source = source
        self._scan = scan
        self._pace = pace
        self._results = results
        self._decoder = PageDecoder(scan.table, scan.item)
        self._stopped = threading.Event()

    def segment(self, segment: int, after: bytes | None) -> None:
        """Read one segment to its end."""
        try:
            with translated(f"reading {self._scan.table}"):
                for batch in self._pages(segment, after):
                    self._put(batch)
            self._put(_END)
        except BaseException as error:  # noqa: BLE001 - it is raised where the batches are taken
            self._put(error)

    def results(self, segments: int) -> Iterator[Batch[T]]:
        """Hand out what the readers put, until all segments are done."""
        while segments:
            result = self._results.get()
            if result is _END:
                segments -= 1
            elif isinstance(result, BaseException):
                raise result
            else:
                yield cast("Batch[T]", result)

    def stop(self) -> None:
        """Let no reader go on."""
        self._stopped.set()

    def _put(self, result: object) -> None:
        """Hand over, waiting for room; nobody takes anything any more once it is stopped."""
        while not self._stopped.is_set():
            with suppress(queue.Full):
                self._results.put(result, timeout=_LOOK_UP_S)
                return

    def _pages(self, segment: int, after: bytes | None) -> Iterator[Batch[T]]:
        while not self._stopped.is_set():
            content = self._source.call("Scan", self._scan.request(segment, after))
            page = self._decoder.decode(content)
            after = page.next_key
            yield Batch(page.Items, segment, after)
            if after is None:
                return
            if page.ConsumedCapacity is not None:
                self._pace.spend(page.ConsumedCapacity.CapacityUnits)
