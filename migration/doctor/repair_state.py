"""Bringing a migration whose state is half done, lost or written by hand to a legal stage, by one write.

Decides nothing by itself: doctor/repairing.py says which write. Whatever it was, going forward waits for
a person afterwards: somebody has to look at what went astray meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migration.cutover.mover import Moved
from migration.doctor.records import REPAIR
from migration.doctor.repairing import GoBack, Nothing, NoWay, Restore, way_to
from migration.model.errors import ConflictError, UsageError
from migration.model.state import State

if TYPE_CHECKING:
    from migration.cutover.mover import Mover
    from migration.doctor.scene import Records
    from migration.model.stages import Stage


def find_way(records: Records, stage: Stage) -> GoBack | Restore | Nothing:
    """Find what `repair` would write.

    Raises:
        UsageError: when the migration may not be brought there.
        ConflictError: when a living process moves it.
    """
    way = way_to(stage, records.state, records.entries)
    if isinstance(way, NoWay):
        raise UsageError(way.why, hint="nothing was changed", next_command=way.next_command)
    if isinstance(way, Restore) and records.at_work is not None:
        raise ConflictError(
            f"{records.at_work.holder} moves it, and the state is not its own; nothing was changed",
            hint="stop that process, then run this again",
            next_command="cutover status",
        )
    return way


@dataclass(frozen=True, slots=True)
class RepairState:
    """Repairs one migration's state, in the name of one process."""

    mover: Mover

    def apply(self, records: Records, way: GoBack | Restore | Nothing) -> State:
        """Do what was found, if nothing changed since.

        Raises:
            ConflictError: when it did.
            RemoteError: when AWS failed; run it again.
        """
        if isinstance(way, Nothing):
            return records.known
        if isinstance(way, GoBack):
            went = self.mover.back(way.to, "a person repaired it", REPAIR, seen=records.known)
            if not isinstance(went, Moved):
                raise ConflictError(
                    "somebody else moved it meanwhile; nothing was changed",
                    hint="look again",
                    next_command="cutover doctor",
                )
            return went.state
        paused = f"repaired by {self.mover.by}: {way.why}"
        to = State(way.to, paused=paused, plan=records.known.plan)
        was = State(way.was, plan=records.known.plan)
        return self.mover.restore(was, to, way.instead_of, REPAIR, paused)
