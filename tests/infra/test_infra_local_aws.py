"""The front that prod demands, on the local AWS: closed without a key, and the page open to anyone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import urllib3

from migration.local.deployer.deployment import Deployment
from migration.local.deployer.project import stack_config
from migration.local.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.local.deployer.outputs import Outputs

ROOT = Path(__file__).resolve().parents[2]
ACTIVITY = {
    "event_id": "a-1",
    "employee_id": "e-1",
    "program_id": "p-1",
    "activity_type": "task_completed",
    "points": 10,
    "occurred_at": "2026-03-01T09:30:00Z",
}
SETTINGS = {"cutover:front": "api_gateway", "cutover:auth": "api_key"}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    running = Emulator.start(tmp_path_factory.mktemp("aws"))
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def outputs(emulator: Emulator) -> Outputs:
    config = stack_config(ROOT, "cutover", "local") | SETTINGS
    state = emulator.home / "state.json"
    deployment = Deployment(ROOT, "cutover", "local", config, emulator.endpoint, state)
    made = deployment.up()
    assert deployment.preview().changes_nothing, "a second run finds nothing to do"
    return made


@pytest.fixture(scope="module")
def keys(emulator: Emulator, outputs: Outputs) -> dict[str, str]:
    found = boto3.client("apigateway", **emulator.client_arguments).get_api_keys(includeValues=True)["items"]
    assert outputs
    return {each["name"].split("-")[2]: each["value"] for each in found}


def ask(url: str, key: str = "", body: dict[str, Any] | None = None) -> int:
    method, text = ("POST", json.dumps(body)) if body else ("GET", None)
    headers = {"x-api-key": key} if key else {}
    return urllib3.request(method, url, body=text, headers=headers, timeout=30).status


@pytest.mark.parametrize("side", ["entry", "pipeline"])
def test_activities_are_accepted_with_the_side_s_own_key_only(
    side: str, outputs: Outputs, keys: dict[str, str]
) -> None:
    url = f"{outputs[side]['ingest_url']}activities"
    other = keys["pipeline" if side == "entry" else "entry"]
    assert ask(url, body=ACTIVITY) == 403
    assert ask(url, other, ACTIVITY) == 403
    assert ask(url, keys[side], ACTIVITY) == 202


@pytest.mark.parametrize("side", ["entry", "pipeline"])
def test_wrong_paths_and_methods_are_answered_by_the_functions(
    side: str, outputs: Outputs, keys: dict[str, str]
) -> None:
    url = outputs[side]["ingest_url"]
    assert ask(f"{url}elsewhere", keys[side]) == 404
    assert ask(f"{url}activities", keys[side]) == 405
    assert ask(f"{url}elsewhere") == 403


def test_the_page_is_for_anyone_and_its_data_is_not(outputs: Outputs) -> None:
    url = outputs["pipeline"]["serve_url"]
    for path in ("", "app.js", "style.css"):
        assert ask(f"{url}{path}") == 200
    assert ask(f"{url}leaderboard") == 403
