"""What every command says: its help, and its JSON and exit code on recorded accounts, as they were recorded.

    tests/recorded/help.txt                what `--help` says of every command and group
    tests/recorded/commands/SCENE.json     a scene's commands, one after the other on one account
    tests/recorded/control/MOMENT.json     the control items that scenes begin with

`CUTOVER_RECORD=1 python -m pytest tests/unit/test_recorded_commands.py` writes the first two anew; look at
the difference before it is committed. What has another name on purpose belongs in `RENAMED`, until then.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import typer.main
from typer.testing import CliRunner

from migration.aws.files.ledger_file import LedgerFile
from migration.cli.main import app
from migration.model.answers import Answer, SendOutcome
from migration.model.side import Side
from tests.recorded_account import NOW, PREFIX, Activity, Sides, account

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.recorded_account import Account

RECORDED: Final = Path(__file__).parents[1] / "recorded"
RECORD: Final = bool(os.environ.get("CUTOVER_RECORD"))
RENAMED: Final[dict[str, str]] = {}
"""Names in recorded JSON that are called otherwise by now, on purpose: was -> is."""

ELAPSED: Final = ("drilled_s_ago", "seconds", "seen_s_ago")  # they tell how busy the machine was
_BORDERS: Final = re.compile("[─-╿]|\x1b\\[[0-9;]*m")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
_WORKER: Final = re.compile(r"\b[\w.-]+@[\w.-]+(:\d+)?")
_RANDOM: Final = re.compile(r"(?<=<now>)#[0-9a-f]{4}")
_HASH: Final = re.compile(r"\b[0-9a-f]{64}\b")  # of a certificate, which says by whom and when
_CLOCK: Final = re.compile(r"(?<=this clock is )[\d.]+ s (ahead of|behind)")
_STREAM: Final = re.compile(r"(?<=/stream/)[\d:.T-]+")
_SINCE, _UNTIL = NOW - 3_600, NOW + 86_400  # what is recorded of control tables is older


def commands(group: Any, *names: str) -> Iterator[list[str]]:
    yield list(names)
    for name, command in sorted(getattr(group, "commands", {}).items()):
        yield from commands(command, *names, name)


ALL_COMMANDS: Final = list(commands(typer.main.get_command(app)))


def test_every_command_and_group_says_the_same_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 1000)
    said = "\n".join(f"$ {' '.join(['cutover', *names])} --help\n{help_of(names)}" for names in ALL_COMMANDS)
    file = RECORDED / "help.txt"
    if RECORD:
        file.write_text(said, encoding="utf-8")
    assert said == file.read_text(encoding="utf-8")


def help_of(names: Sequence[str]) -> str:
    """What a person reads, whatever draws its frames."""
    printed = CliRunner().invoke(app, [*names, "--help"], env={"NO_COLOR": "1"}).stdout
    lines = (" ".join(_BORDERS.sub(" ", line).split()) for line in printed.splitlines())
    return "".join(f"  {line}\n" for line in lines if line)


def nothing(_account: Account) -> None:
    pass


def equal(account: Account) -> None:
    Sides(account.client).accept(*range(12))


def different(account: Account) -> None:
    repairable(account)
    sides = Sides(account.client)
    sides.legacy_stores(21)
    sides.legacy_counts(21)
    sides.store(21)  # lost


def repairable(account: Account) -> None:
    """Leave out what is repaired by the live lane, which nobody runs here."""
    sides = Sides(account.client)
    sides.accept(*range(12))
    sides.legacy_counts(3)  # legacy's own error; 20 was missed by the forward mirror
    for number in (20, 22):
        sides.legacy_stores(number)
        sides.legacy_counts(number)
    sides.fold(5, again=True)
    sides.store(22, points=99)  # a conflict
    sides.fold(22)
    sides.accept(30)
    account.client.delete_item(  # an extra entry of legacy's
        TableName=f"{PREFIX}-legacy-events",
        Key={"employee_id": {"S": "e-2"}, "event_id": {"S": "ev-030"}},
    )


def at(moment: str, then: Callable[[Account], None] = equal) -> Callable[[Account], None]:
    def prepare(account: Account) -> None:
        account.load(control_items(moment))
        then(account)

    return prepare


def control_items(moment: str) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = json.loads(
        (RECORDED / "control" / f"{moment}.json").read_text(encoding="utf-8")
    )
    return found


def acknowledged(account: Account) -> None:
    different(account)
    with LedgerFile(account.project / "ledger.jsonl", "a") as ledger:
        for number in (*range(12), 20, 21, 22, 23):
            one = Activity.numbered(number)
            send = ledger.sending(Side.LEGACY, json.dumps(asdict(one)).encode(), 1.0)
            answer = Answer(SendOutcome.ACKNOWLEDGED, 202, one.employee_id, one.event_id)
            ledger.answered(send, answer, ["202"], 2.0, 1000.0)


def shut(account: Account) -> None:
    account.refuse(lambda *_: True)


def garbled(account: Account) -> None:
    at("shadow")(account)
    key: Any = {"migration": {"S": "activities"}, "record": {"S": "state"}}
    account.client.update_item(
        TableName=f"{PREFIX}-control",
        Key=key,
        UpdateExpression="SET stage = :s",
        ExpressionAttributeValues={":s": {"S": "sideways"}},
    )


def gone(account: Account) -> None:
    at("shadow")(account)
    key: Any = {"migration": {"S": "activities"}, "record": {"S": "state"}}
    account.client.delete_item(TableName=f"{PREFIX}-control", Key=key)


STANDING: Final = (
    "status",
    "journal --newest 0",
    "doctor",
    "run --dry-run",
    "rollback --dry-run",
    "switch writes --to 50 --dry-run --patience 0",
    "resume --dry-run",
)
LOOKS: Final = (
    *STANDING,
    "journal --kind done --newest 3",
    "certificate",
    "backfill status",
    "shadow report --since 2026-01-01",
    "switch reads --to 50 --dry-run --patience 0",
    "complete --dry-run",
    "pause --dry-run later",
    "postpone --dry-run",
    "repair --to shadow",
    "plan",
)
PROOFS: Final = (
    "verify --patience 2",
    "verify --patience 2 --pipeline-only",
    "verify --resume",
    "diff",
    "reconcile --dry-run",
    "reconcile --dry-run --since 2026-03-01T09:00:06Z --until 2026-03-01T09:00:22Z",
    "repair --patience 2",
)
SMALL: Final = ("backfill verify", "backfill start --dry-run", "preflight")
MOVES: Final = (
    "run --patience 0",
    "run --patience 0 --yes",
    "complete --name wrong",
    "complete --name activities --patience 0",
    "pause lunch",
    "status",
    "postpone rampdown",
    "resume",
    "switch reads --to 1 --yes --patience 0",
    "rollback 'it is slow' --yes",
    "rollback --yes",
    "status",
    "journal --newest 0",
    "backfill pause lunch",
    "backfill status",
    "backfill resume",
)
SETTLING: Final = (
    "backfill start --yes --threads 1",
    "backfill start --yes --threads 1 --again",
    "backfill status",
    "backfill verify",
    "reconcile",
    "reconcile --yes",
    "reconcile --dry-run",
    "repair --apply",
    "repair --apply --yes --patience 2",
    "verify --patience 2",
    "diff",
    "journal --newest 0",
)
ONE_SIDE: Final = (
    "status",
    "doctor",
    "certificate",
    "verify --patience 2",
    "diff",
    "run",
    "repair",
    "preflight",
)
BROKEN: Final = (*STANDING, "repair --to shadow", "repair --to shadow --apply --yes", "status")
USAGE: Final = (
    "sideways",
    "verify --patience -1",
    "switch sideways --to 5",
    "run --until complete",
    "ledger check",
    "certificate check none.html",
    "certificate --ledger none.jsonl",
    "plan check --plan none.toml",
    "shadow report --since sideways",
    "diff --board sideways",
    "local status",
    "local load",
    "local reset",
    "local generate --count 3 --seed 1 --now 2026-03-01T09:30:00Z --out made.jsonl",
)
Scene = tuple["Callable[[Account], None]", "Sequence[str]"]
SCENES: Final[dict[str, Scene]] = {
    "before_anything": (nothing, (*LOOKS, *PROOFS, *SMALL, *USAGE, "plan check", "plan agree --yes")),
    "dualwrite": (at("dualwrite"), STANDING),
    "shadow": (at("shadow"), (*LOOKS, *SMALL)),
    "drilling": (at("drilling"), STANDING),
    "live_25": (at("live_25"), STANDING),
    "rolled_back": (at("rolled_back"), STANDING),
    "rampdown": (at("rampdown"), (*STANDING, "complete --dry-run")),
    "complete": (at("complete"), (*LOOKS, "run", "pause", "rollback")),
    "different_in_shadow": (at("shadow", different), PROOFS),
    "different_in_rampdown": (at("rampdown", different), PROOFS),
    "moving_in_shadow": (at("shadow"), MOVES),
    "moving_in_live": (at("live_25"), MOVES),
    "settling_in_shadow": (at("shadow", repairable), SETTLING),
    "settling_in_rampdown": (at("rampdown", repairable), SETTLING),
    "ledger": (
        acknowledged,
        ("ledger check --ledger ledger.jsonl --wait 0", "certificate --ledger ledger.jsonl"),
    ),
    "ledger_in_shadow": (
        at("shadow", acknowledged),
        ("ledger check --ledger ledger.jsonl --wait 0", "certificate --ledger ledger.jsonl"),
    ),
    "garbled_state": (garbled, BROKEN),
    "lost_state": (gone, BROKEN),
    "signed_out": (shut, ("status", "rollback", "backfill status", "verify", "diff", "doctor")),
    "phase_legacy": (nothing, ONE_SIDE),
    "phase_contract": (at("complete"), ONE_SIDE),
    "another_plan": (at("shadow"), (*STANDING, "run --yes", "plan agree", "plan agree --yes", "status")),
}
PHASES: Final = {"phase_legacy": "legacy", "phase_contract": "contract"}
PLANS: Final = {"another_plan": 'stack = "test"\n[cutover]\nsteps = [10, 100]\n'}
WITHOUT_JSON: Final = ("local generate", "plan check", "plan agree", "certificate check none", "sideways")


@pytest.mark.slow
@pytest.mark.parametrize("scene", SCENES)
def test_commands_answer_as_before(scene: str, tmp_path: Path) -> None:
    prepare, lines = SCENES[scene]
    plan = PLANS.get(scene, 'stack = "test"\n')
    with account(tmp_path, PHASES.get(scene, "expand"), plan) as there:
        prepare(there)
        said = [answer(line, there) for line in lines]
    file = RECORDED / "commands" / f"{scene}.json"
    if RECORD:
        file.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    was = json.loads(file.read_text(encoding="utf-8"))
    assert said == [renamed(one) for one in was]


def answer(line: str, there: Account) -> dict[str, Any]:
    """Run a command; what it says is None where a table or nothing is printed."""
    output = [] if line.startswith(WITHOUT_JSON) else ["--output", "json"]
    result = CliRunner().invoke(app, [*shlex.split(line), *output])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    try:
        said = json.loads(result.stdout)
    except ValueError:
        said = None
    return {"run": line, "exit": result.exit_code, "says": settled(said, str(there.project))}


def settled(value: Any, folder: str) -> Any:
    """Take out what is of this run only: the time, the process, the folder, what was drawn by chance."""
    match value:
        case dict():
            return {
                settled(name, folder): "<now>" if name in ELAPSED and one else settled(one, folder)
                for name, one in value.items()
            }
        case list():
            return [settled(one, folder) for one in value]
        case str():
            text = _MOMENT.sub(_now, _STREAM.sub("", value.replace(folder, "<folder>")))
            text = _CLOCK.sub("<so much> behind", _HASH.sub("<hash>", text))
            return _WORKER.sub("<me>", _RANDOM.sub("", text))
        case float() if _SINCE <= value < _UNTIL:
            return "<now>"
        case float():
            return round(value, 6)
    return value


def _now(found: re.Match[str]) -> str:
    moment = datetime.fromisoformat(found[0]).timestamp()
    return "<now>" if _SINCE <= moment < _UNTIL else found[0]


def renamed(value: Any) -> Any:
    match value:
        case dict():
            return {RENAMED.get(name, name): renamed(one) for name, one in value.items()}
        case list():
            return [renamed(one) for one in value]
        case str():
            return RENAMED.get(value, value)
    return value
