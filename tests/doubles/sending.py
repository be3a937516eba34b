"""What a load is sent by and written down in, in memory."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migration.model.acknowledgements import answer_entry, read_ledger, send_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from migration.load.sending import NoReply, Reply
    from migration.model.acknowledgements import Ledger
    from migration.model.answers import Answer
    from migration.model.side import Side


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
