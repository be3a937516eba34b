"""A migration's control records in memory, held to the same contract as the table's."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migration.cutover.footing import gone, last_move
from migration.model.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.model.journal import Entry
    from migration.model.state import Lease


@dataclass(slots=True)
class MemoryControlPlane:
    """State, lease and journal."""

    current: State = field(default_factory=State)
    holder: Lease | None = None
    entries: dict[str, Entry] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def state(self) -> State:
        """Read the state."""
        with self._lock:
            last = last_move(self.entries.values()) if self.current == State() else None
            if last is not None:
                raise gone(last.epoch)
            return self.current

    def move(self, state: State, entry: Entry, lease: Lease | None) -> bool:
        """Replace the state one epoch before this one, and write the entry, at once."""
        with self._lock:
            fenced = lease is not None and (self.holder is None or self.holder.token != lease.token)
            if fenced or self.current.epoch != state.epoch - 1:
                return False
            self.current = state
            self.entries[entry.id] = entry
            return True

    def epoch(self) -> int:
        """Read the state's epoch."""
        return self.current.epoch

    def restore(self, state: State, entry: Entry, instead_of: int) -> bool:
        """Write a state in the place of another, and the entry, at once."""
        with self._lock:
            if self.current.epoch != instead_of:
                return False
            self.current = state
            self.entries[entry.id] = entry
            return True

    def append(self, entry: Entry) -> None:
        """Write an entry that changes no state."""
        with self._lock:
            self.entries[entry.id] = entry

    def journal(self, since: str = "") -> Iterator[Entry]:
        """Read the entries in order."""
        with self._lock:
            return iter([self.entries[key] for key in sorted(self.entries) if key > since])

    def newest(self, count: int) -> list[Entry]:
        """Read the newest entries."""
        return list(self.journal())[: -count - 1 : -1]

    def lease(self) -> Lease | None:
        """Read the lease."""
        return self.holder

    def take_lease(self, lease: Lease, instead_of: Lease | None) -> bool:
        """Become the holder."""
        with self._lock:
            if (self.holder and self.holder.token) != (instead_of and instead_of.token):
                return False
            self.holder = lease
            return True

    def renew_lease(self, lease: Lease) -> bool:
        """Move the end of a lease that is still the newest."""
        with self._lock:
            if self.holder is None or self.holder.token != lease.token:
                return False
            self.holder = lease
            return True
