"""The control table as it holds a migration's state, lease and journal. Every write is conditional."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.model.journal import Entry
    from migration.model.state import Lease, State


class ControlPlane(Protocol):
    """One migration's control records, read consistently; used from several threads at once.

    Every method raises RemoteError when AWS fails; a write is then of unknown outcome, and reading tells.
    """

    def state(self) -> State:
        """Read the state; the state before any was written is stage `off`, epoch 0.

        Raises:
            StateLostError: when there is none, and the journal has moves.
            IntegrityError: when what is there is no state; somebody else wrote it.
        """
        ...

    def epoch(self) -> int:
        """Read the epoch of whatever is there in the state's place; 0 without one."""
        ...

    def move(self, state: State, entry: Entry, lease: Lease | None) -> bool:
        """Replace the state one epoch before this one, and write the entry, in one transaction.

        With a lease, the transaction holds only if that lease's token is still the newest: a holder that was
        replaced cannot act. Rolling back takes no lease.

        Returns:
            False when somebody else moved it first, or holds the lease now; nothing was written.
        """
        ...

    def restore(self, state: State, entry: Entry, instead_of: int) -> bool:
        """Write a state in the place of one that was lost or written by hand, with its entry, at once.

        Args:
            state: to write; its epoch is higher than every one that the journal has.
            entry: that says so.
            instead_of: the epoch of what is there, as `epoch` gives it.

        Returns:
            False when something else is there by now; nothing was written.
        """
        ...

    def append(self, entry: Entry) -> None:
        """Write an entry that changes no state."""
        ...

    def journal(self, since: str = "") -> Iterator[Entry]:
        """Read the entries in order, those whose id is greater than `since`."""
        ...

    def newest(self, count: int) -> list[Entry]:
        """Read the newest entries, the newest first."""
        ...

    def lease(self) -> Lease | None:
        """Read the lease; None before the first."""
        ...

    def take_lease(self, lease: Lease, instead_of: Lease | None) -> bool:
        """Become the holder: the token must be one more than that of `instead_of`, which must still be it."""
        ...

    def renew_lease(self, lease: Lease) -> bool:
        """Move the end of a lease that is still the newest; False when another took it."""
        ...
