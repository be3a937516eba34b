"""The one place that makes a move.

    mover = Mover(migration, plane, clock, token, by, plan_hash, hooks, notices)

    mover.forward(was, was.moved(Stage.LIVE, 100, 100), step, text, lease, detail)  -> the State written
        checks that it is legal ─► asks the hooks `before` ─► one transaction ─► notices, hooks `after`
    mover.back(Control(Stage.SHADOW), cause, step)                                  -> Moved | AlreadyThere
        one transaction, again if another was faster ─► notices, hooks `after`; it waits for nobody, also
        where the state is lost: then it writes above every epoch that the journal has (cutover/footing). It
        stops going forward: `State.paused` says why until `cutover resume`. A drill says `stop=False`
        and names its lease; whoever has evidence of one state only names that, and gets MovedOn for another
    mover.change(was, was.changed(paused=…), step, text, detail)                    -> the State written
        what keeps it where it is; no traffic moves, so no hook is asked and nobody is told
    mover.restore(was, to, instead_of, step, text)                                  -> the State written
        a state in the place of one that was lost, or that somebody else wrote; one transaction ─► notices
    mover.note(kind, step, text, epoch, detail)                                     -> the Entry written
        an entry of the journal that changes no state

`was` is the state as it was read: the move is made only if nobody moved since. Its journal entry has the
detail {"was", "to", "rollback", "cause", "plan"} besides the caller's, and its id is the new `State.entry`.
An answer that was lost is looked up: the entry is in the journal exactly if the state was written.

Decides nothing about *whether* to move; it never looks at a guardrail.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from migration.cutover.footing import read_footing, sound_state
from migration.cutover.moves import Move, control_words
from migration.cutover.notice import notice_of_move
from migration.model.errors import ConflictError, GuardrailError, RemoteError, UsageError
from migration.model.journal import EntryKind
from migration.model.journal_writer import JournalWriter
from migration.model.moments import moment_text
from migration.model.transitions import gives_more, is_back, refusal, way_back

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from migration.cutover.footing import Footing
    from migration.cutover.hooks import Hooks
    from migration.cutover.notices import Notices
    from migration.model.clock import Clock
    from migration.model.control_plane import ControlPlane
    from migration.model.journal import Entry
    from migration.model.stages import Control
    from migration.model.state import Lease, State

MOST_RACES: Final = 50  # each lost one is another's write, and nobody writes that often
_STATUS: Final = "cutover status"


@dataclass(frozen=True, slots=True)
class Moved:
    """A way back that was gone."""

    was: State
    state: State


@dataclass(frozen=True, slots=True)
class AlreadyThere:
    """Nothing to go back from: the pipeline has no more than the target gives it."""

    state: State


@dataclass(frozen=True, slots=True)
class MovedOn:
    """The state is not the one that was seen, or the lease is another's by now; nothing was done."""

    state: State


