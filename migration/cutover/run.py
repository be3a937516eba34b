"""The supervised run: look, decide, record, act, confirm; once a second, until it is where it shall be.

    look ── state, journal, vital guardrails ──► breached while the pipeline has traffic? ──► roll back, stop
      │
      ├─ something holds? (pause, gate, a guardrail, not watched long enough, work under way) ─► wait, say why
      │
      └─ nothing does ─► proofs of this very state ─► decided ─► one write ─► confirmed at the doors

The process remembers nothing that matters. Killed between any two calls, the same command reads state and
journal and goes on; what it had begun is done again at no harm. The vital guardrails are looked at in every
turn of the loop, also while a person is asked, work is under way, or everything is folded again. So is
whether traffic follows the state: a run that wrote one and died leaves that to the next (engine/following).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf
from typing import TYPE_CHECKING, Final

from migration.cutover.action import Action
from migration.cutover.background import in_thread
from migration.cutover.chronicle import UNSEEN, Chronicle
from migration.cutover.course import Step
from migration.cutover.footing import older
from migration.cutover.looks import (
    PROVE_AGAIN_S,
    Ending,
    Hold,
    Look,
    Waits,
    at_work,
    for_guardrails,
    has_taken_effect,
    is_seen,
    of_doors,
    unsettled,
    waits,
)
from migration.cutover.watching import RollBack, Watch
from migration.model.errors import GuardrailError, InconclusiveError, UsageError
from migration.model.guardrails import MIRROR_MISSES, Outcome, verdict_detail, worst
from migration.model.journal import EntryKind
from migration.model.transitions import ORDER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from migration.cutover.background import BackgroundWork, Begin
    from migration.cutover.course import CutoverPlan
    from migration.cutover.following import Following
    from migration.cutover.lease import LeaseKeeper
    from migration.cutover.mover import Mover
    from migration.model.checkpoints import Checkpoints
    from migration.model.clock import Clock
    from migration.model.control_plane import ControlPlane
    from migration.model.guardrails import Guardrails, GuardrailVerdict
    from migration.model.stages import Stage
    from migration.model.state import State

TURN_S: Final = 1.0
SEEN_AT_MOST_S: Final = 60.0  # that a way back is looked for at the doors
RECONCILE_AGAIN_S: Final = 60.0  # after one that did not settle what mirrors missed
REST: Final = 5.0  # times as long as it took, as it reads all events
_MISSED: Final = Step("reconcile misses", Action.RECONCILE)


@dataclass(slots=True)
class Run:
    """One process that moves a migration.

    Attributes:
        plane, checkpoints, clock, lease, mover: the world.
        following: keeps traffic where the state says.
        course: in which steps.
        vital, proofs: what must hold.
        work: what to do for `backfill` and `reconcile`; gives a sentence about what it came to.
        begin: begins work beside the loop.
        report: is told of each turn.
        watch: what was seen of the vital guardrails.
    """

    plane: ControlPlane
    checkpoints: Checkpoints
    clock: Clock
    lease: LeaseKeeper
    mover: Mover
    following: Following
    course: CutoverPlan
    vital: Guardrails
    proofs: Guardrails
    work: Mapping[Action, Callable[[], str]]
    report: Callable[[Look], None] = lambda _: None
    begin: Begin = in_thread
    watch: Watch = field(default_factory=Watch)
    _so_far: Chronicle = field(default_factory=Chronicle, init=False)
    _working: tuple[Step, BackgroundWork[str]] | None = field(default=None, init=False)
    _proving: tuple[int, BackgroundWork[Sequence[GuardrailVerdict]]] | None = field(default=None, init=False)
    _proved: tuple[int, float, Sequence[GuardrailVerdict]] | None = field(default=None, init=False)
    _unseen_since: float | None = field(default=None, init=False)
    _began_at: float = field(default=0.0, init=False)
    _reconcile_due: float = field(default=-inf, init=False)

    def until(self, goal: Stage, patience_s: float = inf) -> Look:
        """Go on until the goal is reached, or a breach rolled the migration back; the lease must be held.

        Args:
            goal: the stage to reach.
            patience_s: how long guardrails may hold it before it gives up; it stays where it is then.

        Raises:
            GuardrailError, InconclusiveError: when they did.
            ConflictError: when another process took the lease.
            IntegrityError: when the state is lost: gone, or older than the journal.
            CutoverError: what the work for a step meets.
        """
        return self._go_on(lambda state: self._next(state, goal), patience_s, for_people=True)

    def do(self, step: Step, patience_s: float = 0.0) -> Look:
        """Do one step of a person's choice, if all holds that holds the run's own; the lease must be held.

        Raises:
            UsageError: when a person has to say something first.
            GuardrailError, InconclusiveError: when guardrails hold it for longer than the patience.
            ConflictError: as `until`.
        """
        return self._go_on(lambda state: None if self._is_done(state, step) else step, patience_s)

    def _go_on(
        self, choose: Callable[[State], Step | None], patience_s: float, *, for_people: bool = False
    ) -> Look:
        """Take turn after turn until one ends it; waits for a person only where the caller does."""
        held_since: float | None = None
        while True:
            look = self._turn(choose)
            self.report(look)
            if look.ending is not None:
                return look
            if look.hold and look.hold.waits is Waits.PERSON and not for_people:
                raise UsageError(look.hold.why, hint="nothing was changed", next_command="cutover resume")
            if look.step is not _MISSED:  # which guardrails asked for
                held_since = self._patient(look.hold, held_since, patience_s)
            if look.hold and not look.hold.over:
                self.clock.sleep(TURN_S)

    def _patient(self, held: Hold | None, since: float | None, patience_s: float) -> float | None:
        """Say since when guardrails hold it; give up after the patience."""
        if held is None or held.waits is not Waits.GUARDRAIL:
            return None
        now = self.clock.elapsed()
        if since is not None and now - since >= patience_s:
            kind = GuardrailError if held.outcome is Outcome.FAIL else InconclusiveError
            hint = "see each guardrail's arithmetic, and mend what it names; nothing was changed"
            raise kind(held.why, hint=hint, next_command="cutover status")
        return now if since is None else since

    def _turn(self, choose: Callable[[State], Step | None]) -> Look:
        self.lease.keep()
        state = self._where()
        astray = self.following.see(state.epoch)
        vitals = self.vital.look(state)
        decision = self.watch.after(state, vitals)
        if isinstance(decision, RollBack):
            return self._roll_back(state, vitals, decision)
        if astray is not None:
            return Look(state, None, astray, vitals)
        if state.paused and self._so_far.rolled_back:
            return self._rolled_back(state, vitals)
        step = choose(state)
        if step is None:
            return Look(state, None, vitals=vitals, ending=Ending.REACHED, why=f"stage {state.stage}")
        step = self._reconciling(step, vitals) or step
        held = self._hold(state, step, vitals)
        proofs = self._proved[2] if self._proved and self._proved[0] == state.epoch else ()
        if held is None:
            self._act(state, step, vitals, proofs)
        return Look(state, step, held, vitals, proofs)

    def _next(self, state: State, goal: Stage) -> Step | None:
        """Choose the course's next step; None when the goal is reached."""
        step = self.course.next_step(state, self._so_far, self.clock.now())
        if step is None or self._reached(state, goal, step):
            return None
        return step

    def _reconciling(self, step: Step, vitals: Sequence[GuardrailVerdict]) -> Step | None:
        """Reconcile between two steps what mirrors missed, which would hold the next one for good."""
        if self._working is not None and self._working[0] is _MISSED:
            return _MISSED
        missed = any(one.name == MIRROR_MISSES and one.counted is not Outcome.PASS for one in vitals)
        may = missed and self._so_far.confirmed and step.action not in self.work
        due = self.clock.elapsed() >= self._reconcile_due
        return _MISSED if may and due and Action.RECONCILE in self.work else None

    def _is_done(self, state: State, step: Step) -> bool:
        at = None if step.to is None else replace(step.to, epoch=state.epoch)
        return at == state.control and self._so_far.confirmed

    def _where(self) -> State:
        """Read the state and what was done so far; both again when it was moved in between.

        Raises:
            IntegrityError: when the state is lost.
        """
        while True:
            state = self.plane.state()
            self._read_on(state)
            if self._so_far.epoch <= state.epoch:
                return state
            if self.plane.epoch() == state.epoch:
                raise older(state, self._so_far.epoch)

    def _read_on(self, state: State) -> None:
        """Take in what was written since; all of it, when a machine whose clock is behind wrote the state."""
        so_far = self._so_far.after(self.plane.journal(self._so_far.last))
        if so_far.entry != state.entry:
            so_far = Chronicle().after(self.plane.journal())
        self._so_far = so_far.with_backfill(self.checkpoints.job())

    def _reached(self, state: State, goal: Stage, step: Step) -> bool:
        """Whether the goal is reached, and not only on the way through a drill."""
        drilling = step.action in (Action.DRILL_BACK, Action.DRILL_JUDGED)
        there = ORDER.index(state.stage) >= ORDER.index(goal)
        return there and self._so_far.confirmed and not drilling

    def _hold(self, state: State, step: Step, vitals: Sequence[GuardrailVerdict]) -> Hold | None:
        """Say why the step is not done yet; None when it is to be done now."""
        waiting = waits(self.course, state, self._so_far, step, vitals, self.clock.now())
        if waiting:
            return waiting
        if not self._so_far.confirmed:
            return self._confirm(state, vitals)
        if step.action in self.work:
            return self._at_work(step)
        return self._prove(state, step) if step.proofs else None

    def _confirm(self, state: State, vitals: Sequence[GuardrailVerdict]) -> Hold:
        """Take down that a move was seen to take effect; its seconds hold this loop's own looking, too."""
        passed_s, step = self.clock.now() - self._so_far.state_at, self._so_far.step
        detail = {"seconds": round(passed_s, 3), "verdicts": verdict_detail(of_doors(vitals))}
        if is_seen(vitals):
            self._write(state, EntryKind.CONFIRMED, step, "every door that answers routes by it", detail)
        else:
            text = "the doors' caches are over; nobody looked at the doors"
            self._write(state, EntryKind.NOTED, step, text, {UNSEEN: True, **detail})
        return has_taken_effect(self._so_far)

    def _at_work(self, step: Step) -> Hold | None:
        """Begin the step's work, or see whether it is done; holds while it is under way."""
        if self._working is None or self._working[0].name != step.name:
            self._began_at = self.clock.elapsed()
            self._working = (step, self.begin(self.work[step.action]))
        return None if self._working[1].done else at_work(self._so_far, step)

    def _prove(self, state: State, step: Step) -> Hold | None:
        """Have everything folded and compared again for this very epoch; holds until it is, and passes."""
        if self._proving is not None and self._proving[1].done:
            epoch, job = self._proving
            self._proving = None
            self._proved = (epoch, self.clock.now(), job.result())
            self._write_proofs(epoch, self._proved[2])
        proved = self._proved
        if proved is not None and proved[0] == state.epoch:
            held = for_guardrails(proved[2])
            if held is None or self.clock.now() - proved[1] < PROVE_AGAIN_S:
                return held
        if self._proving is None:
            self._proving = (state.epoch, self.begin(lambda: self.proofs.look(state)))
        return at_work(self._so_far, step)

    def _write_proofs(self, epoch: int, verdicts: Sequence[GuardrailVerdict]) -> None:
        text = f"proofs: {worst(verdicts)}"
        self.mover.note(EntryKind.OBSERVED, "proofs", text, epoch, {"verdicts": verdict_detail(verdicts)})

    def _act(
        self,
        state: State,
        step: Step,
        vitals: Sequence[GuardrailVerdict],
        proofs: Sequence[GuardrailVerdict],
    ) -> None:
        if step.action in self.work:
            self._finish_work(state, step)
        elif step.action is Action.DRILL_JUDGED:
            self._judge_drill(state, proofs)
        elif step.action is Action.DRILL_BACK and step.to is not None:
            cause = "the rollback drill takes back what it gave"
            mine = self.lease.keep()
            self.mover.back(step.to, cause, Action.DRILL_BACK, stop=False, seen=state, lease=mine)
        elif step.to is not None:
            detail = {"verdicts": verdict_detail([*vitals, *proofs])}
            text = f"{step.name}: every guardrail holds"
            self._write(state, EntryKind.DECIDED, step.name, text, detail)
            to = state.moved(step.to.stage, step.to.write_weight, step.to.read_weight)
            self.mover.forward(state, to, step.name, text, self.lease.keep())

    def _finish_work(self, state: State, step: Step) -> None:
        if self._working is None:
            return
        job, self._working = self._working[1], None
        text = job.result()
        if step.action is Action.RECONCILE:
            now = self.clock.elapsed()
            self._reconcile_due = now + max(RECONCILE_AGAIN_S, REST * (now - self._began_at))
        self._write(state, EntryKind.CONFIRMED, step.name, text)

    def _judge_drill(self, state: State, proofs: Sequence[GuardrailVerdict]) -> None:
        """Take down that the way back works: it was gone, and both sides are equal after it."""
        drilled = [one for one in self.plane.newest(_DRILL_ENTRIES) if one.step == Action.DRILL_BACK]
        seconds = next((one.detail["seconds"] for one in drilled if one.kind is EntryKind.CONFIRMED), None)
        for path in ("reads", "writes"):
            detail = {"path": path, "ok": True, "seconds": seconds, "verdicts": verdict_detail(proofs)}
            text = f"{path} were given to the pipeline and taken back; both sides are equal"
            self._write(state, EntryKind.DRILLED, Action.DRILL, text, detail)

    def _roll_back(self, state: State, vitals: Sequence[GuardrailVerdict], breach: RollBack) -> Look:
        """Go back from the state that was breached; the next turn sees what became of it."""
        detail = {"verdicts": verdict_detail(vitals)}
        went = self.mover.back(breach.to, breach.why, "rollback", seen=state, detail=detail)
        astray = self.following.see(went.state.epoch)
        return Look(went.state, None, astray or Hold(Waits.WORK, f"rolling back: {breach.why}"), vitals)

    def _rolled_back(self, state: State, vitals: Sequence[GuardrailVerdict]) -> Look:
        """End once the way back, whoever went it, was seen at the doors, or could not be for so long."""
        if self._so_far.confirmed:
            return Look(state, None, vitals=vitals, ending=Ending.ROLLED_BACK, why=state.paused)
        held = unsettled(state, self._so_far, vitals, self.clock.now())
        if held is None:
            return Look(state, None, self._confirm(state, vitals), vitals)
        if self._unseen_since is None:
            self._unseen_since = self.clock.elapsed()
        if self.clock.elapsed() - self._unseen_since < SEEN_AT_MOST_S:
            return Look(state, None, held, vitals)
        unseen = f"written, not seen at the doors yet: {held.why}"
        self._write(state, EntryKind.NOTED, self._so_far.step, unseen)
        why = f"{state.paused}; {unseen}"
        return Look(state, None, vitals=vitals, ending=Ending.ROLLED_BACK, why=why)

    def _write(
        self, state: State, kind: EntryKind, step: str, text: str, detail: Mapping[str, object] | None = None
    ) -> None:
        self.mover.note(kind, step, text, state.epoch, detail)


_DRILL_ENTRIES: Final = 20
