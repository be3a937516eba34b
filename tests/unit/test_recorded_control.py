"""A migration that another version began goes on with this one: its control items were recorded.

    tests/recorded/control/MOMENT.json     the control table at a moment of a migration, written by f40d0ce
    tests/recorded/control/KILLED.json     all tables, of a command that died on its way

`CUTOVER_RECORD=control python -m pytest tests/unit/test_recorded_control.py` writes them anew, by the version
that runs it. That is right once that version was released, and wrong for making a test pass.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final

import pytest
from typer.testing import CliRunner

from migration.cli.main import app
from migration.model.stages import Stage
from tests.doctor_world import names
from tests.recorded_account import NOW, Sides, account
from tests.recorded_moments import MOMENTS, bring_to, finish, world_in
from tests.unit.test_recorded_commands import RECORDED, control_items, different

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.recorded_account import Account

RECORD: Final = os.environ.get("CUTOVER_RECORD") == "control"
LATER: Final = NOW + 60


def command(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


def recorded(name: str, make: Callable[[Account], None], account: Account, *tables: str) -> None:
    """Write what a version leaves behind, when that is asked for."""
    if RECORD:
        make(account)
        text = json.dumps(account.dump(*tables), indent=1) + "\n"
        (RECORDED / "control" / f"{name}.json").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_migration_goes_on_from_where_another_version_brought_it(moment: str, tmp_path: Path) -> None:
    with account(tmp_path) as made:
        recorded(moment, lambda account: bring_to(account, moment), made, "control")
    with account(tmp_path) as there:
        there.load(control_items(moment))
        world = world_in(there)
        world.clock.at = LATER
        world.dead.add("ana@desk:1")
        if moment == "rolled_back":
            assert world.plane.state().paused
            assert command("resume").exit_code == 0
        if moment != "complete":
            world.run("eve@desk:5")
            finish(world)
        assert world.plane.state().stage is Stage.COMPLETE
        assert names(world, plan=world.plan) == []
        assert world.worked.count("backfill") == (moment == "dualwrite"), "it is not done twice"
        assert command("status", "--output", "json").exit_code == 0


def killed_backfill(account: Account) -> None:
    different(account)
    _die_after(account, 8, "PutItem", "-facts")
    assert command("backfill", "start", "--yes", "--threads", "1", "--segments", "2").exit_code == 3


def killed_repair(account: Account) -> None:
    account.load(control_items("shadow"))
    sides = Sides(account.client)
    sides.accept(*range(12))
    for number in (3, 5, 6, 8):
        sides.fold(number, again=True)
    _die_after(account, 1, "TransactWriteItems", "-dedup")
    assert command("repair", "--apply", "--yes", "--patience", "60").exit_code == 3


KILLED: Final[dict[str, Callable[[Account], None]]] = {
    "killed_backfill": killed_backfill,
    "killed_repair": killed_repair,
}


@pytest.mark.parametrize("name", KILLED)
def test_what_another_version_left_half_done_is_done_by_the_same_command(name: str, tmp_path: Path) -> None:
    with account(tmp_path) as made:
        recorded(name, KILLED[name], made)
    with account(tmp_path) as there:
        there.load(control_items(name))
        if name == "killed_backfill":
            job = json.loads(command("backfill", "status", "--output", "json").stdout)
            assert job["phase"] == "copying"
            command("backfill", "start", "--yes", "--threads", "1")
            job = json.loads(command("backfill", "status", "--output", "json").stdout)
            assert (job["phase"], job["run"]) == ("installed", 1)
            assert command("backfill", "verify").exit_code == 0
        else:
            assert command("verify", "--patience", "60").exit_code == 1
            assert command("repair", "--apply", "--yes", "--patience", "60").exit_code == 0
            assert command("verify", "--patience", "60").exit_code == 0


def _die_after(account: Account, calls: int, operation: str, table: str) -> None:
    """Refuse everything once so many calls of an operation on a table were made."""
    left = calls

    def refused(target: str, parameters: dict[str, Any]) -> bool:
        nonlocal left
        left -= target == operation and table in json.dumps(parameters)
        return left < 0

    account.refuse(refused)
