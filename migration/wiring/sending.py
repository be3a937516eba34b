"""Puts a load together: bodies, sides, connections and ledger."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

from migration.aws.files.ledger_file import LedgerFile
from migration.aws.transport.clock import SystemClock
from migration.aws.transport.http import HttpSender
from migration.load.load import DueBody, Load, run_together
from migration.model.errors import UsageError
from migration.model.side import Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from migration.load.report import LoadReport
    from migration.plan.outputs import StackOutputs

TIMEOUT: Final = timedelta(seconds=30)  # longer than any function runs, so that none works for nobody
UNCOUNTED: Final = MappingProxyType[str, "Callable[[], None]"]({})


class Bodies(Protocol):
    """Request bodies that can be gone through more than once."""

    def __iter__(self) -> Iterator[bytes]:
        """Begin with the first one."""
        ...

    def __len__(self) -> int:
        """Count them."""
        ...


@dataclass(frozen=True, slots=True)
class Sending:
    """What is sent, when, and over how many connections to each side.

    Attributes:
        bodies: one request each.
        due_s: when each is due, in seconds after the start; None for as fast as the connections allow.
        concurrency: connections to each side.
    """

    bodies: Bodies
    due_s: Sequence[float] | None
    concurrency: int

    def arrivals(self) -> Iterator[DueBody]:
        """Pair bodies with their due times."""
        if self.due_s is None:
            yield from map(DueBody, self.bodies)
        else:
            yield from map(DueBody, self.bodies, self.due_s)


def send(
    sending: Sending,
    outputs: StackOutputs,
    sides: Sequence[Side],
    ledger: Path,
    steps: Mapping[str, Callable[[], None]] = UNCOUNTED,
) -> list[LoadReport]:
    """Send everything to one side after the other, each step told; returns a report a side.

    Not to both at once: they share a machine here, so each would measure the other, too. And legacy
    comes first: what the pipeline accepts is mirrored back to legacy, which would count a direct send
    of it once more.
    """
    with LedgerFile(ledger, run=secrets.token_hex(4)) as file:
        reports = []
        for side in sorted(sides):
            sender = HttpSender(_ingest_url(outputs, side), sending.concurrency, TIMEOUT)
            load = Load(
                side,
                sender,
                file,
                SystemClock(),
                sending.concurrency,
                steps.get(side, lambda: None),
                ramp=sending.due_s is None,
            )
            reports += run_together([(load, sending.arrivals())])
        return reports


def sides_of(outputs: StackOutputs) -> list[Side]:
    """Name the sides that a stack has."""
    return [side for side in Side if getattr(outputs, side) is not None]


def _ingest_url(outputs: StackOutputs, side: Side) -> str:
    found = getattr(outputs, side)
    if found is None:
        raise UsageError(
            f"phase {outputs.phase} has no {side}",
            hint="deploy a phase that has it, or send to the other side with --to",
            next_command=outputs.deploying("expand"),
        )
    url: str = found.ingest_url
    return url
