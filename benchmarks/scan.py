"""Reading facts: items per CPU second of one reader, boto3's paginators against the fast scan.

Every side reads the same pages over HTTP from a process of their own (`canned_scan`); only the reader's CPU
time counts.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import boto3

from benchmarks.canned_scan import PAGE_ITEMS, canned_scan
from benchmarks.report import Report
from benchmarks.timing import cpu_us, interleave
from migration.aws.tables.both_sides import fact_lines
from migration.aws.tables.scanned_items import FactItem
from migration.aws.transport.clock import SystemClock
from migration.aws.transport.raw_dynamodb import RawDynamoDB, beside
from migration.aws.transport.scan import ReadPace, Scan, batches

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient

    from benchmarks.settings import Settings
    from benchmarks.timing import Timing

    Read = Callable[[DynamoDBClient, RawDynamoDB, int], int]

BOTO3_PAGES: Final = 2  # a round; the others read so many more that they take as long
FAST_PAGES: Final = 20


def run(settings: Settings) -> list[Report]:
    """Time every reader."""
    with canned_scan(settings.seed) as url:
        client = boto3.client("dynamodb", endpoint_url=url)
        raw = beside(client, 4, SystemClock())
        return [_report(_time(client, raw, settings.rounds))]


def read_with_paginator(client: DynamoDBClient, _raw: RawDynamoDB, pages: int) -> int:
    """Read as most code does: DynamoDB's own JSON, parsed by botocore."""
    found = client.get_paginator("scan").paginate(TableName=f"facts-{pages}")
    return sum(len(page["Items"]) for page in found)


def read_fast(_client: DynamoDBClient, raw: RawDynamoDB, pages: int) -> int:
    """Read whole facts."""
    scan = Scan(f"facts-{pages}", FactItem, 1)
    return sum(len(batch.items) for batch in batches(raw, scan, ReadPace(None, SystemClock())))


def read_to_lines(_client: DynamoDBClient, raw: RawDynamoDB, pages: int) -> int:
    """Read whole facts and write them as the lines that `cutover verify` hands to DuckDB."""
    scan = Scan(f"facts-{pages}", FactItem, 1)
    return sum(len(fact_lines(batch.items)) for batch in batches(raw, scan, ReadPace(None, SystemClock())))


READING: Final[dict[str, tuple[Read, int]]] = {
    "boto3 client's paginator": (read_with_paginator, BOTO3_PAGES),
    "fast scan": (read_fast, FAST_PAGES),
    "fast scan, to lines for DuckDB": (read_to_lines, FAST_PAGES),
}


def _time(client: DynamoDBClient, raw: RawDynamoDB, rounds: int) -> dict[str, Timing]:
    measured = {
        name: cpu_us(partial(read, client, raw, pages), pages * PAGE_ITEMS)
        for name, (read, pages) in READING.items()
    }
    return interleave(measured, rounds)


def _report(timings: dict[str, Timing]) -> Report:
    return Report(
        "scan",
        "Reading facts: items per CPU second",
        ("side", "items_per_s", "low", "high", "times_boto3"),
        tuple(_row(side, timing) for side, timing in timings.items()),
        (
            f"Pages of {PAGE_ITEMS:,} facts, 1 MB as DynamoDB counts. Median, lowest and highest round.",
            "One reader, its CPU time only; the server is another process.",
        ),
    )


def _row(name: str, timing: Timing) -> tuple[str, int, int, int, float]:
    middle, low, high = (round(1e6 / value) for value in (timing.median, timing.high, timing.low))
    return name, middle, low, high, 1 / timing.ratio
