"""The fast scan and a verification on the local AWS: real HTTP, real tables, real queues."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from migration.aws.bulk.side_store import DuckDBStore
from migration.aws.transport.clients import connect
from migration.aws.transport.clock import SystemClock
from migration.aws.transport.raw_dynamodb import beside
from migration.aws.transport.scan import ReadPace, Scan, batches
from migration.compare.verify.verify import Verification
from migration.model.cause import Cause
from tests.doubles.clock import MemoryClock
from tests.verify_world import System, activities, real_world

if TYPE_CHECKING:
    from pathlib import Path

    from migration.aws.transport.clients import Clients
    from migration.compare.verify.verification import VerifyReport
    from migration.local.emulator import Emulator
    from tests.verify_world import TableWorld

pytestmark = pytest.mark.slow
numbers = itertools.count(1)


@pytest.fixture
def clients(emulator: Emulator) -> Clients:
    return connect("us-east-1", emulator.endpoint)


@pytest.fixture
def world(clients: Clients) -> TableWorld:
    raw = beside(clients.dynamodb, 20, SystemClock())
    return real_world(clients.dynamodb, raw, SystemClock(), f"verify{next(numbers)}", clients.sqs)


def verify(world: TableWorld, folder: Path) -> VerifyReport:
    store = DuckDBStore(folder)
    try:
        return Verification(world.source(), store, MemoryClock()).run()
    finally:
        store.close(keep=False)


def test_the_fast_scan_reads_what_boto3_reads(clients: Clients, world: TableWorld) -> None:
    system = System(world)
    for one in activities(60):
        system.store(one)
    table = f"{world.prefix}-facts"
    pages = clients.dynamodb.get_paginator("scan").paginate(TableName=table)
    expected: list[Any] = [item for page in pages for item in page["Items"]]
    clock = SystemClock()
    scan = Scan(table, dict, segments=3, page_items=7)
    found = batches(beside(clients.dynamodb, 4, clock), scan, ReadPace(None, clock))
    ours = [item for batch in found for item in batch.items]
    assert sorted(ours, key=str) == sorted(expected, key=str)
    assert len(ours) == 60


def test_a_fault_on_the_local_aws_is_named(world: TableWorld, tmp_path: Path) -> None:
    system = System(world)
    for one in activities():
        system.accept(one)
    assert not verify(world, tmp_path).differences
    lost = activities()[7]
    system.fold(lost, times=-1)
    report = verify(world, tmp_path)
    assert [(one.kind, one.employee_id, one.event_id) for one in report.differences] == [
        (Cause.LOST, lost.employee_id, lost.event_id)
    ]
