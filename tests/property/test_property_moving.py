"""Runs, watchdogs, rollbacks, resumes, repairs and doors at once, each able to die at any call.

Every process is the product's own code on a control plane in memory. It stops at each half of each call, and
hypothesis chooses who goes on, how calls end, whose clock is off, when doors are asked, when evidence goes
bad, and when the control item is lost. What was written, in which order and after which looks, is taken down
here, and judged by that alone.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from migration.aws.stack.door_switch import DoorSwitch
from migration.cutover import looks
from migration.cutover import run as running
from migration.cutover.mover import Mover
from migration.cutover.run import Run
from migration.cutover.watchdog import Watchdog
from migration.cutover.watching import Watch, WatchLimits
from migration.doctor.reading import read_records
from migration.doctor.repair_state import RepairState, find_way
from migration.door.control import TTL_S, CachedControl
from migration.door.counts import DoorCounts, Role
from migration.door.wire import MissedError, WireAnswer
from migration.guardrails.settling import DoorSettled
from migration.guardrails.vital import VitalLook
from migration.model.errors import RemoteError
from migration.model.guardrails import GuardrailVerdict, Outcome
from migration.model.journal import EntryKind
from migration.model.stages import Control, Stage
from migration.model.state import State
from migration.model.transitions import ORDER, gives_more, refusal
from tests.backfill_world import Fate
from tests.cutover_world import QUICK, World
from tests.doubles.control_plane import MemoryControlPlane
from tests.memory_dynamodb import control_item
from tests.rounds import FINDING, rounds_asked, run_rounds
from tests.steered import Process, process

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from migration.model.journal import Entry
    from migration.model.state import Lease
    from tests.doubles.clock import MemoryClock

    Work = Callable[[Process], object]

Patch = pytest.MonkeyPatch
APART_S = 600.0
LAG_S = 1.0
LOOKS = 3
AT_ONCE = 5
SLICE = 10
MOST_DOORS = 4
A_ROUND = 30
CALLS: list[int | str] = [1, 2, 5, 20, 60, *[400] * 3, "move", "append", "take_lease", "state"]
fates: st.SearchStrategy[list[Fate]] = st.just([]) | st.builds(
    lambda well, ends: [Fate.DONE] * well + ends,
    st.integers(0, 40),
    st.lists(st.sampled_from([Fate.DONE, Fate.LOST, Fate.UNANSWERED]), max_size=4),
)
clocks_off = st.sampled_from([0.0, 0.0, -APART_S, APART_S, 2.0, -2.0])


@dataclass(frozen=True)
class Written:
    """What a process wrote of the state."""

    by: str
    was: State
    to: State
    entry: Entry
    fenced: bool = False
    restored: bool = False


@dataclass
class Ledgered(MemoryControlPlane):
    """The control plane, and what was written in which order, whatever becomes of the journal or the item."""

    written: list[Written] = field(default_factory=list)
    notes: list[Entry] = field(default_factory=list)
    on_write: Callable[[], None] = lambda: None

    def move(self, state: State, entry: Entry, lease: Lease | None) -> bool:
        was = self.current
        done = super().move(state, entry, lease)
        if done:
            self.written.append(Written(entry.by, was, state, entry, fenced=lease is not None))
            self.on_write()
        return done

    def restore(self, state: State, entry: Entry, instead_of: int) -> bool:
        was = self.current
        done = super().restore(state, entry, instead_of)
        if done:
            self.written.append(Written(entry.by, was, state, entry, restored=True))
            self.on_write()
        return done

    def append(self, entry: Entry) -> None:
        super().append(entry)
        self.notes.append(entry)


@dataclass
class Steered:
    """The running process's way to something: it stops around each call, which ends as its fates will."""

    there: Any

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.there, name)

        def call(*arguments: Any) -> Any:
            process().about_to = name
            process().spend()
            fate = process().fate()
            result = method(*arguments) if fate.happens else None
            process().spend()
            if fate is not Fate.DONE:
                raise RemoteError("no answer", hint="try again")
            return result

        return call


@dataclass
class OwnClock:
    """A process's clock, which may be off; who sleeps lets others go on."""

    clock: MemoryClock
    off_s: float = 0.0

    def now(self) -> float:
        return self.clock.now() + self.off_s

    def elapsed(self) -> float:
        return self.clock.elapsed()

    def sleep(self, seconds: float) -> None:
        process().about_to = "sleep"
        process().spend()
        self.clock.sleep(seconds)


