"""Another team's legacy, with its own handler and tables, through every command on the deployed stack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from migration.cli.local.bringing_up import bring_up, shut_down
from migration.cli.main import app
from migration.door import control, ingest, sides
from migration.wiring.workspace import RunningStack, Workspace
from tests import club_legacy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typer.testing import Result

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    workspace = Workspace(ROOT, tmp_path_factory.mktemp("club"))
    running, _ = bring_up(workspace, "expand", port=0)
    club_legacy.make_tables(running.clients.dynamodb)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CUTOVER_HOME", str(workspace.home))
        yield running
    shut_down(workspace)


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "club.toml"
    path.write_text(club_legacy.PLAN)
    return path


def cutover(plan: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(app, [*arguments, "--plan", str(plan)])
    assert result.exit_code == 0, (arguments, result.output, result.exception)
    return result


def as_json(plan: Path, *arguments: str) -> Any:
    return json.loads(cutover(plan, *arguments, "--output", "json").stdout)


def request(number: int) -> dict[str, Any]:
    visit = {
        "employee_id": f"member-{number % 7}",
        "event_id": f"visit-{number}",
        "program_id": f"club-{number % 3}",
        "activity_type": "program_check_in",
        "points": 1 + number % 5,
        "occurred_at": "2026-03-01T09:30:00.000Z",
    }
    http = {"method": "POST", "path": "/activities"}
    return {"rawPath": "/activities", "requestContext": {"http": http}, "body": json.dumps(visit)}


@pytest.fixture
def door(stack: RunningStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the door around the club's own handler: nothing but its environment."""
    assert stack.outputs.migration is not None
    assert stack.outputs.pipeline is not None
    environment = {
        "AWS_ENDPOINT_URL": stack.emulator.endpoint,
        "AWS_REGION": "us-east-1",
        "LEGACY_HANDLER": "tests.club_legacy.handler",
        "PIPELINE_HANDLER": "pipeline.handlers.ingest.handler",
        "CONTROL_TABLE": stack.outputs.migration.control_table,
        "MIGRATION": "club",
        "BAKED_CONTROL": '{"stage":"off"}',
        "FACTS_TABLE": stack.outputs.pipeline.facts_table,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for kept in (control.control, ingest.mirror, sides.handler_of):
        kept.cache_clear()


def move_to_dualwrite(stack: RunningStack) -> None:
    assert stack.outputs.migration is not None
    numbers = {"write_weight": "0", "read_weight": "0", "epoch": "1"}
    stack.clients.dynamodb.put_item(
        TableName=stack.outputs.migration.control_table,
        Item={
            "migration": {"S": "club"},
            "record": {"S": "state"},
            "stage": {"S": "dualwrite"},
            **{name: {"N": value} for name, value in numbers.items()},
        },
    )
    control.control.cache_clear()  # a new process of the door, which reads the stage at once


def post(*numbers: int) -> None:
    for number in numbers:
        assert ingest.handler(request(number), None)["body"] == "welcome"


def assert_the_same(stack: RunningStack, plan: Path) -> None:
    """Verify, which waits for what is on its way; then have both sides make their boards, and compare."""
    assert as_json(plan, "verify")["clean"]
    assert stack.outputs.pipeline is not None
    stack.clients.functions.invoke(FunctionName=stack.outputs.pipeline.snapshot_function)
    club_legacy.rank(stack.clients.dynamodb)
    report = as_json(plan, "diff", "--board", "global")
    assert report["judgement"] == "same", report


@pytest.mark.usefixtures("door")
def test_from_a_plan_to_no_difference(stack: RunningStack, plan: Path) -> None:
    assert json.loads(cutover(plan, "plan", "check").stdout)["legacy"]["events"]["employee_id"] == "member"

    post(*range(20))  # before anything moves
    move_to_dualwrite(stack)
    post(*range(20, 30))  # mirrored
    club_legacy.handler(request(30), None)  # behind the door: nobody mirrors it, the backfill copies it

    cutover(plan, "backfill", "start", "--yes")
    club_legacy.handler(request(31), None)
    again = as_json(plan, "reconcile", "--grace", "0", "--yes")
    assert {one["event_id"]: one["outcome"] for one in again["activities"]} == {"visit-31": "stored_as_fact"}

    assert_the_same(stack, plan)

    # What the pipeline accepts alone is applied to the club's own tables, in the club's own layout.
    from pipeline.handlers import ingest as pipeline_ingest  # noqa: PLC0415 - its client is made here

    pipeline_ingest.handler(request(40), None)
    back = as_json(plan, "reconcile", "--grace", "0", "--yes")
    assert {one["event_id"]: one["outcome"] for one in back["activities"]} == {
        "visit-40": "applied_to_legacy"
    }
    assert_the_same(stack, plan)
