"""The watchdog alone: it rolls a poisoned migration back, once, and leaves a healthy one alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from migration.cutover.mover import Moved, Mover
from migration.cutover.notice import NoticeKind
from migration.cutover.watchdog import ToldOf, Watchdog
from migration.cutover.watching import WATCHED, Watch, WatchLimits
from migration.model.errors import RemoteError
from migration.model.guardrails import GuardrailVerdict, Outcome
from migration.model.journal import EntryKind
from migration.model.stages import FULL_WEIGHT, Control, Stage
from migration.model.state import Lease, State
from tests.doubles.clock import MemoryClock
from tests.doubles.control_plane import MemoryControlPlane
from tests.doubles.hooks import MemoryHooks, MemoryNotices

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LIVE = State(Control(Stage.LIVE, 100, FULL_WEIGHT, 5))
INTERVAL_S = 2.0
GRACE_S = 20.0
TOKENS = count()


@dataclass
class Looks:
    """Guardrails that find what they are told to, look after look; the last goes on."""

    clock: MemoryClock
    outcomes: list[Outcome]
    seen: list[Stage] = field(default_factory=list)

    def look(self, state: State) -> Sequence[GuardrailVerdict]:
        self.seen.append(state.stage)
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        return [GuardrailVerdict("dead_letters", outcome, "3, at most 0", self.clock.now())]


@dataclass
class Frail(MemoryControlPlane):
    """A control plane whose reads fail as long as they are told to."""

    failures: int = 0
    before_move: Callable[[], object] = lambda: None

    def state(self) -> State:
        if self.failures:
            self.failures -= 1
            raise RemoteError("AWS was not reached", hint="try again")
        return self.current

    def move(self, state: Any, entry: Any, lease: Any) -> bool:
        act, self.before_move = self.before_move, lambda: None
        act()
        return super().move(state, entry, lease)


class World:
    """A migration and its watchdogs."""

    def __init__(self, *outcomes: Outcome, state: State = LIVE) -> None:
        self.clock = MemoryClock()
        self.plane = Frail(state)
        self.notices = MemoryNotices()
        self.looks = Looks(self.clock, list(outcomes))

    def watchdog(self, name: str = "watchdog") -> Watchdog:
        mover = Mover(
            "activities",
            self.plane,
            self.clock,
            lambda: f"{next(TOKENS):04x}",
            name,
            "",
            MemoryHooks(),
            self.notices,
        )
        watch = Watch(WatchLimits(3))
        return Watchdog(self.plane, self.looks, self.clock, mover, watch, INTERVAL_S, GRACE_S)

    def for_s(self, seconds: float) -> Callable[[], bool]:
        end = self.clock.now() + seconds
        return lambda: self.clock.now() + INTERVAL_S <= end

    def hold_lease(self, seconds: float) -> None:
        self.plane.holder = Lease("ana@desk:1", 1, self.clock.now() + seconds)

    def kinds(self) -> list[EntryKind]:
        return [one.kind for one in self.plane.journal()]


def test_it_alone_rolls_a_poisoned_migration_back_and_says_why() -> None:
    world = World(Outcome.PASS, Outcome.FAIL, state=replace(LIVE, plan="abc"))
    seen = world.watchdog().turn(world.for_s(50))
    assert world.plane.state().control == Control(Stage.SHADOW, epoch=6)
    assert "dead_letters failed in 3 looks in 4 s" in world.plane.state().paused
    assert (seen.rolled_back, seen.stage, seen.looks) == (
        "dead_letters failed in 3 looks in 4 s: 3, at most 0",
        "shadow",
        4,
    )
    assert world.kinds() == [EntryKind.OBSERVED, EntryKind.DONE]
    done = list(world.plane.journal())[-1]
    assert (done.by, done.step, done.detail["rollback"]) == ("watchdog", "watchdog", True)
    assert (done.detail["verdicts"][0]["outcome"], world.plane.state().plan) == ("fail", "abc")
    assert [one.kind for one in world.notices.told] == [NoticeKind.TRANSITION, NoticeKind.BREACH]


@pytest.mark.parametrize("outcome", [Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.ERROR])
def test_what_has_not_failed_is_left_alone(outcome: Outcome) -> None:
    world = World(outcome)
    seen = world.watchdog().turn(world.for_s(50))
    assert (world.plane.state(), seen.looks, world.kinds()) == (LIVE, 26, [])


@pytest.mark.parametrize("stage", [one for one in Stage if one not in WATCHED])
def test_where_no_client_depends_on_the_pipeline_it_does_not_even_look(stage: Stage) -> None:
    world = World(Outcome.FAIL, state=State(Control(stage)))
    assert world.watchdog().turn(world.for_s(50)).looks == 0
    assert (world.looks.seen, world.kinds()) == ([], [])


def test_it_acts_in_rampdown_and_where_a_person_is_asked() -> None:
    for state in (State(Control(Stage.RAMPDOWN)), replace(LIVE, paused="ana: gate before rampdown")):
        world = World(Outcome.FAIL, state=state)
        world.watchdog().turn(world.for_s(50))
        assert world.plane.state().stage is Stage.SHADOW


def test_a_live_operators_process_is_left_the_grace_to_act_first() -> None:
    world = World(Outcome.FAIL)
    world.hold_lease(1_000)
    world.watchdog().turn(world.for_s(GRACE_S - INTERVAL_S))
    assert world.plane.state() == LIVE
    world.watchdog().turn(world.for_s(GRACE_S))
    assert world.plane.state().stage is Stage.SHADOW, "the breach outlasted the grace"


def test_a_lease_that_is_over_holds_nothing_up() -> None:
    world = World(Outcome.FAIL)
    world.hold_lease(3)
    world.watchdog().turn(world.for_s(4))
    assert world.plane.state().stage is Stage.SHADOW


def test_of_two_watchdogs_one_acts() -> None:
    world = World(Outcome.FAIL)
    other = world.watchdog("other")
    world.plane.before_move = lambda: other.turn(world.for_s(10))
    seen = world.watchdog().turn(world.for_s(10))
    assert seen.rolled_back == ""
    assert [one.by for one in world.plane.journal() if one.kind is EntryKind.DONE] == ["other"]
    assert [one.kind for one in world.notices.told] == [NoticeKind.TRANSITION, NoticeKind.BREACH]


def test_a_failed_look_is_tried_again_and_a_blind_watchdog_says_so() -> None:
    world = World(Outcome.FAIL)
    world.plane.failures = 2
    seen = world.watchdog().turn(world.for_s(50))
    assert (seen.failed, world.plane.state().stage) == (2, Stage.SHADOW)
    world.plane.failures = 1_000
    with pytest.raises(RemoteError, match="not reached"):
        world.watchdog().turn(world.for_s(50))


def test_a_notice_that_fails_is_noted() -> None:
    world = World(Outcome.FAIL)
    world.notices.failures = ["telling the topic: gone"]
    world.watchdog().turn(world.for_s(50))
    assert world.plane.state().stage is Stage.SHADOW
    assert world.kinds() == [EntryKind.OBSERVED, EntryKind.DONE, EntryKind.NOTED, EntryKind.NOTED]


def test_a_breach_that_ends_by_itself_leaves_a_note_and_nothing_else() -> None:
    world = World(Outcome.FAIL, Outcome.FAIL, Outcome.PASS)
    world.watchdog().turn(world.for_s(50))
    assert (world.plane.state(), world.kinds()) == (LIVE, [EntryKind.OBSERVED])


def test_it_writes_only_on_the_state_that_it_looked_at() -> None:
    """While the decisive look is read, an operator goes back, mends it, and goes on with little traffic."""
    world = World(Outcome.FAIL)
    ana = world.watchdog("ana").mover
    look = world.looks.look

    def slow(state: State) -> Sequence[GuardrailVerdict]:
        found = look(state)
        if len(world.looks.seen) == 3:
            back = ana.back(Control(Stage.SHADOW), "seen it", "rollback")
            assert isinstance(back, Moved)
            mended = ana.change(back.state, back.state.changed(paused=""), "resume", "mended")
            ana.forward(mended, mended.moved(Stage.LIVE, 0, 100), "reads 1 %", "again", None)
        return found

    world.looks.look = slow  # type: ignore[method-assign] # what happens meanwhile
    seen = world.watchdog().turn(lambda: len(world.looks.seen) < 3)
    assert seen.rolled_back == ""
    assert (world.plane.state().stage, world.plane.state().paused) == (Stage.LIVE, "")


@dataclass
class Behind(Looks):
    """The reverse mirror alone is in trouble."""

    def look(self, state: State) -> Sequence[GuardrailVerdict]:
        return [replace(one, name="mirror_lag", rolls_back=False) for one in Looks.look(self, state)]


def test_trouble_of_the_reverse_mirror_alone_holds_and_is_told_once() -> None:
    world = World()
    world.looks = Behind(world.clock, [Outcome.PASS, Outcome.FAIL])
    told = ToldOf()
    for _ in range(3):
        dog = world.watchdog()
        dog.told = told  # as the function's process keeps it
        dog.turn(world.for_s(50))
    assert world.plane.state() == LIVE, "clients stay where everything is"
    assert [one.kind for one in world.notices.told] == [NoticeKind.BREACH]
    assert "does not roll back" in world.notices.told[0].text
    assert world.kinds() == [EntryKind.OBSERVED]
    world.looks = Behind(world.clock, [Outcome.PASS, Outcome.FAIL])
    dog.guardrails = world.looks
    dog.turn(world.for_s(50))
    assert len(world.notices.told) == 2, "it was over, and began again"