@dataclass
class Door:
    """One warm instance of the front door, with its own clock."""

    world: Together
    name: str
    off_s: float
    control: CachedControl = field(init=False)
    counts: DoorCounts | None = None
    well: bool = True
    lags: bool = False
    read_well: bool = False

    def __post_init__(self) -> None:
        wire: Any = self
        self.control = CachedControl("control", "m", wire, Control(), self.world.clock.elapsed)

    def send(self, _operation: str, _parameters: dict[str, Any]) -> None:
        self.read_well = False

    def collect(self, _within_s: float) -> WireAnswer:
        if not self.well:
            raise MissedError("timeout")
        shown = self.world.shown(LAG_S if self.lags else 0.0)
        self.read_well = shown is not None and shown.epoch >= self.control.last.epoch
        return WireAnswer({} if shown is None else control_item(shown), "")

    def route(self) -> None:
        """Answer a request, and hold the door to its promises."""
        before = self.control.last.epoch
        routed = self.control.current()
        assert routed.epoch >= before, "a door routes by an epoch before one that it has seen"
        if self.control.blind:
            return
        if self.read_well:
            assert routed in self.world.recent(TTL_S + LAG_S), "a door routes by a stage that is over"
        known = self.world.routed.setdefault(routed.epoch, routed)
        assert known == routed, "one epoch, and two ways to route"
        self.world.seen_by_doors.add(routed.epoch)
        moment = self.world.clock.now() + self.off_s
        since = self.counts.since if self.counts and self.counts.epoch == routed.epoch else moment
        self.counts = DoorCounts(self.name, Role.INGEST, routed.epoch, since, moment)


@dataclass
class Looks:
    """One process's guardrails: one that says what the test has it say, and the real one about doors."""

    world: Together
    name: str
    clock: OwnClock
    proofs: bool = False
    settled: DoorSettled = field(default_factory=DoorSettled)

    def door(self) -> list[DoorCounts]:
        return [one.counts for one in self.world.doors if one.counts is not None]

    def look(self, state: State) -> Sequence[GuardrailVerdict]:
        process().about_to = "look"
        process().spend()
        outcome = self.world.proof_says if self.proofs else self.world.vital_says
        kept = self.world.proved if self.proofs else self.world.looked
        kept[self.name, state.epoch].append(outcome)
        verdict = GuardrailVerdict(
            "proof" if self.proofs else "error_rate", outcome, "as told", self.clock.now()
        )
        if self.proofs:
            return [verdict]
        return [verdict, self.settled.verdict(VitalLook(self, state, self.clock))]


@dataclass
class Together(World):
    """One migration, and everybody who moves it."""

    plane: Ledgered = field(default_factory=Ledgered)
    vital_says: Outcome = Outcome.PASS
    proof_says: Outcome = Outcome.PASS
    doors: list[Door] = field(default_factory=list)
    looked: dict[tuple[str, int], list[Outcome]] = field(default_factory=lambda: defaultdict(list))
    proved: dict[tuple[str, int], list[Outcome]] = field(default_factory=lambda: defaultdict(list))
    routed: dict[int, Control] = field(default_factory=dict)
    seen_by_doors: set[int] = field(default_factory=set)
    ever: list[tuple[float, Control | None]] = field(default_factory=lambda: [(-math.inf, None)])

    def __post_init__(self) -> None:
        self.plane.on_write = self.take_down

    @property
    def lost(self) -> bool:
        """Whether the item is not what was written last."""
        return bool(self.plane.written) and self.plane.current != self.plane.written[-1].to

    def take_down(self) -> None:
        """Take down what the table shows from now on."""
        there = None if self.plane.current == State() else self.plane.current.control
        if self.ever[-1][1] != there:
            self.ever.append((self.clock.now(), there))

    def shown(self, ago_s: float) -> Control | None:
        """Give what a read may show that lags so much."""
        return [one for at, one in self.ever if at <= self.clock.now() - ago_s][-1]

    def recent(self, seconds: float) -> list[Control | None]:
        """Give all that a read of the last seconds may have shown."""
        over = sum(at <= self.clock.now() - seconds for at, _ in self.ever)
        return [one or Control() for _, one in self.ever[over - 1 :]]

    def run_of(self, name: str, clock: OwnClock) -> Run:
        plane: Any = Steered(self.plane)
        run = self.seated(name, plane, DoorSwitch(plane), clock)
        run.vital, run.proofs = Looks(self, name, clock), Looks(self, name, clock, proofs=True)
        return run

    def mover_of(self, name: str, clock: OwnClock) -> Mover:
        return self.mover(name, Steered(self.plane), clock)


