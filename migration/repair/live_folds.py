"""The live lane's folds as a repair touches them: by another message, or by an addition that is made once.

    message again      the aggregator folds it, unless its dedup entry is there
    closing            a dedup entry that outlives every message of the event, whatever was there before
    compensation       one transaction: an entry under the compensation's identity, and ADD on one row
    restatement        one transaction: the fact, if it says what was disputed, and ADD on its rows

Nothing here sets a row to a value, so a fold of the same moment is neither lost nor repeated.

A dedup entry that is past its time is still there until DynamoDB's TTL deletes it, at any moment. While it is
there it says that the event was folded, and refuses messages; nothing may rest on it that does not close the
event first. And no entry says nothing about a fact whose message is too old to be folded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from migration.model.facts import Restated, Restatement, Stands, StoredFact
    from migration.model.fold import Identity, Row
    from migration.repair.words import Compensation


@dataclass(frozen=True, slots=True)
class Compensated:
    """The row holds it, and its entry says so."""


@dataclass(frozen=True, slots=True)
class CompensatedBefore:
    """The same addition was made under this number before; nothing was written."""


@dataclass(frozen=True, slots=True)
class Overtaken:
    """Another addition was made under this number since it was read; nothing was written."""


class LiveFolds(Protocol):
    """The queue, the dedup entries and the rows; every call may be repeated."""

    def has_folded(self, identity: Identity) -> bool:
        """Whether an event has a dedup entry, also one past its time; read consistently."""
        ...

    def close(self, identity: Identity) -> None:
        """Have no message of an event be folded, of its fact as it is or as it is put now."""
        ...

    def keep_closed(self, identity: Identity) -> None:
        """Close an event that has a dedup entry; one that has none may be folded once."""
        ...

    def redrive(self, fact: StoredFact) -> None:
        """Send a fact's message to the queue again, as the pipe writes it."""
        ...

    def compensations(self, row: Row) -> int:
        """Count the compensations that a row has had, read consistently."""
        ...

    def compensate(self, compensation: Compensation) -> Compensated | CompensatedBefore | Overtaken:
        """Add to a row, and take the compensation's identity, in one transaction.

        Raises:
            RemoteError: when it is not known to be done; doing it again is safe.
        """
        ...

    def restate(self, restatement: Restatement) -> Restated | Stands:
        """Give a disputed fact of the live lane legacy's content, and its rows the difference, all or none.

        The fact's content is the condition, so it is done once. What rows hold does not matter: a message
        that is still on its way adds what the fact said, and the difference is there already.

        Raises:
            RemoteError: when it is not known to be done; doing it again is safe.
        """
        ...
