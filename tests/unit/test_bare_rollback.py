"""Rolling back from a machine that has next to nothing: the real command, in a process of its own."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ProxyConnectionError
from typer.testing import CliRunner

from migration.aws.tables.control_plane_table import ControlPlaneTable
from migration.aws.transport.clients import connect_dynamodb, open_session, translated
from migration.cli.main import app
from migration.doctor.records import trouble
from migration.model.errors import RemoteError
from migration.model.stages import Control, Stage, read_control
from tests.recorded_account import PREFIX, REGION, Account, account
from tests.recorded_moments import bring_to

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
TABLE = f"{PREFIX}-control"
NAMES = ("--control-table", TABLE, "--migration", "activities", "--region", REGION, "--yes")
DEAD = "http://127.0.0.1:1"
# As for a user that the machine has no name for.
NAMELESS = """
import pwd
def getpwuid(uid): raise KeyError(f"getpwuid(): uid not found: {uid}")
pwd.getpwuid = getpwuid
from migration.cli.main import app
app()
"""


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Account]:
    with account(tmp_path) as there:
        bring_to(there, "live_25")
        yield there


def bare(there: Account, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Give the command where there is no home, no disk, no name, no checkout, no way to show an arrow."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PYTHONUTF8": "0",
        "PYTHONIOENCODING": "ascii",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C",
        "LC_ALL": "C",
        "HOME": "/nonexistent",
        "TMPDIR": "/nonexistent",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": os.environ["AWS_ENDPOINT_URL"],
        "HTTP_PROXY": DEAD,
        "HTTPS_PROXY": DEAD,
        "http_proxy": DEAD,
        **variables,
    }
    command = [sys.executable, "-c", NAMELESS, *arguments]
    return subprocess.run(
        command,
        env=environment,
        cwd="/proc" if Path("/proc").is_dir() else "/",  # nobody writes there
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def plane(there: Account) -> ControlPlaneTable:
    return ControlPlaneTable(there.client, TABLE, "activities")


@pytest.mark.slow
def test_it_needs_nothing_of_the_machine(live: Account) -> None:
    was = plane(live).state()
    done = bare(live, "rollback", "queue grows", *NAMES)
    assert done.returncode == 0, done.stderr
    assert "Rolled back: live" in done.stderr
    assert plane(live).state().control == Control(Stage.SHADOW, epoch=was.epoch + 1)
    again = bare(live, "rollback", "--to", "shadow", *NAMES)
    assert (again.returncode, "there already" in again.stderr) == (0, True)
    wrong = bare(live, "rollback", "--control-table", TABLE, "--migration", "other", "--region", REGION)
    assert (wrong.returncode, "nothing of a migration 'other'" in wrong.stderr) == (2, True)
    helped = bare(live, "rollback", "--help")
    assert (helped.returncode, "control-table" in helped.stdout) == (0, True)


def test_a_loopback_address_is_reached_without_the_proxy_and_aws_with_it(
    live: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, DEAD)
    client = connect_dynamodb(open_session(REGION))
    assert ControlPlaneTable(client, TABLE, "activities").state().stage is Stage.LIVE
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    proxied = connect_dynamodb(open_session(REGION))
    assert proxied._endpoint.http_session._proxy_config.proxy_url_for("https://x") == DEAD  # type: ignore[attr-defined] # botocore's own


def test_a_proxy_that_is_dead_is_named_with_what_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", DEAD)
    why = 'Failed to connect to proxy URL: "{proxy_url}"'
    with pytest.raises(RemoteError) as found, translated("reading the state"):
        raise ProxyConnectionError(proxy_url=DEAD, error=why)
    assert "https_proxy" in found.value.hint
    assert "NO_PROXY" in found.value.hint


# The worst day


def by_hand(table: str, page: str = "operations.md") -> dict[str, Any]:
    """Read the command out of the page, and make of it what the AWS command line makes."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    block = re.search(r"```sh\n(aws dynamodb update-item .*?)```", text, re.DOTALL)
    assert block is not None
    words = shlex.split(block[1].replace("\\\n", " "))
    assert words[:3] == ["aws", "dynamodb", "update-item"]
    options = dict(zip(words[3::2], words[4::2], strict=True))
    asked = {
        "".join(part.capitalize() for part in name.removeprefix("--").split("-")): value
        for name, value in options.items()
    }
    for name in ("Key", "ExpressionAttributeValues"):
        asked[name] = json.loads(asked[name])
    return {**asked, "TableName": table}


@pytest.mark.parametrize("moment", ["live_25", "rampdown"])
def test_the_one_command_of_the_worst_day_gives_legacy_its_authority_back(
    moment: str, tmp_path: Path
) -> None:
    with account(tmp_path) as there:
        bring_to(there, moment)
        was = plane(there).state()
        there.client.update_item(**by_hand(TABLE))
        now = plane(there).state()
        assert now.control == Control(Stage.SHADOW, epoch=was.epoch + 1)
        assert now.paused, "and nothing goes forward"
        item = there.client.get_item(TableName=TABLE, Key=by_hand(TABLE)["Key"])["Item"]
        assert read_control(item) == now.control, "as every door reads it"
        with pytest.raises(there.client.exceptions.ConditionalCheckFailedException):
            there.client.update_item(**by_hand(TABLE))
        ask = CliRunner().invoke(app, ["doctor", "--output", "json"])
        found = json.loads(ask.stdout)["diagnoses"][0]
        assert (found["name"], found["command"]) == ("state_by_hand", "cutover repair --to shadow --apply")
        mended = CliRunner().invoke(app, ["repair", "--to", "shadow", "--apply", "--yes"])
        assert mended.exit_code == 0, mended.stderr
        assert trouble(plane(there).state(), list(plane(there).journal())) is None
        assert plane(there).state().stage is Stage.SHADOW


@pytest.mark.parametrize("moment", ["shadow", "complete"])
def test_the_command_of_the_worst_day_changes_nothing_where_there_is_no_way_back(
    moment: str, tmp_path: Path
) -> None:
    with account(tmp_path) as there:
        bring_to(there, moment)
        was = plane(there).state()
        with pytest.raises(there.client.exceptions.ConditionalCheckFailedException):
            there.client.update_item(**by_hand(TABLE))
        assert plane(there).state() == was
