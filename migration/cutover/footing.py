"""Where a migration stands, held against the last move that the journal has.

    epoch     1      2      3      4              the state item
    journal   done   done   done   done           epoch 4: sound;  3, or no item: lost, and never stage `off`

Each move writes both in one transaction. Epochs are used once: whoever writes in the place of a lost state
writes above every epoch that the journal has, as doors ignore what is older than they have seen. It never
writes, and decides nothing about where to go.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from migration.model.errors import ConflictError, IntegrityError, RemoteError, StateLostError
from migration.model.journal import EntryKind, control_of
from migration.model.moments import epoch_of, moment_text
from migration.model.stages import Control
from migration.model.state import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migration.model.control_plane import ControlPlane
    from migration.model.journal import Entry

_CLOCKS_APART_S: Final = 3_600.0
_TRIES: Final = 50  # each is lost to another's move, and nobody moves that often


@dataclass(frozen=True, slots=True)
class Footing:
    """Where a migration stands.

    Attributes:
        state: as the control table has it; where that is lost, as the journal's last move left it, with the
            highest epoch that either has.
        fault: what is wrong with the control table's; None when it is sound.
        there: the epoch of the item that is there then; 0 without one.
    """

    state: State
    fault: IntegrityError | None = None
    there: int = 0


def read_footing(plane: ControlPlane) -> Footing:
    """Read where a migration stands; a state that is sound is enough where the journal cannot be read.

    Raises:
        ConflictError: when it is moved all the time.
        RemoteError: when AWS failed.
    """
    for _ in range(_TRIES):
        try:
            state = plane.state()
        except IntegrityError as error:
            return _as_recorded(plane, plane.epoch(), error)
        try:
            last = last_move(plane.journal(read_from(state)))
        except RemoteError:
            return Footing(state)
        if last is None or last.epoch <= state.epoch:
            return Footing(state)
        if plane.epoch() == state.epoch:  # else it was moved between both readings
            return _as_recorded(plane, state.epoch, older(state, last.epoch))
    raise ConflictError("the state keeps changing", hint="see who moves it", next_command="cutover status")


def sound_state(plane: ControlPlane) -> State:
    """Read the state, held against the journal.

    Raises:
        IntegrityError: when it is lost.
    """
    found = read_footing(plane)
    if found.fault is not None:
        raise found.fault
    return found.state


def _as_recorded(plane: ControlPlane, there: int, fault: IntegrityError) -> Footing:
    moves = moves_of(plane.journal())
    epoch = max(there, moves[-1].epoch if moves else 0)
    plan = str(moves[-1].detail.get("plan", "")) if moves else ""
    return Footing(State(replace(recorded(moves), epoch=epoch), plan=plan), fault, there)


def moves_of(entries: Iterable[Entry]) -> list[Entry]:
    """Pick the moves, by epoch."""
    return sorted((one for one in entries if one.kind is EntryKind.DONE), key=lambda one: (one.epoch, one.id))


def last_move(entries: Iterable[Entry]) -> Entry | None:
    """Find the move with the highest epoch; None before any."""
    return next(reversed(moves_of(entries)), None)


def led_to(move: Entry) -> Control | None:
    """Say where a move led; None when its entry does not say."""
    try:
        control_of(move.detail["was"])
        return control_of(move.detail["to"])
    except (KeyError, TypeError, ValueError):
        return None


def recorded(moves: Iterable[Entry]) -> Control:
    """Say how traffic goes as the last of these moves that can be read has it; they are in order."""
    readable = (led_to(one) for one in reversed(list(moves)))
    return next((routing for routing in readable if routing is not None), Control())


def read_from(state: State) -> str:
    """Say after which entry the journal must be read to find moves later than a state's own.

    Entries are in the order of their writers' clocks, which may be far apart.
    """
    return moment_text(epoch_of(state.since) - _CLOCKS_APART_S) if state.since else ""


def gone(epoch: int) -> StateLostError:
    """Say that there is no state, though the journal has moves up to this epoch."""
    return _fault("the control table has no state", epoch)


def older(state: State, epoch: int) -> StateLostError:
    """Say that the state is older than the journal, which has moves up to this epoch."""
    return _fault(f"the state in the control table is at epoch {state.epoch} only", epoch)


def _fault(what: str, epoch: int) -> StateLostError:
    return StateLostError(
        f"{what}, and the journal has moves up to epoch {epoch}; doors keep the last state that they read, "
        "cold ones begin at the one baked in at deployment, and nothing goes forward",
        hint="see what is to be done; `cutover rollback` gives legacy its authority back at once",
        next_command="cutover doctor",
    )
