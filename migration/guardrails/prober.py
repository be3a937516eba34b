"""Sending pulses through the front door, so that there is evidence when clients are quiet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Accepted:
    """The pipeline answered it as it should."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The pipeline did not take it, or failed; the door has counted that."""

    why: str


@dataclass(frozen=True, slots=True)
class NotRouted:
    """In stage `off` nobody takes pulses."""


class Prober(Protocol):
    """Sends one pulse at a time."""

    def pulse(self) -> Accepted | Refused | NotRouted:
        """Send one, and wait for its answer.

        Raises:
            RemoteError: when the door could not be asked.
        """
        ...
