"""What a load came to: how sends ended, how long they took, how fast they went."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migration.model.acknowledgements import SendOutcome, reasons
from migration.model.percentiles import Percentiles, percentiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migration.model.answers import Answer
    from migration.model.side import Side


@dataclass(frozen=True, slots=True)
class LoadReport:
    """One side's load.

    Attributes:
        rejected_because: how often each reason was given; one send can have several.
        unknown_because: why sends ended without a deciding answer.
        retried: sends that took more than one try.
        latency: from the moment a send was due to its last answer, in milliseconds.
        rate: sends a second that were achieved.
    """

    side: Side
    sent: int
    acknowledged: int
    rejected: int
    conflicts: int
    unknown: int
    retried: int
    rejected_because: Mapping[str, int]
    unknown_because: Mapping[str, int]
    latency: Percentiles | None
    elapsed_s: float
    rate: float


@dataclass(slots=True)
class Tally:
    """Adds up a load as it runs."""

    outcomes: Counter[SendOutcome] = field(default_factory=Counter)
    rejected_because: Counter[str] = field(default_factory=Counter)
    unknown_because: Counter[str] = field(default_factory=Counter)
    retried: int = 0
    latencies_ms: list[float] = field(default_factory=list)

    def add(self, answer: Answer, tries: int, latency_ms: float) -> None:
        """Take one finished send in."""
        self.outcomes[answer.outcome] += 1
        self.retried += tries > 1
        self.latencies_ms.append(latency_ms)
        if answer.outcome is SendOutcome.REJECTED:
            self.rejected_because.update(reasons(answer.error, answer.problems))
        if answer.outcome is SendOutcome.UNKNOWN:
            self.unknown_because[answer.error] += 1

    def report(self, side: Side, elapsed_s: float) -> LoadReport:
        """Sum up."""
        return LoadReport(
            side=side,
            sent=self.outcomes.total(),
            acknowledged=self.outcomes[SendOutcome.ACKNOWLEDGED],
            rejected=self.outcomes[SendOutcome.REJECTED],
            conflicts=self.outcomes[SendOutcome.CONFLICT],
            unknown=self.outcomes[SendOutcome.UNKNOWN],
            retried=self.retried,
            rejected_because=dict(self.rejected_because.most_common()),
            unknown_because=dict(self.unknown_because.most_common()),
            latency=percentiles(self.latencies_ms),
            elapsed_s=elapsed_s,
            rate=self.outcomes.total() / elapsed_s if elapsed_s else 0.0,
        )
