"""A deployed stack, damaged in every way at once: `cutover repair` sets right what it says it will."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from migration.cli.main import app
from migration.model.fold import TOTAL, Activity, Fold, Row, fold_of, rows_of
from migration.wiring.workspace import RunningStack, Workspace
from tests.deployed_stack import stop_watchdog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.plan.outputs import LegacyOutputs, PipelineOutputs

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
LONG_AGO = "2026-01-01T09:30:00.000Z"
EXTRA = Activity("emp-extra", "ev-extra", "prog-extra", "task_completed", 10, LONG_AGO)


class Stack:
    """The command line on a stack of its own, and both sides' tables from behind."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        result = CliRunner().invoke(app, list(arguments), env={"CUTOVER_HOME": str(self.home)})
        assert result.exit_code == code, result.output
        fields: dict[str, Any] = json.loads(result.stdout) if "json" in arguments else {}
        return fields

    def open(self) -> None:
        self.stack: RunningStack = Workspace(ROOT, self.home).stack()
        pipeline, legacy = self.stack.outputs.pipeline, self.stack.outputs.legacy
        assert pipeline is not None
        assert legacy is not None
        self.pipeline: PipelineOutputs = pipeline
        self.legacy: LegacyOutputs = legacy
        self.client = self.stack.clients.dynamodb

    def move_to_dualwrite(self) -> None:
        migration = self.stack.outputs.migration
        assert migration is not None
        item: Any = {"migration": {"S": "activities"}, "record": {"S": "state"}, "stage": {"S": "dualwrite"}}
        numbers: Any = {name: {"N": "0"} for name in ("write_weight", "read_weight")}
        self.client.put_item(TableName=migration.control_table, Item={**item, **numbers, "epoch": {"N": "1"}})

    def activities(self) -> list[Activity]:
        """Facts of employees of whom legacy has miscounted nothing by itself, one each."""
        known = {one["employee_id"] for one in self.run("verify", "--output", "json")["differences"]}
        pages = self.client.get_paginator("scan").paginate(TableName=self.pipeline.facts_table)
        items: list[Any] = [item for page in pages for item in page["Items"]]
        texts = ("employee_id", "event_id", "program_id", "activity_type", "occurred_at")
        found = [
            Activity(points=int(item["points"]["N"]), **{name: item[name]["S"] for name in texts})
            for item in items
        ]
        by_employee = {
            one.employee_id: one for one in found if not one.reserved and one.employee_id not in known
        }
        return [by_employee[name] for name in sorted(by_employee)]

    def add(self, row: Row, fold: Fold) -> None:
        key: Any = {"program_id": {"S": row.program_id}}
        table = self.pipeline.program_progress_table
        if row.employee_id is None:
            key["shard"] = {"S": "00"}
        else:
            key["employee_id"] = {"S": row.employee_id}
            table = self.pipeline.employee_progress_table
        values: Any = {
            ":p": {"N": str(fold.points)},
            ":e": {"N": str(fold.events)},
            ":f": {"N": str(fold.fingerprint)},
        }
        self.client.update_item(
            TableName=table,
            Key=key,
            UpdateExpression="ADD points :p, events :e, fingerprint :f",
            ExpressionAttributeValues=values,
        )

    def add_to_legacy(self, one: Activity, times: int) -> None:
        program: Any = {"program_id": {"S": one.program_id}}
        for table, key in (
            (self.legacy.program_progress_table, program),
            (self.legacy.employee_progress_table, {**program, "employee_id": {"S": one.employee_id}}),
        ):
            self.client.update_item(
                TableName=table,
                Key=key,
                UpdateExpression="ADD points :p, events :e",
                ExpressionAttributeValues={":p": {"N": str(one.points * times)}, ":e": {"N": str(times)}},
            )

    def put(self, table: str, one: Activity, **more: str) -> None:
        names = ("employee_id", "event_id", "program_id", "activity_type", "occurred_at")
        texts = {name: getattr(one, name) for name in names} | more
        item: Any = {name: {"S": text} for name, text in texts.items()} | {"points": {"N": str(one.points)}}
        self.client.put_item(TableName=table, Item=item)

    def forget(self, one: Activity) -> None:
        key: Any = {"identity": {"S": "\n".join(one.identity)}}
        self.client.delete_item(TableName=self.pipeline.dedup_table, Key=key)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("repair")
    running = Stack(folder / "home")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        try:
            running.run("local", "up")
            file = str(folder / "activities.jsonl")
            running.run("local", "generate", "--count", "150", "--seed", "7", "--out", file)
            running.run("local", "load", "--file", file)
            running.open()
            stop_watchdog(running.stack)
            running.run("backfill", "start", "--yes")
            running.move_to_dualwrite()
            yield running
        finally:
            running.run("local", "down")


