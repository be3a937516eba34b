"""The stage as the door knows it: read from the control item, kept for a moment, never a reason to fail.

A failed read keeps the last value; before any read succeeded it is the value baked in at deployment. So does
an item that is older than one that was seen: a read that lags, or an item that was restored.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from migration.door.guard import quietly
from migration.door.wire import DynamoWire
from migration.model.stages import Control, Stage, read_control

if TYPE_CHECKING:
    from collections.abc import Callable

    from migration.door.wire import WireAnswer

TTL_S: Final = 1.0  # the promise is that a switch takes effect within 2 s
READ_TIMEOUT_S: Final = 0.5
FIRST_TRIES: Final = 4  # a cold start that is slow would route by the baked value, which may be long past


@dataclass(slots=True)
class CachedControl:
    """The control item of one migration, read at most once a `TTL_S`.

    `reachable` tells whether the table answered the last time.
    """

    table: str
    migration: str
    wire: DynamoWire
    baked: Control
    elapsed: Callable[[], float] = time.monotonic
    reachable: bool = field(default=True, init=False)
    _value: Control | None = field(default=None, init=False)
    _read_at: float = field(default=float("-inf"), init=False)

    def current(self) -> Control:
        """Return the control value to route by."""
        if self.elapsed() - self._read_at >= TTL_S:
            tries = FIRST_TRIES if self._read_at == float("-inf") else 1
            # Also after a failure: a control table that is down is asked once a TTL, not by every request.
            self._read_at = self.elapsed()
            any(self._read() for _ in range(tries))
        return self._value or self.baked

    def _read(self) -> bool:
        """Ask once; tells whether the table answered, if only that it holds nothing."""
        answer = quietly(self._ask, None)
        self.reachable = answer is not None and not answer.error
        return (
            answer is not None
            and self.reachable
            and quietly(lambda: self._take(answer.body), otherwise=False)
        )

    def _ask(self) -> WireAnswer:
        key = {"migration": {"S": self.migration}, "record": {"S": "state"}}
        self.wire.send("GetItem", {"TableName": self.table, "Key": key})
        return self.wire.collect(READ_TIMEOUT_S)

    def _take(self, body: dict[str, Any]) -> bool:
        if "Item" in body:
            read = read_control(body["Item"])
            if self._value is None or read.epoch >= self._value.epoch:
                self._value = read
        return True


def baked_control(text: str) -> Control:
    """Read the value baked in at deployment, such as `{"stage":"off"}`."""
    fields = json.loads(text)
    return Control(Stage(fields.pop("stage")), **fields)


def value_of(source: Callable[[], CachedControl]) -> Control:
    """Give the value to route by; the baked one where there is no view of the stage, else legacy alone."""
    return quietly(lambda: source().current(), None) or quietly(_baked, Control())


def _baked() -> Control:
    return baked_control(os.environ["BAKED_CONTROL"])


@cache
def control() -> CachedControl:
    """Return the process's view of the stage, as its environment describes it."""
    return CachedControl(
        table=os.environ["CONTROL_TABLE"],
        migration=os.environ["MIGRATION"],
        wire=DynamoWire(READ_TIMEOUT_S),
        baked=quietly(_baked, Control()),
    )
