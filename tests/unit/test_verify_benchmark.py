"""The benchmark of reading: every side reads every fact of the prepared pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest

from benchmarks import scan
from benchmarks.canned_scan import PAGE_ITEMS, canned_scan
from migration.aws.transport.clock import SystemClock
from migration.aws.transport.raw_dynamodb import beside

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with canned_scan(seed=1) as url:
        yield url


@pytest.mark.slow
def test_every_side_reads_the_same(url: str) -> None:
    client = boto3.client("dynamodb", endpoint_url=url)
    raw = beside(client, 2, SystemClock())
    counts = {read(client, raw, 2) for read in (scan.read_with_paginator, scan.read_fast)}
    assert counts == {2 * PAGE_ITEMS}
    assert scan.read_to_lines(client, raw, 1) > 100 * PAGE_ITEMS
