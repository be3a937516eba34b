"""What clients saw of a cutover, from the acknowledgement ledger's lines alone: success, gaps, latency.

    sends     |-- a --x   |---- b -----x     |-- c --x         x: an acknowledgement
    no acknowledgement    <----------->      <------>          while somebody waited for one
    between two                <---------------->              whether anybody waited or not

A time in which nobody asked is no outage, so both are told.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from migration.model.answers import SendOutcome
from migration.model.moments import moment_text
from migration.model.percentiles import Percentiles, percentiles

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Span:
    """A time without an acknowledgement; it began at `at`, UTC text with milliseconds."""

    at: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ClientExperience:
    """What clients saw.

    Attributes:
        sends: how many bodies were sent, on either side.
        acknowledged, rejected, conflicts: how they were decided; a refusal is a right answer too.
        failed: how many never got a deciding answer.
        retried: how many took more than one try.
        waited: the longest time in which somebody waited and nobody was acknowledged.
        between: the longest time between two acknowledgements.
        latency: of decided sends.
        first, last: when the first send left, and the last answer came.
    """

    sends: int
    acknowledged: int
    rejected: int
    conflicts: int
    failed: int
    retried: int
    waited: Span | None
    between: Span | None
    latency: Percentiles | None
    first: str
    last: str

    @property
    def success(self) -> float:
        """The share of sends that were decided."""
        return 1 - self.failed / self.sends if self.sends else 1.0


@dataclass(frozen=True, slots=True)
class _Send:
    at: float
    answered_at: float | None = None
    outcome: SendOutcome = SendOutcome.UNKNOWN
    tries: int = 0
    latency_ms: float = 0.0


def read_clients(lines: Iterable[str]) -> ClientExperience | None:
    """Read a ledger's lines; None when nothing was sent. A line that a crash cut short is left out."""
    sends: dict[str, _Send] = {}
    for entry in _entries(lines):
        name = entry["send"]
        if entry["kind"] == "send":
            sends[name] = _Send(float(entry["at"]))
        elif name in sends:
            sends[name] = _Send(
                sends[name].at,
                float(entry["answered_at"]),
                SendOutcome(entry["outcome"]),
                len(entry["tries"]),
                float(entry["latency_ms"]),
            )
    return _told(list(sends.values())) if sends else None


def _entries(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            entry = json.loads(line)
            fits = entry["kind"] in ("send", "answer") and isinstance(entry["send"], str)
        except (ValueError, KeyError, TypeError):
            continue
        if fits:
            yield entry


def _told(sends: Sequence[_Send]) -> ClientExperience:
    count = {one: sum(send.outcome is one for send in sends) for one in SendOutcome}
    decided = [send for send in sends if send.outcome is not SendOutcome.UNKNOWN]
    acknowledged = sorted(
        send.answered_at
        for send in sends
        if send.answered_at is not None and send.outcome is SendOutcome.ACKNOWLEDGED
    )
    ends = [send.answered_at for send in sends if send.answered_at is not None]
    first = min(send.at for send in sends)
    return ClientExperience(
        sends=len(sends),
        acknowledged=count[SendOutcome.ACKNOWLEDGED],
        rejected=count[SendOutcome.REJECTED],
        conflicts=count[SendOutcome.CONFLICT],
        failed=count[SendOutcome.UNKNOWN],
        retried=sum(send.tries > 1 for send in sends),
        waited=_longest(_waiting(sends, acknowledged)),
        between=_longest(pairwise(acknowledged)),
        latency=percentiles([send.latency_ms for send in decided]),
        first=moment_text(first),
        last=moment_text(max([first, *ends])),
    )


def _waiting(sends: Sequence[_Send], acknowledged: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Cut the times in which at least one send waited at every acknowledgement."""
    for begun, ended in _busy(sends):
        inside = acknowledged[bisect_left(acknowledged, begun) : bisect_right(acknowledged, ended)]
        yield from pairwise((begun, *inside, ended))


def _busy(sends: Sequence[_Send]) -> Iterator[tuple[float, float]]:
    """Join the times from a send to its answer where they overlap."""
    waits = sorted((send.at, send.answered_at) for send in sends if send.answered_at is not None)
    begun, until = waits[0] if waits else (0.0, 0.0)
    for at, answered_at in waits:
        if at > until:
            yield begun, until
            begun = at
        until = max(until, answered_at)
    if waits:
        yield begun, until


def _longest(spans: Iterable[tuple[float, float]]) -> Span | None:
    begun, ended = max(spans, key=lambda span: span[1] - span[0], default=(0.0, -1.0))
    return None if ended < begun else Span(moment_text(begun), round(ended - begun, 3))
