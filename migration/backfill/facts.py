"""The fact table: a put that never overwrites, a restatement as legacy has it, and all that is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.model.facts import Created, Restated, Restatement, Spent, Stands, StoredFact, Taken
    from migration.model.fold import Activity


class FactPuts(Protocol):
    """A put of facts; used from many threads at once. An identity that is taken is an expected outcome."""

    def put(self, fact: StoredFact) -> tuple[Created | Taken, Spent]:
        """Store a fact unless its identity is taken.

        Raises:
            RemoteError: when it is not known to be stored; putting it again is safe.
        """
        ...


class Facts(FactPuts, Protocol):
    """Facts, put and read, and restated as legacy has them."""

    def restate(self, restatement: Restatement) -> tuple[Restated | Stands, Spent]:
        """Give a disputed fact legacy's content, in place, unless it is another fact by now.

        An update in place is not an insert, so neither pipe delivers the fact again.

        Raises:
            RemoteError: when it is not known to be restated; doing it again is safe.
        """
        ...

    def history(self) -> Iterator[Activity]:
        """Read every fact of the history lane that was there when this began, consistently."""
        ...

    def everything(self) -> Iterator[StoredFact]:
        """Read every fact that was there when this began, consistently, pulses left out."""
        ...
