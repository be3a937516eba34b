"""A backfill process that is killed, by the operating system and without warning, on the local AWS."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from migration.aws.bulk.history_bulk import folded_in_bulk
from migration.aws.transport.clock import SystemClock
from migration.aws.transport.raw_dynamodb import beside
from migration.backfill.attention import Attention
from migration.backfill.one_machine import on_one_machine
from migration.backfill.pacer import Pacer
from migration.backfill.pacing import PaceLimits, WritePace
from migration.model.backfill import BackfillPhase, Wish
from migration.model.facts import Lane, StoredFact
from migration.model.fold import fold_all
from migration.model.side import Side
from tests.backfill_aws import InDynamoDB, in_dynamodb
from tests.backfill_world import activity
from tests.contract.emulator_aws import eventually
from tests.doubles.backfill import MemoryLiveLane

if TYPE_CHECKING:
    from migration.backfill.backfill import Backfill
    from migration.local.emulator import Emulator

EVENTS = [activity(number, f"e-{number % 7}", f"p-{number % 3}", number % 9 + 1) for number in range(150)]
ROOT = Path(__file__).parents[2]
CHILD = """
    import sys
    import boto3
    from migration.aws.transport.raw_dynamodb import beside
    from tests.backfill_aws import ports_of
    from tests.contract.test_backfill_killed import WISH, backfill

    endpoint, prefix = sys.argv[1:]
    client = boto3.client("dynamodb", endpoint_url=endpoint, region_name="us-east-1")
    backfill(ports_of(client, beside(client, 4), prefix)).start(WISH)
"""
WISH = Wish(segments=2, max_wcu=400)


def backfill(account: InDynamoDB) -> Backfill:
    clock = SystemClock()
    pacer = Pacer(clock, MemoryLiveLane(), WritePace(400, 400, ""), PaceLimits(latency_ms=60_000))
    attention = Attention(str(os.getpid()), clock, pacer, account.checkpoints)
    return on_one_machine(
        account.events, account.facts, account.bases, account.checkpoints, folded_in_bulk, attention
    )


@pytest.mark.slow
@pytest.mark.parametrize("table", ["facts", "employee_progress"])
def test_a_killed_backfill_is_gone_on_with_and_ends_exact(emulator: Emulator, table: str) -> None:
    """Killed while it copies, and while it installs."""
    client = boto3.client("dynamodb", **emulator.client_arguments)
    account = in_dynamodb(client, beside(client, 4))
    for one in EVENTS:
        account.legacy.apply(StoredFact(one, Lane.LIVE, Side.PIPELINE, one.occurred_at))
    watched = account.facts.table if table == "facts" else account.bases.employee_progress
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(CHILD), emulator.endpoint, account.prefix], cwd=ROOT
    )
    eventually(lambda: client.scan(TableName=watched, Select="COUNT")["Count"] > 2)
    child.send_signal(signal.SIGKILL)
    child.wait()
    stopped = account.checkpoints.job()
    assert stopped is not None
    assert stopped.phase is not BackfillPhase.INSTALLED
    job = backfill(account).start(WISH)
    assert (job.run, job.phase) == (1, BackfillPhase.INSTALLED)
    assert set(account.facts.history()) == set(EVENTS)
    assert dict(account.bases.bases()) == account.totals() == fold_all(EVENTS)