def test_every_damage_at_once_is_repaired_as_it_is_said_to_be(stack: Stack) -> None:
    lost, doubled, altered, misplaced, legacy_twice, legacy_not, *_ = stack.activities()
    for row in rows_of(lost):
        stack.add(row, fold_of(lost) * -1)
    stack.forget(lost)
    for row in rows_of(doubled):
        stack.add(row, fold_of(doubled))
    for row in rows_of(altered):
        stack.add(row, Fold(points=4))
    stack.add(Row(misplaced.employee_id, misplaced.program_id), fold_of(misplaced) * -1)
    stack.add(Row("nobody", misplaced.program_id), fold_of(misplaced))
    missed = Activity("emp-missed", "ev-missed", lost.program_id, "task_completed", 10, LONG_AGO)
    stack.put(stack.legacy.events_table, missed, received_at=LONG_AGO)
    stack.add_to_legacy(missed, 1)
    stack.put(stack.pipeline.facts_table, EXTRA, ingested_at=LONG_AGO, lane="history", side="legacy")
    stack.add_to_legacy(legacy_twice, 1)
    stack.add_to_legacy(legacy_not, -1)

    planned = stack.run("repair", "--output", "json", code=1)
    actions = {(one["employee_id"], one["kind"]): one["action"] for one in planned["plan"]}
    expected = {
        (lost.employee_id, "lost"): "redrive",
        (doubled.employee_id, "doubled"): "compensate",
        (altered.employee_id, "altered"): "compensate",
        (misplaced.employee_id, "misplaced"): "compensate",
        (missed.employee_id, "mirror_missed"): "reconcile",
        (EXTRA.employee_id, "gone_from_legacy"): "leave",
        (legacy_twice.employee_id, "legacy_double_count"): "leave",
        (legacy_not.employee_id, "legacy_partial_update"): "leave",
    }
    assert expected.items() <= actions.items()
    assert set(actions.values()) == {"redrive", "compensate", "reconcile", "leave"}
    assert planned["applied"] is False

    applied = stack.run("repair", "--apply", "--yes", "--output", "json", code=1)
    assert {one["outcome"] for one in applied["deeds"]} == {"done"}
    assert {one["kind"] for one in applied["left"]} == {"gone_from_legacy"}
    verified = stack.run("verify", "--output", "json", code=1)
    failing = {name for name in verified["counts"] if not name.startswith("legacy_")}
    assert failing == {"gone_from_legacy"}

    entries = stack.client.query(
        TableName=stack.stack.outputs.migration.control_table,  # type: ignore[union-attr] # it is deployed
        KeyConditionExpression="migration = :m AND begins_with(#record, :j)",
        ExpressionAttributeNames={"#record": "record"},
        ExpressionAttributeValues={":m": {"S": "activities"}, ":j": {"S": "journal#"}},
    )["Items"]
    repaired = [json.loads(one["detail"]["S"]) for one in entries if one["kind"]["S"] == "repaired"]
    assert {one["id"] for one in repaired} == {one["id"] for one in applied["deeds"]}
    total = Row(doubled.employee_id, TOTAL)
    [delta] = [one["delta"] for one in repaired if one["row"] == str(total)]
    assert delta == {"points": -doubled.points, "events": -1, "fingerprint": -fold_of(doubled).fingerprint}


def test_history_is_installed_and_nothing_is_repaired_again(stack: Stack) -> None:
    alone = ("repair", "--pipeline-only", "--apply", "--yes", "--output", "json")
    installed = stack.run(*alone)
    assert {(one["action"], one["row"]) for one in installed["deeds"]} == {
        ("install_history", str(row)) for row in rows_of(EXTRA)
    }
    assert stack.run(*alone)["deeds"] == []
