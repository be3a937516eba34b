"""`cutover preflight`, `doctor` and `repair --to` as an operator meets them, on a deployed stack."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from migration.aws.tables.control_plane_table import ControlPlaneTable
from migration.cli.local.bringing_up import bring_up, shut_down
from migration.cli.main import app
from migration.model.stages import Stage
from migration.wiring.workspace import RunningStack, Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typer.testing import Result

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
KEY: Any = {"migration": {"S": "activities"}, "record": {"S": "state"}}


class Operator:
    """Somebody with the command line, and a hand in the tables."""

    def __init__(self, workspace: Workspace, stack: RunningStack) -> None:
        self.workspace, self.stack = workspace, stack
        migration = stack.outputs.migration
        assert migration is not None
        self.table = migration.control_table
        self.plane = ControlPlaneTable(stack.clients.dynamodb, self.table, "activities")

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, arguments)

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--output", "json").stdout)

    def names(self) -> list[str]:
        return [one["name"] for one in self.json("doctor")["diagnoses"]]

    def puts(self, **fields: Any) -> None:
        self.stack.clients.dynamodb.put_item(TableName=self.table, Item={**KEY, **fields})


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    workspace = Workspace(ROOT, tmp_path_factory.mktemp("doctor"))
    running, _ = bring_up(workspace, "expand", port=0)
    yield Operator(workspace, running)
    shut_down(workspace)


@pytest.fixture
def operator(deployed: Operator, monkeypatch: pytest.MonkeyPatch) -> Operator:
    monkeypatch.setattr(Workspace, "find", lambda: deployed.workspace)
    for item in deployed.stack.clients.dynamodb.scan(TableName=deployed.table)["Items"]:
        key = {name: item[name] for name in KEY}
        deployed.stack.clients.dynamodb.delete_item(TableName=deployed.table, Key=key)
    return deployed


def test_preflight_says_what_it_found_and_ends_with_11_while_legacy_is_empty(operator: Operator) -> None:
    result = operator.run("preflight")
    assert result.exit_code == 11, result.output
    assert "dedup_ttl" in result.stdout
    assert "2 inconclusive" in result.stderr
    fields = operator.json("preflight")
    assert (fields["schema_version"], fields["outcome"]) == (1, "inconclusive")
    assert fields["next_steps"] == ["cutover preflight"]
    by_name = {one["name"]: one for one in fields["checks"]}
    assert by_name["legacy_mapping"]["remedy"]


def test_preflight_ends_with_10_when_something_fails(operator: Operator) -> None:
    pipeline = operator.stack.outputs.pipeline
    assert pipeline is not None
    pipes = operator.stack.describing.pipes
    pipes.stop_pipe(Name=pipeline.pipe)
    try:
        result = operator.run("preflight")
        assert result.exit_code == 10
        assert "aws pipes start-pipe" in " ".join(result.stdout.split())
        assert operator.names() == ["pipe_stopped"]
    finally:
        pipes.start_pipe(Name=pipeline.pipe)


def test_doctor_finds_nothing_in_a_migration_that_was_not_begun(operator: Operator) -> None:
    result = operator.run("doctor")
    assert (result.exit_code, "Nothing is half done." in result.stderr) == (0, True)
    assert operator.json("doctor")["next_steps"] == ["cutover status"]


def test_a_state_written_by_hand_is_named_and_put_back_by_the_command_that_doctor_names(
    operator: Operator,
) -> None:
    operator.puts(stage={"S": "rampdown"}, write_weight={"N": "0"}, read_weight={"N": "0"}, epoch={"N": "12"})
    result = operator.run("doctor")
    assert result.exit_code == 1
    assert "dangerous now" in result.stdout
    assert "cutover repair --to off --apply" in result.stdout
    dry = operator.run("repair", "--to", "off")
    assert (dry.exit_code, "It would write off, epoch 13" in dry.stderr) == (0, True)
    assert operator.plane.state().stage is Stage.RAMPDOWN
    refused = operator.run("repair", "--to", "off", "--apply")
    assert (refused.exit_code, "--yes" in refused.stderr) == (2, True)
    assert operator.run("repair", "--to", "live", "--apply", "--yes").exit_code == 2
    done = operator.json("repair", "--to", "off", "--apply", "--yes")
    assert (done["applied"], operator.plane.state().stage, operator.plane.state().epoch) == (
        True,
        Stage.OFF,
        13,
    )
    assert operator.names() == ["rolled_back"], "it waits for a person"
    assert operator.run("resume").exit_code == 0
    assert operator.names() in ([], ["not_confirmed"])


def test_a_state_that_nothing_can_read_is_named_by_every_command_and_repaired(operator: Operator) -> None:
    operator.puts(stage={"S": "shadwo"}, epoch={"N": "3"})
    status = operator.run("status")
    assert (status.exit_code, "is no state" in status.stderr) == (1, True)
    assert "next:  cutover doctor" in status.stderr
    preflight = {one["name"]: one for one in operator.json("preflight")["checks"]}
    assert preflight["control_table"]["outcome"] == "error"
    assert operator.names() == ["state_unreadable"]
    [command] = operator.json("doctor")["next_steps"]
    assert operator.run(*command.split()[1:], "--yes").exit_code == 0
    assert operator.plane.state().epoch == 4


def test_messages_that_were_given_up_are_counted(operator: Operator) -> None:
    pipeline = operator.stack.outputs.pipeline
    assert pipeline is not None
    sqs = operator.stack.clients.sqs
    sqs.send_message(QueueUrl=pipeline.dead_letter_queue_url, MessageBody="{}")
    sqs.send_message(QueueUrl=pipeline.capture_dead_letter_queue_url, MessageBody="{}")
    deadline = time.monotonic() + 20
    while set(operator.names()) != {"folds_given_up", "never_queued"}:
        assert time.monotonic() < deadline
    commands = operator.json("doctor")["next_steps"]
    assert any(one.startswith("aws sqs start-message-move-task --source-arn arn:aws:sqs") for one in commands)
    for url in (pipeline.dead_letter_queue_url, pipeline.capture_dead_letter_queue_url):
        sqs.purge_queue(QueueUrl=url)
