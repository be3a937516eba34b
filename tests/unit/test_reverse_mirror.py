"""The reverse mirror: what the pipeline accepted reaches legacy exactly once, in its own layout."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from migration.functions import mirror
from migration.model.legacy.layout import LegacyEvents, LegacyPlan, LegacyProgramProgress
from tests.legacy_aws import VALID, running_legacy
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
    assert legacy.rows("events") == []


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
