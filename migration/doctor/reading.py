"""Reading a migration's records so that they fit each other, whoever writes meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migration.doctor.records import Unreadable
from migration.doctor.scene import Records
from migration.model.errors import ConflictError, IntegrityError, StateLostError
from migration.model.state import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from migration.model.checkpoints import Checkpoints
    from migration.model.clock import Clock
    from migration.model.control_plane import ControlPlane
    from migration.model.state import Lease

TRIES: Final = 10


def read_records(
    plane: ControlPlane, checkpoints: Checkpoints, clock: Clock, is_gone: Callable[[Lease], bool]
) -> Records:
    """Read everything; again, if the state was moved while the journal was read.

    Raises:
        ConflictError: when it is moved all the time.
        RemoteError: when AWS failed.
    """
    for _ in range(TRIES):
        state = read_state(plane)
        entries = list(plane.journal())
        lease = plane.lease()
        job, pulse = checkpoints.job(), checkpoints.pulse()
        if read_state(plane) == state:
            gone = lease is not None and is_gone(lease)
            return Records(clock.now(), state, entries, lease, gone, job, pulse)
    raise ConflictError("the state keeps changing", hint="see who moves it", next_command="cutover status")


def read_state(plane: ControlPlane) -> State | Unreadable:
    """Read the state, or say why it is none; one that is lost reads as the one before any was written."""
    try:
        return plane.state()
    except StateLostError:
        return State()
    except IntegrityError as error:
        return Unreadable(str(error), plane.epoch())
