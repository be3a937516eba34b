"""One attempt to hand a body to a side. A side that does not answer is an expected outcome, not an error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Reply:
    """What a side answered."""

    status: int
    body: bytes
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class NoReply:
    """Why there is no answer; whether the body arrived is unknown."""

    reason: str


class Sender(Protocol):
    """Sends activities to one side; used from many threads at once."""

    def send(self, body: bytes) -> Reply | NoReply:
        """Make one attempt, without retries."""
        ...
