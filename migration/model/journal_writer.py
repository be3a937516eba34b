"""How one process writes in the journal: each entry is named by its time and a few letters by chance.

Decides neither what is written nor when; an entry that goes with a change of the state is made here, and
written by who makes the change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migration.model.journal import Entry, EntryKind
from migration.model.moments import moment_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from migration.model.clock import Clock
    from migration.model.control_plane import ControlPlane


@dataclass(frozen=True, slots=True)
class JournalWriter:
    """Writes in one process's name.

    Attributes:
        plane: the migration's control records.
        clock: dates the entries.
        token: gives a few letters by chance, which keep apart what happens in one millisecond.
        by: `user@machine:process`, or the function.
    """

    plane: ControlPlane
    clock: Clock
    token: Callable[[], str]
    by: str

    def entry(self, kind: EntryKind, step: str, text: str, epoch: int, detail: Mapping[str, Any]) -> Entry:
        """Make an entry of now."""
        name = f"{moment_text(self.clock.now())}#{self.token()}"
        return Entry(name, kind, self.by, epoch, step, text, detail)

    def note(self, kind: EntryKind, step: str, text: str, epoch: int, detail: Mapping[str, Any]) -> Entry:
        """Write an entry that changes no state.

        Raises:
            RemoteError: when AWS failed.
        """
        entry = self.entry(kind, step, text, epoch, detail)
        self.plane.append(entry)
        return entry
