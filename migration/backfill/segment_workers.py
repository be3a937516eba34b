"""Functions that copy segments elsewhere, many at once, whether or not anybody here watches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from migration.model.backfill import Job


@dataclass(frozen=True, slots=True)
class Execution:
    """All segments of a run being copied.

    Attributes:
        name: as AWS names it, so that anybody can look it up there.
        running: whether it goes on.
        status: in AWS's own word.
        at_work, waiting, failed: segments; a failed one's checkpoint says how far it came.
    """

    name: str
    running: bool
    status: str
    at_work: int = 0
    waiting: int = 0
    failed: int = 0


class SegmentWorkers(Protocol):
    """One stack's functions that copy."""

    def begin(self, job: Job) -> str | None:
        """Begin to copy all segments of a run, or find the execution of that number that is under way.

        Returns its name; None when the execution of that number is over already.
        """
        ...

    def look(self, name: str) -> Execution:
        """Look at an execution; one that is not known any more is over."""
        ...

    def stop(self, name: str, why: str) -> None:
        """Stop an execution; what it has copied stays copied."""
        ...
