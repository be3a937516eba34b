"""The watchdog: rolls a breached migration back when nobody's process does. It never goes forward.

    every 2 s   state ── in live or rampdown? ──► vital guardrails ──► cutover/watching decides
                                                                        │ roll back: nobody holds the lease,
                                                                        ▼ or the breach outlasts the grace
                                                               Mover.back ─► notice, journal

A running `cutover run` looks every second and acts first, which the grace leaves it time for. Both may act
at once, as may two watchdogs: the way back is one conditional write on the state that was looked at, and
whoever comes second finds it gone. Where the state is lost, it tells so, and watches on by the journal.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from migration.cutover.footing import Footing, read_footing
from migration.cutover.mover import Moved
from migration.cutover.notice import notice_of_breach, notice_of_loss
from migration.cutover.watching import WATCHED, Alarm, KeepWatching, RollBack, Watch
from migration.model.errors import IntegrityError, RemoteError
from migration.model.guardrails import verdict_detail
from migration.model.journal import EntryKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from migration.cutover.mover import Mover
    from migration.cutover.notice import Notice
    from migration.cutover.watching import Decision
    from migration.model.clock import Clock
    from migration.model.control_plane import ControlPlane
    from migration.model.guardrails import Guardrails, GuardrailVerdict
    from migration.model.state import State

STEP: Final = "watchdog"


@dataclass(slots=True)
class Watched:
    """What one turn of the watchdog came to.

    Attributes:
        looks: how often it looked at the guardrails.
        failed: how often AWS failed before a look was over.
        stage: where the migration stood at the last look.
        rolled_back: why it rolled back; empty when it did not.
        last: what the last decision was, in words.
    """

    looks: int = 0
    failed: int = 0
    stage: str = ""
    rolled_back: str = ""
    last: str = ""


@dataclass(slots=True)
class ToldOf:
    """What a process has told of, turn after turn, so that it is told once.

    Attributes:
        noted: the guardrails whose breach was taken down.
        alarm: those that people were told of.
        fault: of the state.
    """

    noted: str = ""
    alarm: str = ""
    fault: str = ""


@dataclass(slots=True)
class Watchdog:
    """One turn: looks, as long as there is time.

    Attributes:
        plane, guardrails, clock, mover: the world.
        watch: counts breaches, look by look.
        interval_s: from the end of a look to the next.
        grace_s: how long a breach must last while an operator's process holds the lease.
        told: what people know; kept from turn to turn.
    """

    plane: ControlPlane
    guardrails: Guardrails
    clock: Clock
    mover: Mover
    watch: Watch
    interval_s: float
    grace_s: float
    told: ToldOf = field(default_factory=ToldOf)
    _sound: int = field(default=-1, init=False)

    def turn(self, has_time: Callable[[], bool]) -> Watched:
        """Look until there is no time for another look.

        Raises:
            RemoteError: when the last look failed: then nobody watches, which somebody must hear of.
        """
        seen = Watched()
        while True:
            failure = self._try(seen)
            if not has_time():
                break
            self.clock.sleep(self.interval_s)
        if failure is not None:
            raise failure
        return seen

    def _try(self, seen: Watched) -> RemoteError | None:
        try:
            self._look(seen)
        except RemoteError as error:
            seen.failed += 1
            seen.last = str(error)
            return error
        return None

    def _look(self, seen: Watched) -> None:
        footing = self._footing()
        self._tell_fault(footing)
        state = footing.state
        seen.stage = state.stage
        verdicts = self.guardrails.look(state) if state.stage in WATCHED else ()
        seen.looks += bool(verdicts)
        decision = self.watch.after(state, verdicts, self._grace())
        seen.last = decision.why
        if isinstance(decision, RollBack):
            seen.rolled_back = self._roll_back(state, decision, verdicts) or seen.rolled_back
        else:
            self._note_hold(state, decision, verdicts)

    def _footing(self) -> Footing:
        """Read where it stands; an epoch that was held against the journal once is sound."""
        with suppress(IntegrityError):
            state = self.plane.state()
            if state.epoch == self._sound:
                return Footing(state)
        footing = read_footing(self.plane)
        self._sound = -1 if footing.fault else footing.state.epoch
        return footing

    def _tell_fault(self, footing: Footing) -> None:
        """Tell of a state that is lost, once."""
        fault = "" if footing.fault is None else str(footing.fault)
        if fault and fault != self.told.fault:
            self.mover.note(EntryKind.OBSERVED, STEP, fault, footing.state.epoch)
            self._tell(notice_of_loss(self.mover.migration, fault), footing.state.epoch)
        self.told.fault = fault

    def _grace(self) -> float:
        """Leave a live operator's process time to act first."""
        lease = self.plane.lease()
        return 0.0 if lease is None or lease.is_over(self.clock.now()) else self.grace_s

    def _roll_back(self, state: State, decision: RollBack, verdicts: Sequence[GuardrailVerdict]) -> str:
        detail = {"verdicts": verdict_detail(verdicts)}
        went = self.mover.back(decision.to, decision.why, STEP, seen=state, detail=detail)
        if not isinstance(went, Moved):
            return ""
        self._tell(notice_of_breach(self.mover.migration, decision.why, verdicts), went.state.epoch)
        return decision.why

    def _note_hold(self, state: State, decision: Decision, verdicts: Sequence[GuardrailVerdict]) -> None:
        """Take down when a breach begins, once: which guardrails it is about, not each look's numbers."""
        breached = isinstance(decision, KeepWatching | Alarm)
        held = ",".join(sorted(self.watch.breaches)) if breached else ""
        if held and held != self.told.noted:
            detail = {"verdicts": verdict_detail(verdicts)}
            self.mover.note(EntryKind.OBSERVED, STEP, decision.why, state.epoch, detail)
        if isinstance(decision, Alarm) and held != self.told.alarm:
            self.told.alarm = held
            self._tell(notice_of_breach(self.mover.migration, decision.why, verdicts), state.epoch)
        self.told.noted = held
        self.told.alarm = self.told.alarm if held else ""

    def _tell(self, notice: Notice, epoch: int) -> None:
        for failure in self.mover.notices.tell(notice):
            self.mover.note(EntryKind.NOTED, STEP, failure, epoch)
