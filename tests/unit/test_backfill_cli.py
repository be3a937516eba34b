"""`cutover backfill` and `cutover reconcile` as an operator meets them: plan, consent, output, exit codes."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from migration.aws.tables.legacy_event_table import LegacyEventTable
from migration.aws.transport.clients import Clients
from migration.aws.transport.clock import SystemClock
from migration.aws.transport.scan import ReadPace
from migration.backfill.attention import Attention
from migration.backfill.copying import Copying
from migration.backfill.estimate import TableSize
from migration.backfill.history import BaseChange
from migration.backfill.pacer import Pacer
from migration.backfill.pacing import WritePace
from migration.backfill.segment_worker import SegmentWorker
from migration.cli.main import app
from migration.model.backfill import Job
from migration.model.facts import Lane, StoredFact
from migration.model.fold import NOTHING, Fold, Row, fold_all
from migration.model.legacy.layout import ConstantText, LegacyEvents, LegacyPlan
from migration.model.legacy.mapping import activity_mapper
from migration.model.side import Side
from migration.model.stages import Stage
from migration.plan.outputs import LegacyOutputs
from migration.wiring.elsewhere import BackfillElsewhere
from migration.wiring.moving import Moving
from migration.wiring.site import Site
from migration.wiring.steering import Steering
from tests.backfill_aws import InDynamoDB, in_dynamodb
from tests.backfill_world import activity
from tests.doubles.backfill import MemoryExports, MemoryLiveLane, MemorySegmentWorkers
from tests.doubles.clock import MemoryClock
from tests.doubles.live_folds import MemoryLiveFolds
from tests.raw_moto import through

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typer.testing import Result

pytestmark = pytest.mark.slow  # whole backfills, on the one-machine engine

EVENTS = [activity(number, f"e-{number % 3}") for number in range(8)]


class Stack:
    """A stack on moto, and the command line pointed at it."""

    def __init__(self, account: InDynamoDB) -> None:
        self.account = account
        self.moving = moving_in(account)
        self.settled: list[float] = []

    def note_reconciled(self, began: float) -> None:
        self.settled.append(began)

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, arguments)

    def gets_engine(self, functions: int) -> None:
        account = self.account
        clock = SystemClock()

        def turn(run: int, number: int) -> bool:
            pacer = Pacer(clock, MemoryLiveLane(), WritePace(1_000, 1_000, ""))
            attention = Attention("function", clock, pacer, account.checkpoints)
            copying = Copying(account.events, account.facts, account.checkpoints, attention)
            return SegmentWorker(copying).turn(run, number).done

        elsewhere = BackfillElsewhere(MemorySegmentWorkers(turn), MemoryExports(account.facts), functions)
        self.moving = replace(self.moving, clock=MemoryClock(), reach_elsewhere=lambda: elsewhere)

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--output", "json").stdout)

    def legacy_takes(self, *numbers: int) -> None:
        for number in numbers:
            one = activity(number, f"e-{number % 3}")
            self.account.legacy.apply(StoredFact(one, Lane.LIVE, Side.PIPELINE, one.occurred_at))


def moving_in(account: InDynamoDB) -> Moving:
    names = dict.fromkeys(LegacyOutputs.model_fields, "-")
    names |= {
        "events_table": account.events.table,
        "employee_progress_table": f"{account.prefix}-legacy-employees",
        "program_progress_table": f"{account.prefix}-legacy-programs",
    }
    unused: Any = None
    live: Any = MemoryLiveLane()
    folds: Any = MemoryLiveFolds()
    return Moving(
        Clients(account.client, unused, unused),
        SystemClock(),
        account.facts,
        account.bases,
        account.checkpoints,
        live,
        folds,
        {},
        account.events,
        LegacyPlan(),
        LegacyOutputs.model_validate(names),
    )


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        made = Stack(in_dynamodb(client, through(client)))
        for kind in (Site, Steering):
            monkeypatch.setattr(kind, "find", lambda _plan: made)
        made.legacy_takes(*range(8))
        yield made


def test_a_dry_run_says_what_it_would_do_and_cost_and_writes_nothing(stack: Stack) -> None:
    result = stack.run("backfill", "start", "--dry-run")
    assert result.exit_code == 0
    assert "About 8 events of legacy to copy, and at most 7 rows" in result.stderr
    assert "No retention applies to copying" in result.stderr
    assert stack.json("backfill", "start", "--dry-run")["copy_units"] == 8
    assert list(stack.account.facts.everything()) == []
    assert stack.account.checkpoints.job() is None


def test_without_a_terminal_it_wants_a_yes(stack: Stack) -> None:
    result = stack.run("backfill", "start")
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert list(stack.account.facts.everything()) == []


def test_a_backfill_runs_to_its_end_and_shows_where_it_is(stack: Stack) -> None:
    fields = stack.json("backfill", "start", "--yes", "--threads", "1")
    assert (fields["phase"], fields["read"], fields["history"]) == ("installed", 8, 8)
    assert dict(stack.account.bases.bases()) == fold_all(EVENTS)
    status = stack.run("backfill", "status")
    assert (status.exit_code, "installed (run 1" in status.stdout) == (0, True)
    assert stack.json("backfill", "status")["next_steps"] == ["cutover reconcile", "cutover verify"]
    assert stack.run("backfill", "verify").exit_code == 0


def test_functions_and_snapshots_do_the_work_where_they_are_asked_to(stack: Stack) -> None:
    stack.gets_engine(functions=2)
    refused = stack.run("backfill", "start", "--engine", "aws", "--max-wcu", "39", "--yes")
    assert (refused.exit_code, "--max-wcu 40 or more" in refused.stderr) == (2, True)
    dry = stack.run("backfill", "start", "--engine", "aws", "--dry-run")
    assert "with 2 functions and Athena at 500 writes/s" in dry.stderr

    fields = stack.json("backfill", "start", "--engine", "aws", "--yes")

    assert (fields["phase"], fields["engine"], fields["history"]) == ("installed", "aws", 8)
    assert dict(stack.account.bases.bases()) == fold_all(EVENTS)
    status = stack.json("backfill", "status")
    assert (status["execution"]["name"], status["execution"]["running"]) == ("run-1-1", False)
    assert "engine aws" in stack.run("backfill", "status").stdout
    # What was chosen stays chosen; another word changes it.
    assert stack.json("backfill", "start", "--yes")["engine"] == "aws"
    assert stack.json("backfill", "start", "--yes", "--engine", "machine")["engine"] == "machine"


def test_a_stack_without_the_engine_says_how_to_get_it(stack: Stack) -> None:
    result = stack.run("backfill", "start", "--engine", "aws", "--yes")
    assert (result.exit_code, "cutover:bulk_engine" in result.stderr) == (2, True)
    assert stack.account.checkpoints.job() is None


def test_a_dry_run_names_the_engine_that_is_much_faster(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.gets_engine(functions=100)
    monkeypatch.setattr(LegacyEventTable, "size", lambda _self: TableSize(100_000_000, 20_000_000_000))
    slow = stack.run("backfill", "start", "--dry-run", "--max-wcu", "4000").stderr
    assert "with --engine aws about 7:56:41" in slow
    bounded = stack.run("backfill", "start", "--dry-run", "--max-wcu", "500").stderr
    assert "--engine" not in bounded, "the ceiling holds either back"


def test_status_before_anything_points_to_the_first_step(stack: Stack) -> None:
    assert stack.json("backfill", "status") == {
        "schema_version": 1,
        "phase": None,
        "next_steps": ["cutover backfill start --dry-run"],
    }


def test_a_row_that_lacks_its_history_fails_the_verification_by_name(stack: Stack) -> None:
    stack.run("backfill", "start", "--yes", "--threads", "1")
    stack.account.bases.install(BaseChange(Row("e-9", "p-9"), NOTHING, Fold(1, 1, 1)))
    result = stack.run("backfill", "verify")
    assert (result.exit_code, "e-9 x p-9" in result.stdout) == (1, True)
    [change] = stack.json("backfill", "verify")["changes"]
    assert (change["employee_id"], change["held"]["points"], change["due"]["points"]) == ("e-9", 1, 0)


def test_a_conflict_is_named_and_is_exit_code_1(stack: Stack) -> None:
    stack.account.facts.put(StoredFact(activity(3, "e-0", points=99), Lane.LIVE, Side.PIPELINE, "now"))
    result = stack.run("backfill", "start", "--yes", "--threads", "1")
    assert result.exit_code == 1
    assert "e-0 ev-3: points 10 in legacy, 99 in facts" in result.stderr


def test_pause_and_resume_are_notes_for_whatever_process_runs(stack: Stack) -> None:
    assert stack.run("backfill", "pause").exit_code == 2
    stack.account.checkpoints.save_job(Job(1, 2, 500, "2026-03-01T09:30:00.000Z"))
    assert stack.run("backfill", "pause", "lunch").exit_code == 0
    assert stack.json("backfill", "status")["paused"].endswith(": lunch")
    assert stack.json("backfill", "status")["next_steps"] == ["cutover backfill resume"]
    assert stack.run("backfill", "resume", "--max-wcu", "50").exit_code == 0
    job = stack.account.checkpoints.job()
    assert job is not None
    assert (job.paused, job.max_wcu) == ("", 50)


def test_legacy_items_that_expire_want_a_deadline_and_one_that_holds(stack: Stack) -> None:
    stack.account.client.update_time_to_live(
        TableName=stack.account.events.table,
        TimeToLiveSpecification={"Enabled": True, "AttributeName": "gone_at"},
    )
    refused = stack.run("backfill", "start", "--yes")
    assert (refused.exit_code, "expire by gone_at" in refused.stderr) == (2, True)
    late = stack.run("backfill", "start", "--yes", "--finish-within", "0")
    assert (late.exit_code, "are left" in late.stderr) == (2, True)
    assert stack.run("backfill", "start", "--dry-run", "--finish-within", "1").exit_code == 0


def test_a_reconcile_shows_its_plan_asks_and_says_what_it_did_by_event(stack: Stack) -> None:
    stack.run("backfill", "start", "--yes", "--threads", "1")
    stack.account.move_to(Stage.DUALWRITE)
    stack.legacy_takes(20)
    planned = stack.json("reconcile", "--dry-run")
    [one] = planned["activities"]
    assert (one["event_id"], one["differs"], one["action"]) == ("ev-20", "mirror_missed", "put_fact")
    assert stack.run("reconcile", "--dry-run").exit_code == 1
    assert stack.run("reconcile").exit_code == 2
    assert stack.settled == []
    began = time.time()
    done = stack.run("reconcile", "--yes")
    [settled] = stack.settled
    assert began <= settled <= time.time(), "missed mirrors are settled as of when legacy was read"
    assert (done.exit_code, "stored as fact" in done.stdout, "ev-20" in done.stdout) == (0, True, True)
    clean = stack.run("reconcile", "--dry-run")
    assert (clean.exit_code, "Nothing differs." in clean.stderr) == (0, True)


def test_a_reconcile_window_is_given_in_any_offset(stack: Stack) -> None:
    stack.account.move_to(Stage.DUALWRITE)
    fields = stack.json("reconcile", "--dry-run", "--since", "2026-03-01T10:00:06+01:00")
    assert fields["window"]["since"] == "2026-03-01T09:00:06.000Z"
    assert {one["event_id"] for one in fields["activities"]} == {"ev-6", "ev-7"}


def test_a_differently_shaped_legacy_is_copied_by_its_plan(stack: Stack) -> None:
    layout = LegacyEvents(
        program_id="about.course",
        activity_type=ConstantText(constant="learning_milestone"),
        points="about.score",
        occurred_at="at",
        time_format="epoch_ms",
    )
    account, client = stack.account, stack.account.client
    for item in client.scan(TableName=account.events.table)["Items"]:
        key: Any = {name: item[name] for name in ("employee_id", "event_id")}
        client.delete_item(TableName=account.events.table, Key=key)
    about: Any = {"M": {"course": {"S": "p-1"}, "score": {"N": "7"}}}
    client.put_item(
        TableName=account.events.table,
        Item={
            "employee_id": {"S": "e-1"},
            "event_id": {"S": "x"},
            "about": about,
            "at": {"N": "1772357400123"},
        },
    )
    account.events = LegacyEventTable(
        client, through(client), account.events.table, activity_mapper(layout), ReadPace(None, SystemClock())
    )
    stack.moving = moving_in(account)
    assert stack.json("backfill", "start", "--yes", "--threads", "1")["history"] == 1
    [fact] = account.facts.history()
    assert (fact.program_id, fact.activity_type, fact.points) == ("p-1", "learning_milestone", 7)
    assert fact.occurred_at == "2026-03-01T09:30:00.123Z"
