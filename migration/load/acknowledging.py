"""The acknowledgement ledger as it is written: each line is kept before the caller goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migration.model.answers import Answer
    from migration.model.side import Side


class AcknowledgementLedger(Protocol):
    """Takes down what is sent and answered; used from many threads at once."""

    def sending(self, side: Side, body: bytes, at: float) -> str:
        """Take down that a body is about to be sent (epoch seconds); returns the name of this send."""
        ...

    def answered(self, send: str, answer: Answer, tries: Sequence[str], at: float, latency_ms: float) -> None:
        """Take down how a send ended, and what each try on the way met."""
        ...
