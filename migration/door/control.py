"""The stage as the door knows it: read from the control item, kept for a moment, never a reason to fail.

A failed read keeps the last value; before any read succeeded it is the value baked in at deployment.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final

from migration.door.spared import spared
from migration.door.wire import DynamoWire, MissedError
from migration.model.stages import Control, Stage, read_control

if TYPE_CHECKING:
    from collections.abc import Callable

TTL_S: Final = 1.0  # the promise is that a switch takes effect within 2 s
READ_TIMEOUT_S: Final = 0.5
# A cold start that is slow would route by the baked value, which may be long past.
FIRST_TRIES: Final = 4
FIRST_TIMEOUT_S: Final = 1.0  # of all these tries together
_NEARLY_S: Final = 0.05
_NEVER: Final = float("-inf")


@dataclass(slots=True)
class CachedControl:
    """The control item of one migration, read at most once a `TTL_S`.

    Attributes:
        reachable: whether the table answered the last time.
        blind: whether the door goes by the baked value because the table could not be read.
    """

    table: str
    migration: str
    wire: DynamoWire
    baked: Control
    elapsed: Callable[[], float] = time.monotonic
    reachable: bool = field(default=True, init=False)
    blind: bool = field(default=False, init=False)
    _value: Control | None = field(default=None, init=False)
    _read_at: float = field(default=_NEVER, init=False)

    @property
    def last(self) -> Control:
        """What is known without asking."""
        return self._value or self.baked

    def current(self) -> Control:
        """Return the control value to route by."""
        if self.elapsed() - self._read_at >= TTL_S:
            tries, began = FIRST_TRIES if self._read_at == _NEVER else 1, self.elapsed()
            # Also after a failure: a control table that is down is asked once a TTL, not by every request.
            self._read_at = began
            if not self._renew(tries, began + FIRST_TIMEOUT_S):
                self._read_at = self.elapsed()
        return self.last

    def _renew(self, tries: int, until: float) -> bool:
        """Read what is there; returns whether the table said it."""
        said = self.look()
        while not said and (tries := tries - 1) and until - self.elapsed() > READ_TIMEOUT_S - _NEARLY_S:
            said = self.look()
        self.blind = not said and self._value is None
        return said

    def look(self) -> bool:
        """Read it once, in `READ_TIMEOUT_S` all in all; returns whether the table said what is there."""
        until = self.elapsed() + READ_TIMEOUT_S
        key = {"migration": {"S": self.migration}, "record": {"S": "state"}}
        try:
            self.wire.send("GetItem", {"TableName": self.table, "Key": key})
            answer = self.wire.collect(until - self.elapsed())
        except MissedError:
            self.reachable = False
            return False
        self.reachable = not answer.error
        try:
            self._take(read_control(answer.body["Item"]) if "Item" in answer.body else None)
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
            return False
        return self.reachable

    def _take(self, found: Control | None) -> None:
        """Keep the newest: a read that lags, or an item that was restored, is older than what was seen."""
        if found is not None and (self._value is None or found.epoch >= self._value.epoch):
            self._value = found


def baked_control() -> Control:
    """Read the value baked in at deployment, such as `{"stage":"off"}`; any other is told, and is `off`."""
    return spared(Control(), _baked)


def _baked() -> Control:
    fields = json.loads(os.environ["BAKED_CONTROL"])
    return Control(Stage(fields.pop("stage")), **fields)


@cache
def control() -> CachedControl:
    """Return the process's view of the stage, as its environment describes it."""
    return CachedControl(
        table=os.environ["CONTROL_TABLE"],
        migration=os.environ["MIGRATION"],
        wire=DynamoWire(READ_TIMEOUT_S),
        baked=baked_control(),
    )
