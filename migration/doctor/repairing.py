"""How a migration is brought to a legal stage: which one write does it, or why none may. It never writes.

    state and journal agree    go back, as a rollback does; or nothing, when it is there
    they do not                write again what the journal recorded last, or a stage before it

It never gives the pipeline more than the journal says that it had: going forward takes guardrails.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from migration.cutover.moves import control_words
from migration.doctor.records import Trouble, Unreadable, trouble
from migration.model.stages import Control, Stage
from migration.model.transitions import BACK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migration.model.journal import Entry
    from migration.model.state import State


@dataclass(frozen=True, slots=True)
class GoBack:
    """One way back from a state that is sound."""

    to: Control
    why: str


@dataclass(frozen=True, slots=True)
class Restore:
    """One write of a state in the place of another.

    Attributes:
        was: how traffic goes now, as far as that can be told.
        to: how it goes then, with its epoch.
        instead_of: the epoch of the item that is there; 0 when it has none.
        why: what is wrong with it.
    """

    was: Control
    to: Control
    instead_of: int
    why: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """It is where it shall be."""

    why: str


@dataclass(frozen=True, slots=True)
class NoWay:
    """It may not be brought there."""

    why: str
    next_command: str


Way = GoBack | Restore | Nothing | NoWay


def way_to(stage: Stage, state: State | Unreadable, entries: Sequence[Entry]) -> Way:
    """Find the one write that brings a migration to a stage."""
    found = trouble(state, entries)
    if found is not None:
        return _restoring(stage, found)
    if isinstance(state, Unreadable):
        raise TypeError(f"an unreadable state without trouble: {state}")
    now = state.control
    if now.stage is stage:
        return Nothing(f"it is at {control_words(now)}, as the journal says")
    return _beyond(stage, now) or GoBack(Control(stage), f"from {control_words(now)}")


def _restoring(stage: Stage, found: Trouble) -> Way:
    recorded = found.recorded
    if stage is not recorded.stage and (refused := _beyond(stage, recorded)) is not None:
        return replace(refused, next_command=f"cutover repair --to {recorded.stage} --apply")
    to = recorded if stage is recorded.stage else Control(stage)
    was = found.routes if found.routes is not None else recorded
    return Restore(was, replace(to, epoch=found.epoch + 1), found.seen, found.what)


def _beyond(stage: Stage, recorded: Control) -> NoWay | None:
    if stage in BACK[recorded.stage]:
        return None
    if recorded.stage is Stage.COMPLETE:
        why = "the migration is complete: legacy is not kept up any more, so there is no way back"
        return NoWay(why, "cutover status")
    why = f"the journal says {control_words(recorded)}; to {stage} the way is forward, and takes guardrails"
    return NoWay(why, "cutover run")
