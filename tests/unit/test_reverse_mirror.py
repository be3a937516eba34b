"""The reverse mirror: what the pipeline accepted reaches legacy exactly once, in its own layout."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from migration.aws.tables.legacy_rows import MARK
from migration.functions import mirror
from migration.model.legacy.layout import LegacyEvents, LegacyPlan, LegacyProgramProgress
from tests.legacy_aws import VALID, running_legacy
from tests.pipeline_aws import create_table
from tests.waiting import hurry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.legacy_aws import LegacySystem


class Context:
    """What the handler asks of Lambda."""

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@pytest.fixture
def legacy(monkeypatch: pytest.MonkeyPatch) -> Iterator[LegacySystem]:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("LEGACY_SHAPE", "{}")
    mirror.tables.cache_clear()
    with running_legacy() as system:
        yield system
    mirror.tables.cache_clear()


def fact(number: int, **changes: str) -> dict[str, str]:
    return {
        "employee_id": "emp-1",
        "event_id": f"ev-{number}",
        "program_id": "prog-1",
        "activity_type": "task_completed",
        "points": "10",
        "occurred_at": "2026-03-01T09:30:00.000Z",
        "ingested_at": "2026-03-01T09:30:01.000Z",
        **changes,
    }


def deliver(*bodies: Any) -> list[int]:
    texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
    records = [{"messageId": str(n), "body": text} for n, text in enumerate(texts)]
    answer = mirror.handler({"Records": records}, Context())
    return sorted(int(failure["itemIdentifier"]) for failure in answer["batchItemFailures"])


def test_a_mirrored_activity_leaves_the_rows_that_legacy_itself_would_leave(legacy: LegacySystem) -> None:
    legacy.post(**VALID)
    [own], program, employee = legacy.rows("events"), legacy.program(), legacy.employee()
    assert deliver(fact(1, employee_id="emp-2", program_id="prog-2")) == []
    [_, mirrored] = legacy.rows("events")
    assert {**mirrored, "employee_id": "emp-1", "program_id": "prog-1"} == {
        name: value for name, value in own.items() if name != "received_at"
    }
    assert (legacy.program("prog-2"), legacy.employee("emp-2")) == (program, employee)


def test_redelivery_and_duplicates_change_nothing(legacy: LegacySystem) -> None:
    assert deliver(fact(1), fact(1), fact(2)) == []
    assert deliver(fact(2), fact(1), fact(3)) == []
    assert legacy.program() == legacy.employee() == (30, 3)


def test_what_legacy_took_itself_is_not_added_again(legacy: LegacySystem) -> None:
    legacy.post(event_id="ev-1")
    assert deliver(fact(1), fact(2)) == []
    assert legacy.program() == legacy.employee() == (20, 2)


def test_an_unprocessable_message_is_given_back_and_the_rest_is_applied(legacy: LegacySystem) -> None:
    incomplete = fact(1)
    del incomplete["activity_type"]
    assert deliver(fact(2), incomplete, "nope", fact(3, points="x")) == [1, 2, 3]
    assert legacy.program() == (10, 1)


def test_a_legacy_table_that_is_gone_gives_the_batch_back(
    legacy: LegacySystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch, "migration.functions.mirror")
    legacy.client.delete_table(TableName="legacy-program-progress")
    assert deliver(fact(1), fact(2)) == [0, 1]
    assert legacy.employee() == (0, 0)
    create_table(legacy.client, "legacy-program-progress", "program_id")
    assert deliver(fact(1), fact(2)) == []
    assert legacy.program() == legacy.employee() == (20, 2)


def test_legacys_own_names_are_used(legacy: LegacySystem) -> None:
    layout = LegacyPlan(
        events=LegacyEvents(points="score", activity_type="kind"),
        program_progress=LegacyProgramProgress(points="total", events="n"),
    )
    tables = replace(mirror.tables(), layout=layout.written())
    mirror.tables.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mirror, "tables", lambda: tables)
        assert deliver(fact(1)) == []
    [event] = legacy.rows("events")
    assert (event["score"], event["kind"]) == (10, "task_completed")
    [program] = legacy.rows("program-progress")
    assert (program["total"], program["n"]) == (10, 1)


@pytest.mark.parametrize("poison", ["event", "program", "employee", "long key", "overflow"])
def test_what_a_table_cannot_take_stops_nothing_else(legacy: LegacySystem, poison: str) -> None:
    """One such fact had kept the nine others of its chunk from legacy, every time."""
    own: Any = {"employee_id": "emp-x", "program_id": "prog-x"}
    full: Any = Decimal("9" * 38) if poison == "overflow" else "not a number"
    if poison in {"program", "overflow"}:
        row = {"program_id": own["program_id"], "points": full}
        legacy.client.put_item(TableName="legacy-program-progress", Item=row)
    if poison == "employee":
        legacy.client.put_item(TableName="legacy-employee-progress", Item={**own, "points": full})
    changes = {"employee_id": "emp-x", "program_id": "prog-x"}
    if poison == "event":
        changes = {"activity_type": "x" * 420_000}
    if poison == "long key":
        changes = {"program_id": "p" * 2_049}
    assert deliver(*(fact(n) for n in range(4)), fact(4, **changes), *(fact(n) for n in range(5, 10))) == [4]
    assert legacy.program() == legacy.employee() == (90, 9)
    stuck = [row for row in legacy.rows("events") if MARK in row]
    assert len(stuck) == (poison != "event")
    if poison == "employee":  # nothing of it is counted before all of it can be
        assert legacy.program("prog-x") == (0, 0)
        legacy.client.delete_item(TableName="legacy-employee-progress", Key=own)
        assert deliver(fact(4, **changes)) == []
        assert legacy.program("prog-x") == legacy.employee("emp-x") == (10, 1)


def test_a_throttled_write_is_made_again(legacy: LegacySystem, monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch, "migration.functions.mirror")
    left = {"PutItem": 2, "UpdateItem": 3, "BatchGetItem": 1}

    def throttle(model: Any, **_: object) -> Any:
        if not left.get(model.name):
            return None
        left[model.name] -= 1
        code = "ProvisionedThroughputExceededException"
        return SimpleNamespace(status_code=400, headers={}, content=b""), {"Error": {"Code": code}}

    mirror.tables().client.meta.events.register_first("before-call.dynamodb", throttle)
    assert deliver(*(fact(n) for n in range(5))) == []
    assert legacy.program() == legacy.employee() == (50, 5)
    assert set(left.values()) == {0}


def test_adding_costs_no_more_writes_than_a_transaction_did(legacy: LegacySystem) -> None:
    """A transaction is charged twice: 2 an event, 2 a row. These are plain: 1 and 1 again."""
    writes = dict.fromkeys(("PutItem", "UpdateItem", "TransactWriteItems", "BatchGetItem"), 0)

    def count(model: Any, **_: object) -> None:
        writes[model.name] = writes.get(model.name, 0) + 1

    mirror.tables().client.meta.events.register("before-call.dynamodb", count)
    assert deliver(*(fact(n, employee_id=f"emp-{n}") for n in range(10))) == []
    events, rows = 10, 1 + 10
    assert writes["PutItem"] + writes["UpdateItem"] == 2 * events + 2 * rows
    assert (writes["TransactWriteItems"], writes["BatchGetItem"]) == (0, 5)
