"""The project's own program on the local AWS, phase after phase, as an operator takes it."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import boto3
import pytest

from migration.local.deployer.deployment import Deployment
from migration.local.deployer.plan import DeploymentPlan, StepKind
from migration.local.deployer.project import stack_config
from tests.contract.emulator_aws import eventually

if TYPE_CHECKING:
    from migration.local.emulator import Emulator

ROOT = Path(__file__).parents[2]
STACK = "dev"  # other tests that share this local AWS use the stack local
ACTIVITY = {
    "employee_id": "e-1",
    "program_id": "p-1",
    "activity_type": "task_completed",
    "points": 5,
    "occurred_at": "2026-03-01T09:30:00Z",
}

pytestmark = pytest.mark.slow


def changed(plan: DeploymentPlan) -> set[StepKind]:
    return {step.kind for step in plan.steps} - {StepKind.SAME}


def accepts_activities(side: dict[str, Any], number: int) -> bool:
    body = json.dumps({**ACTIVITY, "employee_id": f"e-{number}"}).encode()
    with urllib.request.urlopen(f"{side['ingest_url']}activities", data=body, timeout=20) as answer:  # noqa: S310 - the local AWS
        return bool(answer.status == 202)


def boards(side: dict[str, Any]) -> set[str]:
    """Say what a board holds; a side without a snapshot yet says that."""
    try:
        with urllib.request.urlopen(f"{side['serve_url']}leaderboard", timeout=20) as answer:  # noqa: S310 - the local AWS
            return set(json.loads(answer.read()))
    except urllib.error.HTTPError as error:
        return set(json.loads(error.read()))


class Clients:
    """Someone who posts to the entry's URL all the time, and remembers every answer that was no 202.

    A change of a function's configuration ends the local AWS's process that runs it, also in the middle of a
    request; AWS lets it finish. That one answer is left out.
    """

    def __init__(self, entry: dict[str, Any]) -> None:
        self.entry, self.accepted = entry, 0
        self.refused: list[str] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._post)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        eventually(lambda: self.accepted > 10 or not self._thread.is_alive())  # a busy machine takes few
        self._stopped.set()
        self._thread.join()

    def _post(self) -> None:
        while not self._stopped.wait(0.02):
            try:
                self.accepted += accepts_activities(self.entry, 1000 + self.accepted)
            except urllib.error.HTTPError as error:
                answer = error.read().decode()
                if "Worker process died" not in answer:
                    self.refused.append(answer)


def names_of(plan: DeploymentPlan, kind: StepKind) -> set[str]:
    return {step.name for step in plan.steps if step.kind is kind}


ENTRY = {"entry-ingest", "entry-serve"}


def test_the_program_goes_through_its_phases_and_leaves_nothing(emulator: Emulator, tmp_path: Path) -> None:
    def deployment(phase: str) -> Deployment:
        config = {**stack_config(ROOT, "cutover", STACK), "cutover:phase": phase}
        return Deployment(ROOT, "cutover", STACK, config, emulator.endpoint, tmp_path / "state.json")

    legacy, expand, contract = map(deployment, ("legacy", "expand", "contract"))
    assert set(legacy.up()) == {"entry", "legacy", "phase", "region", "stack"}
    entry = legacy.outputs()["entry"]
    assert accepts_activities(entry, 1)

    plan = expand.preview()
    assert changed(plan) == {StepKind.CREATE, StepKind.UPDATE}
    assert names_of(plan, StepKind.UPDATE) == ENTRY
    with Clients(entry) as clients:
        outputs = expand.up()
    assert (clients.refused, clients.accepted > 10) == ([], True)
    assert set(outputs) == {"bulk", "entry", "legacy", "migration", "phase", "pipeline", "region", "stack"}
    assert outputs["entry"] == entry
    assert expand.preview().changes_nothing
    assert accepts_activities(entry, 2)
    assert accepts_activities(outputs["pipeline"], 3)

    plan = contract.preview()
    assert changed(plan) == {StepKind.DELETE, StepKind.UPDATE}
    assert names_of(plan, StepKind.UPDATE) == ENTRY
    # Legacy, and what is only there while there are two sides.
    between = ("legacy", "mirror", "comparator", "watchdog", "segment", "export", "bulk")
    strange = {
        name
        for name in names_of(plan, StepKind.DELETE)
        if not any(part in name for part in between) and name not in {"door-missed", "migration"}
    }
    assert not strange
    with Clients(entry) as clients:
        outputs = contract.up()
    assert (clients.refused, clients.accepted > 10) == ([], True)
    assert set(outputs) == {"entry", "migration", "phase", "pipeline", "region", "stack"}
    assert outputs["entry"] == entry
    assert set(outputs["migration"]) >= {"control_table"}
    assert accepts_activities(entry, 4)
    assert "stale" in boards(entry) or boards(entry) == {"error", "message"}

    contract.destroy()
    tables = boto3.Session().client("dynamodb", **emulator.client_arguments).list_tables()["TableNames"]
    assert [table for table in tables if table.startswith(f"cutover-{STACK}-")] == []
    assert changed(legacy.preview()) == {StepKind.CREATE}