class Moving(RuleBasedStateMachine):
    """Everybody, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.world = Together(QUICK)
        self.working: list[tuple[str, Process]] = []
        self.dogs: dict[str, Watchdog] = {}
        self.judged = self.judged_notes = 0
        self.names = 0

    @initialize(
        at=st.sampled_from([None, Stage.DUALWRITE, Stage.SHADOW, Stage.LIVE, Stage.RAMPDOWN]),
        doors=st.lists(clocks_off, min_size=1, max_size=3),
    )
    def begin(self, at: Stage | None, doors: list[float]) -> None:
        """It has come so far already."""
        if at is not None:
            World.run(self.world, goal=at)
            self.judged_notes = len(self.world.plane.notes)
        for off_s in doors:
            self._start_door(off_s)

    # Who works

    @rule(
        who=st.sampled_from(["run"] * 4 + ["dog"] * 3 + ["resume"] * 3 + ["back", "repair"]),
        to=st.sampled_from([*Stage, Stage.SHADOW, Stage.RAMPDOWN, Stage.RAMPDOWN]),
        off_s=clocks_off,
        fates=fates,
    )
    def somebody_begins(self, who: str, to: Stage, off_s: float, fates: list[Fate]) -> None:
        if len(self.working) >= AT_ONCE:
            return
        clock = OwnClock(self.world.clock, off_s)
        name, work = self._dog(clock) if who == "dog" else self._command(who, to, clock)
        self.working.append((name, Process(work, fates)))

    def _dog(self, clock: OwnClock) -> tuple[str, Work]:
        """A warm instance of the watchdog has a turn, or a new one does."""
        busy = {name for name, _ in self.working}
        name = next((one for one in self.dogs if one not in busy), None) or self._name("dog")
        if name not in self.dogs:
            mover, looks = self.world.mover_of(name, clock), Looks(self.world, name, clock)
            watch = Watch(WatchLimits(LOOKS))
            self.dogs[name] = Watchdog(mover.plane, looks, clock, mover, watch, 2.0, 20.0)
        dog, left = self.dogs[name], iter(range(2 * LOOKS))
        return name, lambda _: dog.turn(lambda: next(left, None) is not None)

    def _command(self, who: str, to: Stage, clock: OwnClock) -> tuple[str, Work]:
        name = self._name(who)
        mover = self.world.mover_of(name, clock)

        def run(_: Process) -> None:
            run = self.world.run_of(name, clock)
            with run.lease.held(patience_s=60):
                run.until(to, patience_s=600)

        def resume(_: Process) -> None:
            state = mover.plane.state()
            if state.paused:
                mover.change(state, state.changed(paused=""), "resume", "resume")

        def repair(_: Process) -> None:
            records = read_records(mover.plane, self.world.checkpoints, clock, self.world.is_dead)
            RepairState(mover).apply(records, find_way(records, to))

        def back(_: Process) -> None:
            mover.back(Control(min(to, Stage.SHADOW, key=ORDER.index)), "wanted", "rollback")

        return name, {"run": run, "resume": resume, "repair": repair, "back": back}[who]

    # Who goes on

    @rule(
        turns=st.lists(st.tuples(st.integers(0, AT_ONCE), st.sampled_from(CALLS)), min_size=1, max_size=8),
        asked=st.booleans(),
    )
    def go_on(self, turns: list[tuple[int, int | str]], asked: bool) -> None:
        for which, calls in turns:
            if self.working:
                name, one = self.working[which % len(self.working)]
                self._let(one, calls, asked=asked)
                self._settle(name, one)

    def _let(self, one: Process, calls: int | str, *, asked: bool) -> None:
        """Let one go on; clients may ask the doors meanwhile."""
        if isinstance(calls, str):
            one.step_up_to(calls)
            return
        for begun in range(0, calls, SLICE):
            one.step(min(SLICE, calls - begun))
            if asked:
                self.clients_come(well=True, lags=False)

    @rule(which=st.integers(0, AT_ONCE), known=st.booleans())
    def kill(self, which: int, known: bool) -> None:
        if self.working:
            name, one = self.working[which % len(self.working)]
            one.kill()
            if known:
                self.world.dead.add(name)
            self.dogs.pop(name, None)
            self._settle(name, one)

    # What happens around them

    @rule(seconds=st.sampled_from([0.3, 1.0, 3.0, 10.0, 60.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.clock.sleep(seconds)

    @rule(well=st.sampled_from([True, True, True, False]), lags=st.booleans())
    def clients_come(self, well: bool, lags: bool) -> None:
        for door in self.world.doors:
            door.well, door.lags = well, lags
            door.route()

    @rule(
        vital=st.sampled_from([Outcome.PASS] * 4 + [Outcome.FAIL] * 2 + [Outcome.ERROR]),
        proof=st.sampled_from([Outcome.PASS] * 6 + [Outcome.FAIL, Outcome.INCONCLUSIVE]),
    )
    def evidence_turns(self, vital: Outcome, proof: Outcome) -> None:
        self.world.vital_says, self.world.proof_says = vital, proof

    @rule(
        call=st.sampled_from(["move", "look", "look"]), turns=st.integers(1, 4), which=st.integers(0, AT_ONCE)
    )
    def evidence_is_bad_for_a_moment(self, call: str, turns: int, which: int) -> None:
        """Somebody looks meanwhile, or comes as far as to be about to act."""
        if self.working:
            name, one = self.working[which % len(self.working)]
            self.world.vital_says = Outcome.FAIL
            for _ in range(turns):
                one.step_up_to(call)
            self.world.vital_says = Outcome.PASS
            self._settle(name, one)

    @rule(off_s=clocks_off, back=st.sampled_from([None] * 6 + [0, 1, 2]))
    def a_door_starts_or_the_item_is_lost(self, off_s: float, back: int | None) -> None:
        """The item is gone, or an older one is put in its place."""
        written = self.world.plane.written
        if back is None:
            self._start_door(off_s)
        elif written and not self.world.lost:
            self.world.plane.current = written[-1 - back].to if 0 < back < len(written) else State()
            self.world.take_down()

    def _start_door(self, off_s: float) -> None:
        if len(self.world.doors) < MOST_DOORS:
            self.world.doors.append(Door(self.world, f"door-{len(self.world.doors)}", off_s))

    # What must hold

    @invariant()
    def every_write_was_allowed(self) -> None:
        written = self.world.plane.written
        for number in range(self.judged, len(written)):
            self._judge(written[:number], written[number])
        self.judged = len(written)
        for note in self.world.plane.notes[self.judged_notes :]:
            if note.kind is EntryKind.CONFIRMED and "verdicts" in note.detail:
                assert note.epoch in self.world.seen_by_doors, "confirmed, and no door routes by it"
        self.judged_notes = len(self.world.plane.notes)

    def _judge(self, before: Sequence[Written], one: Written) -> None:
        last = before[-1].to if before else State()
        used = {each.to.epoch for each in before}
        assert one.to.epoch > max(used, default=0), "an epoch is used again"
        role = one.by.partition("-")[0]
        if not one.restored:
            assert one.was == last, "it follows another state than the last"
            same = replace(one.was.control, epoch=0) == replace(one.to.control, epoch=0)
            assert same or refusal(one.was.control, one.to.control) is None
        more = gives_more(last.control, one.to.control)
        if last.stage is Stage.COMPLETE:
            assert one.to.stage is Stage.COMPLETE, "authority went back after complete"
        if role in ("dog", "back", "resume"):
            assert not more, f"{role} gave the pipeline more"
        if role == "dog" or (role == "run" and one.entry.step == "rollback"):
            looks = self.world.looked[one.by, last.epoch]
            assert [*filter(Outcome.ERROR.__ne__, looks)][-LOOKS:] == [Outcome.FAIL] * LOOKS, (
                "no reason to go back"
            )
        if role == "run" and more:
            assert one.fenced, "it went forward without the lease"
            assert not last.paused, "it went forward where a person was to look"
            looks = self.world.looked[one.by, last.epoch]
            assert looks[-1:] == [Outcome.PASS], "it went forward on a bad look"
            if (
                one.to.stage is Stage.LIVE
                and "drill" not in one.entry.step
                and last.stage is not Stage.SHADOW
            ):
                assert self.world.proved[one.by, last.epoch][-1:] == [Outcome.PASS], (
                    "it went forward unproven"
                )

    def teardown(self) -> None:
        """Everybody dies; then a rollback works at once, and one more run ends where it should."""
        world = self.world
        for name, one in self.working:
            one.kill()
            world.dead.add(name)
            if one.error is not None:
                raise one.error
        world.vital_says = world.proof_says = Outcome.PASS
        for door in world.doors:
            door.off_s = 0.0
        world.clock.sleep(APART_S + DoorSettled().door_seen_s)
        written = world.plane.written
        last = written[-1].to if written else State()
        if last.stage is not Stage.COMPLETE:
            self._finish(*self._command("back", Stage.DUALWRITE, OwnClock(world.clock)))
            assert not world.lost, "it is lost still"
            assert world.plane.current.stage is min(last.stage, Stage.DUALWRITE, key=ORDER.index)
            assert world.plane.current.epoch >= last.epoch
            self._finish(*self._command("resume", Stage.OFF, OwnClock(world.clock)))
            self._finish(*self._command("run", Stage.RAMPDOWN, OwnClock(world.clock)))
            assert world.plane.current.stage is Stage.RAMPDOWN, "a run does not get there any more"
            assert all(door.control.last == world.plane.current.control for door in world.doors)
        self.every_write_was_allowed()

    def _finish(self, name: str, work: Work) -> None:
        """Let one alone work until it is done, while clients go on."""
        one = Process(work)
        while not one.over:
            self._let(one, SLICE, asked=True)
        if one.error is not None:
            raise one.error

    def _name(self, role: str) -> str:
        self.names += 1
        return f"{role}-{self.names}"

    def _settle(self, name: str, one: Process) -> None:
        if one.over:
            self.working.remove((name, one))
            if one.error is not None:
                raise one.error


@pytest.mark.slow
def test_everybody_at_once() -> None:
    given = settings(stateful_step_count=60, max_examples=A_ROUND)
    run_rounds(Moving, rounds_asked(60, A_ROUND), given)


def the_watchdog_forgets_what_it_saw(patch: Patch) -> None:
    right = Mover.back

    def back(
        self: Mover, target: Control, cause: str, step: str, *, seen: State | None = None, **more: Any
    ) -> Any:
        del seen
        return right(self, target, cause, step, **more)

    patch.setattr(Mover, "back", back)


def a_door_takes_any_epoch(patch: Patch) -> None:
    patch.setattr(CachedControl, "_take", lambda self, found: setattr(self, "_value", found or self._value))


def nobody_need_be_seen(patch: Patch) -> None:
    patch.setattr(running, "unsettled", lambda *_: None)
    patch.setattr(running, "is_seen", lambda _: True)
    patch.setattr(looks, "unsettled", lambda *_: None)


def a_move_needs_no_lease(patch: Patch) -> None:
    right = Mover.forward
    patch.setattr(
        Mover,
        "forward",
        lambda self, was, to, step, text, _, detail=None: right(self, was, to, step, text, None, detail),
    )


def proofs_of_another_state_count(patch: Patch) -> None:
    right = Run._prove

    def prove(self: Run, state: State, step: Any) -> Any:
        if self._proved is not None:
            self._proved = (state.epoch, *self._proved[1:])
        return right(self, state, step)

    patch.setattr(Run, "_prove", prove)


DEFECTS: dict[Callable[[Patch], None], int] = {
    the_watchdog_forgets_what_it_saw: 8,
    a_door_takes_any_epoch: 4,
    nobody_need_be_seen: 0,
    a_move_needs_no_lease: 0,
    proofs_of_another_state_count: 0,
}
"""Each with the seed of a round that found it when it was written; a later one may do as well."""
ROUNDS = 20
ENOUGH = settings(FINDING, stateful_step_count=60, max_examples=A_ROUND)


@pytest.mark.slow
@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.__name__)
def test_it_finds(defect: Callable[[Patch], None], monkeypatch: Patch) -> None:
    defect(monkeypatch)
    with pytest.raises(AssertionError):
        run_rounds(Moving, range(DEFECTS[defect], DEFECTS[defect] + ROUNDS), ENOUGH)
