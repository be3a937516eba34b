"""Legacy's own writes beside transactions on its rows: refused for a moment, and no client learns of it."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from legacy import tables
from migration.door import ingest
from migration.model.stages import Control, Stage
from tests.door_world import CONFLICT, deployed_door, reply, set_control
from tests.legacy_aws import VALID, http_event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.server import BaseHTTPRequestHandler

HELD_S = 0.02  # both phases of a transaction


@dataclass
class HeldRows:
    """Every row that legacy adds to is held by a transaction when it comes, for so long."""

    held_s: float = HELD_S
    until: dict[str, float] = field(default_factory=dict)
    added: list[str] = field(default_factory=list)
    refused: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        body: dict[str, Any] = request.received  # type: ignore[attr-defined] # the server leaves it there
        row = body["TableName"]
        with self.lock:
            held = self.until.setdefault(row, time.monotonic() + self.held_s) > time.monotonic()
            self.refused += held
            if not held:
                self.added.append(row)
                del self.until[row]
        reply(*((400, CONFLICT) if held else (200, {})))(request)


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> Iterator[HeldRows]:
    held, caches = HeldRows(), (tables.dynamodb, tables.table)
    names = {
        "LEGACY_HANDLER": "legacy.ingest.handler",
        "EVENTS_TABLE": "events",
        "PROGRAM_PROGRESS_TABLE": "programs",
        "EMPLOYEE_PROGRESS_TABLE": "employees",
    }
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # as in a process that imports the door first
    with deployed_door(monkeypatch, **names) as dynamodb:
        set_control(dynamodb, Control(Stage.DUALWRITE, epoch=3))
        dynamodb.answers["UpdateItem"] = held.answer
        for cached in caches:
            cached.cache_clear()
        yield held
        for cached in caches:
            cached.cache_clear()


def send(number: int) -> int:
    fields = {**VALID, "event_id": f"ev-{number}"}
    return int(ingest.handler(http_event("POST", "/activities", json.dumps(fields)), None)["statusCode"])


def test_a_client_learns_nothing_of_rows_that_a_transaction_holds(rows: HeldRows) -> None:
    assert [send(number) for number in range(5)] == [202] * 5
    assert rows.refused >= 10, "each row was held when legacy came"
    assert rows.added == ["programs", "employees"] * 5, "each was added to once"


def test_a_row_that_stays_held_is_legacys_own_failure_in_the_end(
    rows: HeldRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows.held_s = 60
    began = time.monotonic()
    assert send(1) == 503
    assert rows.refused > 3
    assert time.monotonic() - began < 10, "a client waits a second for it"