@dataclass(frozen=True, slots=True)
class Mover:
    """Makes one migration's moves, in the name of one process.

    Attributes:
        migration: its name.
        plane: its control records.
        clock: dates the entries.
        token: gives four hexadecimal digits by chance, which keep apart what happens in one millisecond.
        by: `user@machine:process`, or the function.
        plan_hash: of the plan that it follows; empty when there is none, which keeps the state's own.
        hooks: the plan's.
        notices: who is told.
    """

    migration: str
    plane: ControlPlane
    clock: Clock
    token: Callable[[], str]
    by: str
    plan_hash: str
    hooks: Hooks
    notices: Notices

    def forward(  # noqa: PLR0913, PLR0917 - what is moved, in whose name, and what is said of it
        self,
        was: State,
        to: State,
        step: str,
        text: str,
        lease: Lease | None,
        detail: Mapping[str, Any] | None = None,
    ) -> State:
        """Give the pipeline more.

        Raises:
            UsageError: when the move is not legal, or is a way back.
            GuardrailError: when a hook does not say yes.
            ConflictError: when somebody else moved it, stopped it, or holds the lease now.
            RemoteError: when AWS failed, and as far as can be read nothing was written.
        """
        _check_forward(was, to)
        move = self._move(was, to.control, step, text)
        if failure := self.hooks.before(move):
            self.note(EntryKind.NOTED, step, f"{failure}; {_route(move)} was refused", was.epoch)
            raise GuardrailError(
                f"{failure}; the migration stays at {control_words(was.control)}",
                hint="see what the hook asks for, then run this again",
                next_command=_STATUS,
            )
        written = self._write(was, to, move, lease, detail or {})
        if written is None:
            raise _lost(was.epoch)
        self._tell(move, written)
        return written

    def back(  # noqa: PLR0913 - each says something else about the way back
        self,
        target: Control,
        cause: str,
        step: str,
        *,
        stop: bool = True,
        seen: State | None = None,
        lease: Lease | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> Moved | AlreadyThere | MovedOn:
        """Give the pipeline less, whoever else moves at the same time.

        Args:
            target: where to; its epoch says nothing. A weight that is lower already stays.
            cause: why, for the journal and for whoever resumes.
            step: the plan's step that it belongs to, or the command.
            stop: whether going forward waits for a person then.
            seen: the state that the cause was seen in, if it says nothing about others.
            lease: of a drill, which is a part of going forward; a person or a watchdog has none.
            detail: more for the journal, such as verdicts.

        Raises:
            UsageError: when the migration is complete.
            IntegrityError: when a drill finds that the state is lost.
            RemoteError: when AWS failed; run it again, it finds out what holds.
        """
        for _ in range(MOST_RACES):
            footing = read_footing(self.plane)
            was = footing.state
            if seen is not None and was.epoch != seen.epoch:
                return MovedOn(was)
            if footing.fault is not None and lease is not None:
                raise footing.fault
            control = _way_back(footing, target)
            if control is None:
                return AlreadyThere(was)
            text = f"rolled back from {control_words(was.control)} to {control_words(control)}: {cause}"
            move = self._move(was, control, step, text, cause)
            paused = f"rolled back by {self.by} at {move.at}: {cause}" if stop else was.paused
            to = replace(was, control=control, paused=paused)
            instead_of = None if footing.fault is None else footing.there
            written = self._write(was, to, move, lease, detail or {}, instead_of)
            if written is not None:
                self._tell(move, written)
                return Moved(was, written)
            if lease is not None:
                return MovedOn(self.plane.state())
        raise ConflictError(
            f"others moved it {MOST_RACES} times meanwhile", hint="see who does", next_command=_STATUS
        )

    def change(
        self, was: State, to: State, step: str, text: str, detail: Mapping[str, Any] | None = None
    ) -> State:
        """Change what keeps it where it is: paused, postponed.

        Raises:
            ConflictError: when somebody else moved it.
            IntegrityError: when the state is older than the journal.
            RemoteError: when AWS failed, and as far as can be read nothing was written.
        """
        sound_state(self.plane)
        move = self._move(was, to.control, step, text)
        written = self._write(was, to, move, None, detail or {})
        if written is None:
            raise _lost(was.epoch)
        return written

    def restore(self, was: State, to: State, instead_of: int, step: str, text: str) -> State:
        """Write a state in the place of one that no move of ours made; hooks are asked if it gives more.

        Args:
            was: how traffic goes, as far as that can be told.
            to: the state to write, with its epoch.
            instead_of: the epoch of what is there; 0 without one.
            step: the command.
            text: what was wrong.

        Raises:
            GuardrailError: when a hook does not say yes.
            ConflictError: when something else is there by now.
            RemoteError: when AWS failed; run it again, it finds out what holds.
        """
        move = self._move(was, to.control, step, text)
        if gives_more(move.was, move.to) and (failure := self.hooks.before(move)):
            raise GuardrailError(str(failure), hint="see what the hook asks for", next_command=_STATUS)
        entry, state = self._record(to, move, {})
        if not self.plane.restore(state, entry, instead_of) and not self._landed(entry):
            raise _lost(instead_of)
        self._tell(move, state)
        return state

    def note(
        self, kind: EntryKind, step: str, text: str, epoch: int, detail: Mapping[str, Any] | None = None
    ) -> Entry:
        """Write an entry that changes no state.

        Raises:
            RemoteError: when AWS failed.
        """
        return self._journal.note(kind, step, text, epoch, detail or {})

    @property
    def _journal(self) -> JournalWriter:
        return JournalWriter(self.plane, self.clock, self.token, self.by)

    def _move(self, was: State, to: Control, step: str, text: str, cause: str = "") -> Move:
        plan = self.plan_hash or was.plan
        return Move(self.migration, was.control, to, self._now(), self.by, step, text, cause, plan)

    def _write(  # noqa: PLR0913, PLR0917 - a move, in whose name, and in the place of what
        self,
        was: State,
        to: State,
        move: Move,
        lease: Lease | None,
        detail: Mapping[str, Any],
        instead_of: int | None = None,
    ) -> State | None:
        """Make the transaction; None when it was not the first to follow what was read.

        `instead_of` is the epoch of what is in a lost state's place; None when `was` is there.
        """
        entry, state = self._record(to, move, detail)
        there = was.epoch if instead_of is None else instead_of
        try:
            if instead_of is None:
                written = self.plane.move(state, entry, lease)
            else:
                written = self.plane.restore(state, entry, instead_of)
        except RemoteError:
            # Of unknown outcome. It holds only on top of the epoch that was read, so once somebody else's
            # write is there it can no longer come; until then, the caller reads and decides again.
            if not self._landed(entry):
                if self.plane.epoch() == there:
                    raise
                return None
            return state
        # A client that tried twice is refused by its own first try.
        return state if written or self._landed(entry) else None

    def _record(self, to: State, move: Move, detail: Mapping[str, Any]) -> tuple[Entry, State]:
        """Make the entry of a move, and the state that names it.

        Dated here and not before the hooks were asked, as entries are in the order of their ids.
        """
        details = {**detail, **move.detail}
        entry = self._journal.entry(EntryKind.DONE, move.step, move.text, to.epoch, details)
        return entry, replace(to, plan=move.plan, entry=entry.id, since=entry.at)

    def _landed(self, entry: Entry) -> bool:
        return any((one.id, one.by) == (entry.id, self.by) for one in self.plane.journal(entry.at))

    def _tell(self, move: Move, state: State) -> None:
        """Tell of what was done; whatever fails here undoes nothing."""
        failures = [*self.notices.tell(notice_of_move(move)), *map(str, self.hooks.after(move))]
        for failure in failures:
            with suppress(RemoteError):
                self.note(EntryKind.NOTED, move.step, f"after {_route(move)}: {failure}", state.epoch)

    def _now(self) -> str:
        return moment_text(self.clock.now())


def _way_back(footing: Footing, target: Control) -> Control | None:
    """Give the next routing value on the way back; None when it is there already, and soundly so.

    A state that is lost is written again: as it was recorded, where that is not more than the target.

    Raises:
        UsageError: when the migration is complete.
    """
    was = footing.state.control
    control = way_back(was, target)
    if control is None:
        return None if footing.fault is None else replace(was, epoch=was.epoch + 1)
    if why := refusal(was, control):
        if footing.fault is not None:
            again = f"cutover repair --to {was.stage} --apply"
            raise UsageError(f"{footing.fault}; {why}", hint="write it again", next_command=again)
        raise UsageError(why, hint="see where it stands", next_command=_STATUS)
    return control


def _check_forward(was: State, to: State) -> None:
    """Refuse what is not legal, or what somebody stopped."""
    if why := refusal(was.control, to.control):
        raise UsageError(why, hint="see where it stands", next_command=_STATUS)
    if is_back(was.control, to.control):
        raise UsageError("that gives the pipeline less, or the same", hint="go back with `cutover rollback`")
    if was.paused:
        raise ConflictError(
            f"going forward is stopped: {was.paused}", hint="clear that first", next_command="cutover resume"
        )
    if to.stage is was.postponed:
        raise ConflictError(f"{to.stage} is postponed", hint="allow it", next_command="cutover resume")


def _lost(epoch: int) -> ConflictError:
    return ConflictError(
        f"somebody else moved the migration on from epoch {epoch}, or holds its lease now",
        hint="see where it stands, then decide again",
        next_command=_STATUS,
    )


def _route(move: Move) -> str:
    return f"the move from {control_words(move.was)} to {control_words(move.to)}"
