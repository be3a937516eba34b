"""The state against the journal: whether every write of it was one of the toolkit's own.

    epoch     1        2        3        4                      the state item
    journal   done     done     done     done ◄── entry ──────  stage, weights, epoch 4

Every move writes both in one transaction, so they cannot differ by themselves: whoever differs was written by
hand, deleted, or restored from a backup. A repair begins a new row; what was before it is explained by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from migration.cutover.footing import led_to, moves_of, recorded
from migration.cutover.moves import control_words
from migration.model.journal import control_of
from migration.model.stages import Control
from migration.model.state import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from migration.model.journal import Entry

REPAIR: Final = "repair"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A state item that is no state.

    Attributes:
        why: what is wrong with it.
        epoch: the epoch that it has all the same; 0 without one.
    """

    why: str
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Trouble:
    """The state and the journal tell different stories.

    Attributes:
        name: of its kind.
        what: both stories.
        routes: how traffic goes now; None when the item cannot be read or is not there.
        recorded: how the journal says that it goes.
        epoch: the highest that either has.
        seen: the epoch of the item that is there; 0 without one.
    """

    name: str
    what: str
    routes: Control | None
    recorded: Control
    epoch: int
    seen: int


def trouble(state: State | Unreadable, entries: Iterable[Entry]) -> Trouble | None:
    """Hold the state against the journal; None when they agree."""
    done = moves_of(entries)
    says = recorded(done)
    story = _story(state, done, says)
    if story is None:
        return None
    name, what = story
    seen = state.epoch
    routes = None if isinstance(state, Unreadable) or state == State() else state.control
    highest = max(seen, done[-1].epoch if done else 0)
    return Trouble(name, what, routes, says, highest, seen)


def _story(state: State | Unreadable, done: Sequence[Entry], says: Control) -> tuple[str, str] | None:
    if isinstance(state, Unreadable):
        return "state_unreadable", state.why
    if not done:
        if state == State():
            return None
        now = control_words(state.control)
        return "state_by_hand", f"the state says {now}, epoch {state.epoch}, and the journal has no move"
    last = done[-1]
    if state == State():
        where = control_words(says)
        return "state_lost", f"there is no state, and the journal ends with {where}, epoch {last.epoch}"
    if state.entry != last.id or state.control != says:
        return "state_by_hand", (
            f"the state says {control_words(state.control)}, epoch {state.epoch}, written with entry"
            f" {state.entry or 'none'}; the journal ends with {control_words(says)}, epoch {last.epoch},"
            f" entry {last.id}"
        )
    broken = _broken_row(_since_repair(done))
    return None if broken is None else ("journal_gap", broken)


def _since_repair(done: Sequence[Entry]) -> Sequence[Entry]:
    repairs = [number for number, one in enumerate(done) if one.step == REPAIR]
    return done[repairs[-1] :] if repairs else done


def _broken_row(done: Sequence[Entry]) -> str | None:
    """Say where the row of moves is broken: each begins where the one before ended, one epoch up."""
    now = Control() if done[0].step != REPAIR else None
    for one in done:
        to = led_to(one)
        if to is None:
            return f"entry {one.id} says it is a move, and does not say which"
        was = control_of(one.detail["was"])
        if now is not None and was != now:
            before, after = (
                f"{control_words(now)}, epoch {now.epoch}",
                f"{control_words(was)}, epoch {was.epoch}",
            )
            return f"the journal jumps from {before} to {after}: entries between them are gone"
        now = to
    return None
