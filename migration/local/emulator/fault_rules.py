"""Which fault, if any, meets a call: the rules that are armed, and the log of what they did.

Decides and remembers; never touches a request. Calls come from the server's loop and from its delivery
threads.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from migration.local.emulator.faults import Fault, Injection
from migration.local.emulator.named_items import HeldItems, holds, may_lag
from migration.model.moments import moment_text

if TYPE_CHECKING:
    from migration.local.emulator.wire import Call

_REMEMBERED: Final = 10_000
_BODY_START: Final = 400


@dataclass(slots=True)
class _Armed:
    fault: Fault
    draw: random.Random
    met: int = 0

    def matches(self, call: Call) -> bool:
        fault = self.fault
        return (
            fnmatchcase(call.service, fault.service)
            and fnmatchcase(call.operation, fault.operation)
            and (fault.contains is None or fault.contains.encode() in call.body)
            and (fault.kind != "hold" or holds(call))
            and (fault.kind != "lag" or may_lag(call))
        )

    def is_due(self) -> bool:
        """Draw, and count; a spent fault is not due."""
        if self.fault.count is not None and self.met >= self.fault.count:
            return False
        due = self.draw.random() < self.fault.probability
        self.met += due
        return due


@dataclass(slots=True)
class Rules:
    """The armed faults of one server, in the order in which they were armed, and what they hold."""

    held: HeldItems = field(default_factory=lambda: HeldItems(lambda _table: ()))
    _armed: dict[str, _Armed] = field(default_factory=dict)
    _log: deque[Injection] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def concerns(self, service: str) -> bool:
        """Tell cheaply whether a call of this service could meet a fault at all."""
        with self._lock:
            armed = any(fnmatchcase(service, armed.fault.service) for armed in self._armed.values())
            return armed or (service == "dynamodb" and bool(self.held))

    def decide(self, call: Call) -> Fault | None:
        """Return the fault that meets this call, logged and counted, or None.

        An item that is held refuses before any rule is asked. Who carries out a `hold` must release it.
        """
        with self._lock:
            if (refusal := self.held.refusal(call)) is not None:
                self._log.append(_injection(*refusal, call))
                return refusal[1]
            for fault_id, armed in self._armed.items():
                if armed.matches(call) and armed.is_due():
                    self._log.append(_injection(fault_id, armed.fault, call))
                    if armed.fault.kind == "hold":
                        self.held.hold(call, fault_id)
                    return armed.fault
        return None

    def release(self, call: Call) -> None:
        """Let go of what a transaction held."""
        with self._lock:
            self.held.release(call)

    def arm(self, fault: Fault) -> str:
        """Add a fault after the others; return its id."""
        with self._lock:
            fault_id = str(next(self._ids))
            # Seeded draws on purpose: the same run injects the same faults.
            self._armed[fault_id] = _Armed(fault, random.Random(fault.seed))  # noqa: S311
        return fault_id

    def withdraw(self, fault_id: str) -> None:
        """Disarm one fault, if it is armed."""
        with self._lock:
            self._armed.pop(fault_id, None)

    def clear(self) -> None:
        """Disarm all faults and empty the log."""
        with self._lock:
            self._armed.clear()
            self._log.clear()

    def report(self) -> dict[str, Any]:
        """List the armed faults, with how many calls each met, and the log."""
        with self._lock:
            return {
                "faults": [
                    {"id": fault_id, "met": armed.met, "fault": armed.fault.model_dump(mode="json")}
                    for fault_id, armed in self._armed.items()
                ],
                "log": [asdict(injection) for injection in self._log],
            }


def _injection(fault_id: str, fault: Fault, call: Call) -> Injection:
    return Injection(
        at=moment_text(time.time()),
        fault=fault_id,
        kind=fault.kind,
        service=call.service,
        operation=call.operation,
        body=call.body[:_BODY_START].decode(errors="replace"),
    )
