"""Stacks that are not the local one: their outputs by Pulumi's command line, or by a file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from migration.local.deployer.project import stack_config
from migration.model.errors import IntegrityError, RemoteError, UsageError
from migration.wiring.workspace import Workspace
from tests.doubles.recording import record

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def exports() -> dict[str, Any]:
    """What the program exports for stack dev."""
    config = {**stack_config(ROOT, "cutover", "dev"), "aws:region": "eu-west-1", "cutover:phase": "expand"}
    outputs: dict[str, Any] = json.loads(json.dumps(record(ROOT, "cutover", "dev", config).outputs))
    return outputs


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.delenv("CUTOVER_OUTPUTS", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    return Workspace(tmp_path, tmp_path / ".cutover" / "local")


def pulumi(workspace: Workspace, text: str) -> None:
    """Install a command line that answers as it is told to, and keeps what it was asked."""
    path = workspace.root / "bin" / "pulumi"
    asked = 'import pathlib, sys\npathlib.Path("asked").write_text(" ".join(sys.argv[1:]))\n'
    path.write_text(f"#!{sys.executable}\n{asked}{text}\n")
    path.chmod(0o700)


@pytest.mark.parametrize("name", ["dev", "acme/cutover/dev"])
def test_pulumi_is_asked_for_any_other_stack(
    name: str, workspace: Workspace, exports: dict[str, Any]
) -> None:
    (workspace.root / "outputs").write_text(json.dumps(exports))
    pulumi(workspace, 'print(pathlib.Path("outputs").read_text())')
    stack = workspace.deployed(name)
    asked = (workspace.root / "asked").read_text()
    assert asked == f"stack output --json --non-interactive --stack {name}"
    assert (stack.outputs.stack, stack.outputs.phase, stack.endpoint) == ("dev", "expand", None)
    assert stack.ledger == workspace.root / ".cutover" / "dev" / "ledger.jsonl"
    assert stack.clients.dynamodb.meta.region_name == "eu-west-1"
    assert stack.clients.dynamodb.meta.endpoint_url == "https://dynamodb.eu-west-1.amazonaws.com"


def test_without_its_command_line_the_remedy_is_named(workspace: Workspace) -> None:
    with pytest.raises(UsageError) as error:
        workspace.deployed("dev")
    assert "command line is not installed" in str(error.value)
    assert "`pulumi stack output --json --stack dev` prints in CUTOVER_OUTPUTS" in error.value.hint


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("sys.exit('error: no stack named dev found')", RemoteError, "no stack named dev found"),
        ("print('Enter your passphrase')", RemoteError, "not answer in JSON"),
        ("print('{}')", IntegrityError, "does not export what the toolkit needs"),
    ],
)
def test_what_pulumi_does_not_tell_is_an_error(
    text: str, kind: type[Exception], said: str, workspace: Workspace
) -> None:
    pulumi(workspace, text)
    with pytest.raises(kind, match=said):
        workspace.deployed("dev")


def test_a_file_of_outputs_wins_and_must_be_the_plans(
    workspace: Workspace, exports: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = workspace.root / "outputs.json"
    monkeypatch.setenv("CUTOVER_OUTPUTS", str(path))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    with pytest.raises(UsageError, match="cannot be read"):
        workspace.deployed("dev")
    path.write_text("{")
    with pytest.raises(UsageError, match="is not JSON"):
        workspace.deployed("dev")
    path.write_text(json.dumps(exports))
    stack = workspace.deployed("dev")
    assert stack.clients.dynamodb.meta.endpoint_url == "http://127.0.0.1:4566"
    assert stack.pipeline_tables is not None
    with pytest.raises(UsageError, match="is of stack dev, and the plan is for prod"):
        workspace.deployed("prod")
    with pytest.raises(UsageError, match="the plan is for local"):
        workspace.deployed("local")


def test_the_command_that_deploys_is_the_stacks_own(workspace: Workspace, exports: dict[str, Any]) -> None:
    (workspace.root / "outputs").write_text(json.dumps(exports))
    pulumi(workspace, 'print(pathlib.Path("outputs").read_text())')
    outputs = workspace.deployed("dev").outputs
    assert outputs.deploying("expand") == "pulumi up --stack dev --config cutover:phase=expand"
    local = outputs.model_copy(update={"stack": "local"})
    assert local.deploying("expand") == "cutover local up --phase expand"
