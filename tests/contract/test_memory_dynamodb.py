"""DynamoDB in memory does for the handlers what moto's does: the same answers, the same rows after them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from legacy import ingest as legacy_ingest
from legacy.activity import read_activity
from migration.aws.tables.legacy_folds import AT_ONCE, LegacyFolds
from migration.aws.tables.legacy_rows import BusyError, LegacyRows, mark_of
from migration.aws.tables.mirrored_fact import mirrored
from migration.door.mirror import _put
from migration.model.fold import Activity, Fold, Row
from migration.model.legacy.layout import LegacyPlan
from migration.model.stages import Control, Stage, read_control
from pipeline.domain.activity import Activity as Incoming
from pipeline.domain.aggregator import Outcome
from pipeline.domain.batch import Row as LiveRow
from pipeline.domain.fact import changing, fact_item
from pipeline.stores.facts import FactTable, PutResult
from tests.memory_dynamodb import LegacyTable, MemoryDynamoDB, answer_of, resource
from tests.pipeline_aws import create_table, create_tables, scan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.aws.tables.mirrored_fact import MirroredFact

AT = "2026-03-01T09:30:00.000Z"
TABLES = {
    "EVENTS_TABLE": ("employee_id", "event_id"),
    "PROGRAM_PROGRESS_TABLE": ("program_id",),
    "EMPLOYEE_PROGRESS_TABLE": ("employee_id", "program_id"),
    "control": ("migration", "record"),
}


@dataclass
class Account:
    client: Any
    memory: MemoryDynamoDB | None

    def facts(self) -> list[dict[str, Any]]:
        if self.memory is None:
            return scan(self.client, "memory", "facts")
        return [
            {"event_id": fact.activity.event_id, "points": fact.activity.points, "side": fact.side.value}
            for fact in self.memory.facts.by_identity.values()
        ]

    def legacy_totals(self) -> dict[Row, Fold]:
        if self.memory is not None:
            return dict(self.memory.legacy.totals)
        items: list[dict[str, Any]] = [
            dict(item)
            for table in ("PROGRAM_PROGRESS_TABLE", "EMPLOYEE_PROGRESS_TABLE")
            for item in boto3.resource("dynamodb").Table(table).scan()["Items"]
        ]
        return {
            Row(one.get("employee_id"), one["program_id"]): Fold(int(one["points"]), int(one["events"]))
            for one in items
        }


@pytest.fixture(params=["memory", "moto"])
def account(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    if request.param == "memory":
        memory = MemoryDynamoDB()
        monkeypatch.setattr(legacy_ingest, "dynamodb", resource)
        monkeypatch.setattr(legacy_ingest, "table", lambda name: LegacyTable(name, memory.legacy))
        memory.checkpoints.state = Control(Stage.LIVE, 1, 2, 3)
        yield Account(memory, memory)
        return
    with mock_aws():
        client = boto3.client("dynamodb")
        create_tables(client, "memory")
        for name, keys in TABLES.items():
            create_table(client, name, *keys)
        numbers = {"write_weight": {"N": "1"}, "read_weight": {"N": "2"}, "epoch": {"N": "3"}}
        key = {"migration": {"S": "m"}, "record": {"S": "state"}}
        client.put_item(TableName="control", Item={**key, "stage": {"S": "live"}, **numbers})
        there = boto3.resource("dynamodb")
        monkeypatch.setattr(legacy_ingest, "dynamodb", lambda: there)
        monkeypatch.setattr(legacy_ingest, "table", there.Table)
        yield Account(client, None)


def test_a_fact_is_put_once_and_a_taken_identity_is_shown(account: Account) -> None:
    table = FactTable(account.client, "memory-facts")
    one = Incoming("ev-1", "e-1", "p-1", "task_completed", 5, AT)
    other = Incoming("ev-1", "e-1", "p-1", "task_completed", 6, AT)
    assert [table.put(each, AT) for each in (one, one, other)] == [
        PutResult.CREATED,
        PutResult.DUPLICATE,
        PutResult.CONFLICT,
    ]
    mirrored = answer_of(account.client.put_item, _put("memory-facts", one, AT))
    assert mirrored.error == "ConditionalCheckFailedException"
    assert mirrored.body["Item"]["side"] == {"S": "pipeline"}
    [fact] = account.facts()
    assert {name: fact[name] for name in ("event_id", "points", "side")} == {
        "event_id": "ev-1",
        "points": 5,
        "side": "pipeline",
    }


def test_a_fact_of_the_forward_mirrors_is_handed_over_once(account: Account) -> None:
    table = FactTable(account.client, "memory-facts")
    one = Incoming("ev-1", "e-1", "p-1", "task_completed", 5, AT)
    account.client.put_item(**_put("memory-facts", one, AT))
    assert account.facts()[0]["side"] == "legacy"
    assert table.put(replace(one, points=6), AT) is PutResult.CONFLICT
    assert account.facts()[0]["side"] == "legacy"
    assert [table.put(one, AT) for _ in range(2)] == [PutResult.DUPLICATE] * 2
    assert account.facts()[0]["side"] == "pipeline"


def test_a_fact_that_changed_meanwhile_is_not_handed_over_and_is_shown(account: Account) -> None:
    one = Incoming("ev-1", "e-1", "p-1", "task_completed", 5, AT)
    was, to = fact_item(one, AT, lane="live", side="legacy"), {"side": {"S": "pipeline"}}
    shown = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD", "TableName": "memory-facts"}
    gone = answer_of(account.client.update_item, {**changing(was, to), **shown})
    assert (gone.error, gone.body["Item"]) == ("ConditionalCheckFailedException", {})
    account.client.put_item(**_put("memory-facts", replace(one, points=6), AT))
    other = answer_of(account.client.update_item, {**changing(was, to), **shown})
    assert (other.error, other.body["Item"]["points"]) == ("ConditionalCheckFailedException", {"N": "6"})
    assert account.facts()[0]["side"] == "legacy"


def test_the_control_item_is_read(account: Account) -> None:
    key = {"migration": {"S": "m"}, "record": {"S": "state"}}
    answer = answer_of(account.client.get_item, {"TableName": "control", "Key": key})
    assert read_control(answer.body["Item"]) == Control(Stage.LIVE, 1, 2, 3)


def test_legacys_own_ingest_adds_again_and_refuses_other_content(account: Account) -> None:
    def post(points: int) -> int:
        body = Activity("e-1", "ev-1", "p-1", "task_completed", points, AT)
        fields = {name: getattr(body, name) for name in Activity.__dataclass_fields__}
        parsed = read_activity(fields, legacy_ingest.now())
        assert not isinstance(parsed, list)
        return int(legacy_ingest._accept(parsed, legacy_ingest.now())["statusCode"])

    assert [post(5), post(5), post(6)] == [202, 202, 409]
    twice = Fold(10, 2)
    assert account.legacy_totals() == {Row(None, "p-1"): twice, Row("e-1", "p-1"): twice}


def mirrored_rows(account: Account) -> tuple[LegacyRows, list[MirroredFact]]:
    names = ("EVENTS_TABLE", "PROGRAM_PROGRESS_TABLE", "EMPLOYEE_PROGRESS_TABLE")
    activities = (
        Activity("e-1", f"ev-{number}", "p-1", "task_completed", number, AT) for number in (1, 2, 3)
    )
    return LegacyRows(account.client, *names, LegacyPlan().written()), [
        mirrored(one, AT) for one in activities
    ]


def test_facts_are_added_to_legacy_once(account: Account) -> None:
    rows, (one, two, three) = mirrored_rows(account)
    folds = LegacyFolds(rows, wait=lambda _: None, has_time=lambda: True)
    assert folds.fold([one, two]) == Outcome(folded={one.identity, two.identity})
    again = Outcome(folded={three.identity}, duplicates={two.identity})
    assert folds.fold([three, two]) == again
    assert account.legacy_totals() == {Row(None, "p-1"): Fold(6, 3), Row("e-1", "p-1"): Fold(6, 3)}


def test_facts_that_there_is_no_time_for_are_left_and_those_before_are_done(account: Account) -> None:
    """A function that is ended in the middle tells nothing of what it did, and all of it comes again."""
    rows, _ = mirrored_rows(account)
    facts = [
        mirrored(Activity(f"e-{number}", f"ev-{number}", "p-1", "task_completed", 1, AT), AT)
        for number in range(3 * AT_ONCE)
    ]
    turns = iter([True] * 6 * AT_ONCE)  # calls: some 107 for the first 25 facts
    outcome = LegacyFolds(rows, wait=lambda _: None, has_time=lambda: next(turns, False)).fold(facts)
    assert len(outcome.folded) == AT_ONCE
    assert set(outcome.failed.values()) == {"out of time"}
    assert outcome.folded | outcome.failed.keys() == {fact.identity for fact in facts}


def test_each_step_of_adding_to_legacy_does_what_its_condition_allows(account: Account) -> None:
    rows, (one, two, _) = mirrored_rows(account)
    program, mark = LiveRow("p-1"), mark_of(one.identity)
    [before] = rows.read([program]).values()
    rows.begin(one)
    assert rows.begun([one, two]) == {one.identity: True, two.identity: False}
    rows.add(program, before, one.fold, [mark])
    with pytest.raises(BusyError):
        rows.add(program, before, two.fold, [mark_of(two.identity)])
    [held] = rows.read([program]).values()
    assert held.marks == {mark}
    rows.finish(one)
    rows.begin(one)
    assert rows.begun([one]) == {one.identity: False}
    for _ in range(2):
        rows.unmark(program, [mark])
        rows.finish(two)
    [held] = rows.read([program]).values()
    assert held.marks == frozenset()
    rows.begin(two)
    rows.add(program, held, two.fold, [mark_of(two.identity)])
    assert account.legacy_totals() == {Row(None, "p-1"): Fold(3, 2)}
