"""The ports in memory: what tests and rehearsals use, held to the same contract as the real ones."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migration.compare.ledger.pipeline import is_reserved
from migration.model.acknowledgements import answer_entry, read_ledger, send_entry
from migration.model.fold import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from migration.load.sending import NoReply, Reply
    from migration.model.acknowledgements import Ledger
    from migration.model.answers import Answer
    from migration.model.fold import Activity, Fold, Row
    from migration.model.side import Side


@dataclass(slots=True)
class MemoryClock:
    """A clock that moves only when somebody sleeps."""

    at: float = 1_772_357_400.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> float:
        """Give the epoch time in seconds."""
        return self.at

    def elapsed(self) -> float:
        """Give the same, as a time that never goes backward."""
        return self.at

    def sleep(self, seconds: float) -> None:
        """Move on at once."""
        with self._lock:
            self.at += seconds


@dataclass(slots=True)
class MemorySender:
    """Answers bodies as a function says."""

    answer: Callable[[bytes], Reply | NoReply]

    def send(self, body: bytes) -> Reply | NoReply:
        """Make one attempt."""
        return self.answer(body)


@dataclass(slots=True)
class MemoryLedger:
    """An acknowledgement ledger as a list of lines."""

    lines: list[str] = field(default_factory=list)

    def sending(self, side: Side, body: bytes, at: float) -> str:
        """Take down that a body is about to be sent."""
        send = f"memory-{len(self.lines)}"
        self.lines.append(json.dumps(send_entry(send, side, body, at)))
        return send

    def answered(self, send: str, answer: Answer, tries: Sequence[str], at: float, latency_ms: float) -> None:
        """Take down how a send ended."""
        self.lines.append(json.dumps(answer_entry(send, answer, tries, at, latency_ms)))

    def read(self) -> Ledger:
        """Read it back."""
        return read_ledger(self.lines)


@dataclass(slots=True)
class MemoryTables:
    """A side's tables: facts of the live lane, aggregates by row, and messages on their way."""

    facts: list[Activity] = field(default_factory=list)
    aggregates: dict[Row, Fold] = field(default_factory=dict)
    messages: int = 0

    def activities(self) -> Iterator[Activity]:
        """Read every fact."""
        yield from self.facts

    def folds(self) -> Mapping[Row, Fold]:
        """Read every aggregate."""
        return {row: fold for row, fold in self.aggregates.items() if not is_reserved(row)}

    def stored(self) -> int:
        """Count the facts."""
        return sum(not fact.reserved for fact in self.facts)

    def folded(self) -> int:
        """Count the events that the program folds hold."""
        return whole(self.folds()).events

    def queued(self) -> int:
        """Count the messages."""
        return self.messages
