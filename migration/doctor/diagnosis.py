"""What doctor says of one thing that is half done: what happened, where that leaves things, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Danger(StrEnum):
    """What happens when nobody does anything, least bad first."""

    NONE = "none"  # it stays as it is
    GROWS = "grows"  # nothing is lost yet; later it will be
    NOW = "now"  # activities may go astray at this moment


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that is half done.

    Attributes:
        name: of its kind.
        what: what happened, with the numbers.
        state: where that leaves the migration.
        danger: of doing nothing.
        command: what to run next; run it literally, then ask doctor again.
    """

    name: str
    what: str
    state: str
    danger: Danger
    command: str
