"""A migration's control plane and switch in memory; a process can die, or stand still, at any call of its."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from migration.cutover.action import Action
from migration.cutover.background import at_once
from migration.cutover.course import CutoverPlan
from migration.cutover.following import Following
from migration.cutover.lease import LeaseKeeper
from migration.cutover.mover import AlreadyThere, Moved, MovedOn, Mover
from migration.cutover.run import Run
from migration.model.backfill import BackfillPhase, Job
from migration.model.guardrails import GuardrailVerdict, Outcome
from migration.model.journal import EntryKind
from migration.model.moments import moment_text
from migration.model.stages import Control, Stage
from tests.doubles.backfill import MemoryCheckpoints
from tests.doubles.clock import MemoryClock
from tests.doubles.control_plane import MemoryControlPlane
from tests.doubles.hooks import MemoryHooks, MemoryNotices
from tests.doubles.traffic_switch import MemoryTrafficSwitch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from migration.cutover.looks import Look
    from migration.model.clock import Clock
    from migration.model.journal import Entry
    from migration.model.state import Lease, State

QUICK = CutoverPlan(steps=(5, 100), bake_s=3, shadow_s=5, drill_percent=1)


class KilledError(BaseException):
    """The process is gone; nothing after this line happens, no handler of errors either."""


@dataclass
class Seat:
    """One process's way to something: `at` is called before and after each of its calls."""

    there: MemoryControlPlane | MemoryTrafficSwitch
    at: Callable[[], None] = lambda: None

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.there, name)

        def call(*args: Any) -> Any:
            self.at()
            result = method(*args)
            if name == "journal":
                result = list(result)
            self.at()
            return result

        return call


@dataclass
class Scripted:
    """Guardrails that say what the test has them say."""

    clock: Clock
    says: Callable[[State], dict[str, Outcome]]
    looks: list[Stage] = field(default_factory=list)

    def look(self, state: State) -> Sequence[GuardrailVerdict]:
        self.looks.append(state.stage)
        now = self.clock.now()
        return [
            GuardrailVerdict(name, outcome, f"{name} is {outcome}", now)
            for name, outcome in self.says(state).items()
        ]


@dataclass
class World:
    course: CutoverPlan = QUICK
    clock: MemoryClock = field(default_factory=MemoryClock)
    plane: MemoryControlPlane = field(default_factory=MemoryControlPlane)
    switch: MemoryTrafficSwitch = field(default_factory=MemoryTrafficSwitch)
    checkpoints: MemoryCheckpoints = field(default_factory=MemoryCheckpoints)
    hooks: MemoryHooks = field(default_factory=MemoryHooks)
    vital: Callable[[State], dict[str, Outcome]] = lambda _: {"door_settled": Outcome.PASS}
    proof: Callable[[State], dict[str, Outcome]] = lambda _: {"fold_equality": Outcome.PASS}
    worked: list[str] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    on_look: Callable[[Look], None] = lambda _: None
    dead: set[str] = field(default_factory=set)
    tokens: Iterator[int] = field(default_factory=count)
    plan: str = "plan"

    def process(self, name: str, at: Callable[[], None] = lambda: None) -> Run:
        """A new process; it knows nothing but what is in the tables."""
        return self.seated(name, Seat(self.plane, at), Seat(self.switch, at), self.clock)

    def seated(self, name: str, plane: Any, switch: Any, clock: Clock) -> Run:
        """A new process, with its own ways to the tables and its own clock."""
        work = {Action.BACKFILL: self._backfill, Action.RECONCILE: self._reconcile}
        return Run(
            plane,
            self.checkpoints,
            clock,
            LeaseKeeper(plane, clock, name, self.is_dead),
            self.mover(name, plane, clock),
            Following(switch, plane, clock),
            self.course,
            Scripted(clock, self.vital),
            Scripted(clock, self.proof),
            work,
            self._saw,
            at_once,
        )

    def mover(self, name: str, plane: Any, clock: Clock) -> Mover:
        """What moves the migration in this name."""
        notices = MemoryNotices()
        return Mover("activities", plane, clock, self._token, name, self.plan, self.hooks, notices)

    def _token(self) -> str:
        return f"{next(self.tokens):06x}"

    def run(
        self, name: str = "ana@desk:1", goal: Stage = Stage.RAMPDOWN, at: Callable[[], None] = lambda: None
    ) -> Look:
        """Give the command."""
        run = self.process(name, at)
        with run.lease.held(patience_s=60):
            return run.until(goal)

    @contextmanager
    def killing(self, after: int, name: str) -> Iterator[Callable[[], None]]:
        """Kill a process at its n-th half of a call."""
        left = after

        def at() -> None:
            nonlocal left
            left -= 1
            if left < 0:
                self.dead.add(name)
                raise KilledError

        yield at

    def roll_back(self, name: str, to: Stage, at: Callable[[], None] = lambda: None) -> Moved | AlreadyThere:
        """Give the command: one write, then the switch."""
        run = self.process(name, at)
        went = run.mover.back(Control(to), "wanted", "rollback")
        assert not isinstance(went, MovedOn)
        run.following.check(went.state.control)
        return went

    def is_dead(self, lease: Lease) -> bool:
        return lease.holder in self.dead

    def done(self) -> list[Entry]:
        """Every move, by epoch."""
        return sorted(
            (one for one in self.plane.journal() if one.kind is EntryKind.DONE), key=lambda one: one.epoch
        )

    def steps(self) -> list[str]:
        return [one.step for one in self.done()]

    def _backfill(self) -> str:
        self.worked.append("backfill")
        run = self.checkpoints.stored_job.run + 1 if self.checkpoints.stored_job else 1
        started = moment_text(self.clock.now())
        self.checkpoints.stored_job = Job(run, 1, 100, started, BackfillPhase.INSTALLED)
        return "installed"

    def _reconcile(self) -> str:
        self.worked.append("reconcile")
        return "both sides have the same activities"

    def _saw(self, look: Look) -> None:
        self.looks.append(look)
        assert len(self.looks) < 5_000, f"it goes round in circles: {look}"
        self.on_look(look)


def lease_of(world: World) -> Lease:
    lease = world.plane.lease()
    assert lease is not None
    return lease
