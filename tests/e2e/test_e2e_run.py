"""The commands that move a migration, on the local AWS under load: killed for real, rolled back, and forward.

That a run converges from a kill at every half of every call is shown in memory
(tests/property/test_property_run.py). Here processes really die, and clients really measure.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from migration.aws.files.ledger_file import LedgerFile, load_ledger
from migration.aws.tables.control_plane_table import ControlPlaneTable
from migration.aws.transport.clock import SystemClock
from migration.aws.transport.http import HttpSender
from migration.cli.demo.traffic import traffic
from migration.cli.local.bringing_up import bring_up, shut_down
from migration.compare.ledger.check import check_sides
from migration.compare.ledger.settle import settle
from migration.load.activities import generate
from migration.load.load import Load
from migration.model.journal import Entry, EntryKind, control_of
from migration.model.legacy.layout import LegacyPlan
from migration.model.moments import epoch_of, moment_text
from migration.model.side import Side
from migration.model.stages import FULL_WEIGHT, Control, Stage
from migration.model.transitions import refusal
from migration.wiring.workspace import RunningStack, Workspace
from tests.deployed_stack import PATIENCE_S, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.load.report import LoadReport

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
PATIENCE = timedelta(seconds=PATIENCE_S)
WRITES = 10  # what a process writes before it dies: enough for one step, proofs among it
NUMBERS = count()
CACHE_S = 2.0  # the promise: so long after the write no door routes as before
PLAN = """
[cutover]
steps = [100]
bake_s = 0
shadow_s = 0
drill_percent = 50

[guardrails]
alpha = 0.05
error_bad = 0.5
latency_bad = 0.6
door_seen_s = 4
rank_biased = 0
off = ["latency"] # the machine that runs this is not asked to be quick
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    made = Workspace(ROOT, tmp_path_factory.mktemp("run"))
    bring_up(made, "expand", port=0)
    (made.home / "cutover.toml").write_text(PLAN)
    yield made
    shut_down(made)


@pytest.fixture(scope="module")
def stack(workspace: Workspace) -> RunningStack:
    return workspace.stack()


@pytest.fixture(scope="module")
def plane(stack: RunningStack) -> ControlPlaneTable:
    assert stack.outputs.migration is not None
    return ControlPlaneTable(stack.clients.dynamodb, stack.outputs.migration.control_table, "activities")


@contextmanager
def clients(workspace: Workspace, stack: RunningStack, seed: int) -> Iterator[list[LoadReport]]:
    """Clients at work, and what they were told in the ledger."""
    bodies = generate(20_000, seed, datetime.now(UTC).replace(microsecond=0), conflicts=False)
    sender = HttpSender(stack.outputs.entry.ingest_url, 4, timedelta(seconds=30))
    with LedgerFile(workspace.ledger, run=f"run{seed}") as file:
        load = Load(Side.LEGACY, sender, file, SystemClock(), 4)
        with traffic(load, bodies, 8.0) as reports:
            yield reports


def command(workspace: Workspace, *arguments: str, writes: int = 0) -> subprocess.CompletedProcess[str]:
    """Give a command; with `writes`, its process is killed after so many writes."""
    start = ["tests.killed_run", str(writes)] if writes else ["migration.cli.main"]
    plan = ["--plan", str(workspace.home / "cutover.toml")]
    return subprocess.run(
        [sys.executable, "-m", *start, *arguments, *plan],
        cwd=ROOT,
        env={**os.environ, "CUTOVER_HOME": str(workspace.home), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def exact(workspace: Workspace, stack: RunningStack) -> None:
    """Hold the pipeline's tables to everything that was ever acknowledged, once nothing is on its way."""
    assert stack.pipeline_tables is not None
    assert settle(stack.pipeline_tables, SystemClock(), PATIENCE).settled
    verdicts = check_sides(load_ledger(workspace.ledger), stack.tables(LegacyPlan()), Stage.SHADOW)
    assert verdicts[Side.PIPELINE].clean, verdicts[Side.PIPELINE].findings


def done(plane: ControlPlaneTable) -> list[Entry]:
    return [one for one in plane.journal() if one.kind is EntryKind.DONE]


def test_a_run_that_is_killed_again_and_again_under_load_ends_where_it_should(
    workspace: Workspace, stack: RunningStack, plane: ControlPlaneTable
) -> None:
    killed = 0
    with clients(workspace, stack, 1) as reports:
        while (result := command(workspace, "run", "--yes", writes=WRITES)).returncode != 0:
            assert result.returncode == -signal.SIGKILL, result.stderr
            killed += 1
            assert killed < 60, result.stderr
    assert killed > 2
    assert plane.state().stage is Stage.RAMPDOWN
    moves = [(control_of(one.detail["was"]), control_of(one.detail["to"])) for one in done(plane)]
    assert [to.epoch for _, to in moves] == list(range(1, len(moves) + 1))
    assert all(refusal(was, to) is None for was, to in moves)
    assert sum(report.unknown for report in reports) == 0
    exact(workspace, stack)


@pytest.mark.parametrize(
    "control",
    [
        Control(Stage.LIVE, FULL_WEIGHT // 4, FULL_WEIGHT),
        Control(Stage.LIVE, FULL_WEIGHT, FULL_WEIGHT),
        Control(Stage.RAMPDOWN),
    ],
    ids=["live 25 %", "live 100 %", "rampdown"],
)
def test_a_rollback_under_load_is_over_at_the_client_within_the_doors_cache(
    workspace: Workspace, stack: RunningStack, plane: ControlPlaneTable, control: Control
) -> None:
    with clients(workspace, stack, 10 + plane.state().epoch) as reports:
        be_in(plane, control)
        wait_until(lambda: accepted_by_the_pipeline(stack) > plane.state().since)
        result = command(workspace, "rollback", "measured", "--yes")
        assert result.returncode == 0, result.stderr
        state = plane.state()
        assert state.stage is Stage.SHADOW
        assert state.paused
        # Clients go on for longer than any door may still route as before.
        over = epoch_of(state.since) + 2 * CACHE_S
        wait_until(lambda: time.time() > over)
    last = epoch_of(accepted_by_the_pipeline(stack))
    assert last - epoch_of(state.since) <= CACHE_S, "a door routed to the pipeline for longer"
    assert sum(report.unknown for report in reports) == 0
    exact(workspace, stack)
    assert command(workspace, "resume").returncode == 0


def be_in(plane: ControlPlaneTable, control: Control) -> None:
    """Be where a run would have led to."""
    was = plane.state()
    to = replace(was.moved(control.stage, control.write_weight, control.read_weight), paused="")
    name = f"{moment_text(time.time())}#{next(NUMBERS):04x}"
    entry = Entry(name, EntryKind.NOTED, "ana", to.epoch, "x", "x")
    assert plane.move(replace(to, entry=entry.id, since=entry.at), entry, None)


def accepted_by_the_pipeline(stack: RunningStack) -> str:
    """Tell when the newest activity came that the pipeline accepted itself."""
    assert stack.outputs.pipeline is not None
    pages = stack.clients.dynamodb.get_paginator("scan").paginate(
        TableName=stack.outputs.pipeline.facts_table,
        ConsistentRead=True,
        FilterExpression="side = :pipeline AND NOT begins_with(employee_id, :reserved)",
        ExpressionAttributeValues={":pipeline": {"S": "pipeline"}, ":reserved": {"S": "#"}},
    )
    return max((item["ingested_at"]["S"] for page in pages for item in page["Items"]), default="")
