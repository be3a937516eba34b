"""The deployed watchdog, alone: nobody's terminal is alive, and it rolls a poisoned migration back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import urllib3

from migration.aws.tables.control_plane_table import ControlPlaneTable
from migration.cli.local.bringing_up import bring_up, shut_down
from migration.local.emulator import Fault, Faults
from migration.model.journal import Entry, EntryKind
from migration.model.stages import FULL_WEIGHT, Control, Stage
from migration.wiring.workspace import RunningStack, Workspace
from tests.deployed_stack import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
TURN_S = 8 + 6  # what the handler keeps back, and time for looks
# Every commit of the aggregator fails, and nothing else does.
POISON = Fault(service="dynamodb", operation="TransactWriteItems", contains="cutover-local-dedup")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    workspace = Workspace(ROOT, tmp_path_factory.mktemp("watchdog"))
    running, _ = bring_up(workspace, "expand", port=0)
    assert running.outputs.pipeline is not None
    # What fails is delivered again after 2 s instead of 2 minutes, so that it is soon given up.
    running.clients.sqs.set_queue_attributes(
        QueueUrl=running.outputs.pipeline.queue_url, Attributes={"VisibilityTimeout": "2"}
    )
    running.clients.functions.update_function_configuration(FunctionName=watchdog(running), Timeout=TURN_S)
    yield running
    shut_down(workspace)


@pytest.fixture
def plane(stack: RunningStack) -> ControlPlaneTable:
    """The control plane of a migration that is live."""
    assert stack.outputs.migration is not None
    plane = ControlPlaneTable(stack.clients.dynamodb, stack.outputs.migration.control_table, "activities")
    was = plane.state()
    live = replace(was, paused="", control=Control(Stage.LIVE, FULL_WEIGHT, FULL_WEIGHT, was.epoch + 1))
    entry = Entry(f"2026-03-01T09:30:00.{was.epoch:03}Z#test", EntryKind.DONE, "ana", live.epoch, "x", "x")
    assert plane.move(replace(live, entry=entry.id), entry, None)
    return plane


def watchdog(stack: RunningStack) -> str:
    assert stack.outputs.migration is not None
    assert stack.outputs.migration.watchdog_function is not None
    return stack.outputs.migration.watchdog_function


def send(stack: RunningStack, event_id: str) -> None:
    activity = {
        "event_id": event_id,
        "employee_id": "e-1",
        "program_id": "p-1",
        "activity_type": "task_completed",
        "points": 5,
        "occurred_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    answer = urllib3.request("POST", f"{stack.outputs.entry.ingest_url}activities", json=activity)
    assert answer.status == 202


def test_a_healthy_migration_is_left_alone(stack: RunningStack, plane: ControlPlaneTable) -> None:
    before = plane.state()
    answer = stack.clients.functions.invoke(FunctionName=watchdog(stack))
    seen = json.load(answer["Payload"])
    assert "FunctionError" not in answer, seen
    assert seen["looks"] >= 2
    assert (seen["failed"], seen["rolled_back"], plane.state()) == (0, "", before)


def test_a_poisoned_one_is_rolled_back_and_the_journal_says_why(
    stack: RunningStack, plane: ControlPlaneTable
) -> None:
    live = plane.state()
    faults = Faults(stack.emulator.endpoint)
    with faults.injected(POISON):
        send(stack, "poisoned")
        wait_until(lambda: rolled_back(stack, plane))
        assert faults.log()
    state = plane.state()
    assert state.control == Control(Stage.SHADOW, epoch=live.epoch + 1)
    assert state.paused.startswith("rolled back by watchdog:")
    (done,) = [one for one in plane.journal() if one.id == state.entry]
    assert (done.step, done.detail["rollback"]) == ("watchdog", True)
    failed = {one["name"] for one in done.detail["verdicts"] if one["outcome"] == "fail"}
    # Others may have begun to fail since; what had failed for long enough is the cause.
    caused = {name for name in failed if f"{name} failed in" in done.detail["cause"]}
    assert caused & {"queue_age", "facts_unfolded", "dead_letters"}, done.detail


def rolled_back(stack: RunningStack, plane: ControlPlaneTable) -> bool:
    """Run the watchdog as its schedule does, until it acted."""
    stack.clients.functions.invoke(FunctionName=watchdog(stack))
    return plane.state().stage is Stage.SHADOW
