"""Making moves: legal, asked for, written once, told; and going back through every race and lost answer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from migration.cutover.hooks import HookFailure
from migration.cutover.mover import MOST_RACES, AlreadyThere, Moved, MovedOn, Mover
from migration.cutover.moves import control_words
from migration.cutover.notice import NoticeKind
from migration.model.errors import ConflictError, GuardrailError, RemoteError, UsageError
from migration.model.journal import EntryKind, control_of
from migration.model.stages import FULL_WEIGHT, Control, Stage
from migration.model.state import Lease, State
from tests.doubles.clock import MemoryClock
from tests.doubles.control_plane import MemoryControlPlane
from tests.doubles.hooks import MemoryHooks, MemoryNotices

if TYPE_CHECKING:
    from collections.abc import Callable

    from migration.model.journal import Entry

TOKENS = count()
SHADOW = Control(Stage.SHADOW)
LIVE = Control(Stage.LIVE, 2_500, 500, 7)
NO = HookFailure("freeze", "status 1: freeze until Monday")


@dataclass
class Interrupted(MemoryControlPlane):
    """A control plane where something happens before or after a move, once for each."""

    before: list[Callable[[], None]] = field(default_factory=list)
    after: list[Callable[[], None]] = field(default_factory=list)

    def move(self, state: State, entry: Entry, lease: Lease | None) -> bool:
        if self.before:
            self.before.pop(0)()
        done = super().move(state, entry, lease)
        if self.after:
            self.after.pop(0)()
        return done


def fail() -> None:
    raise RemoteError("AWS was not reached", hint="try again")


def mover(plane: MemoryControlPlane, **changes: Any) -> Mover:
    arguments: dict[str, Any] = {
        "migration": "activities",
        "plane": plane,
        "clock": MemoryClock(),
        "token": lambda: f"{next(TOKENS):04x}",
        "by": "ana@desk:1",
        "plan_hash": "abc",
        "hooks": MemoryHooks(),
        "notices": MemoryNotices(),
    }
    return Mover(**{**arguments, **changes})


def live(**changes: Any) -> Interrupted:
    return Interrupted(State(LIVE, plan="old", **changes))


def other(plane: MemoryControlPlane, **changes: Any) -> Callable[[], None]:
    """Somebody else's write."""

    def write() -> None:
        plane.current = plane.current.changed(**changes)

    return write


def test_a_move_forward_is_one_write_with_its_entry() -> None:
    plane, hooks, notices = live(), MemoryHooks(), MemoryNotices()
    was = plane.state()
    to = was.moved(Stage.LIVE, 5_000, 500)
    made = mover(plane, hooks=hooks, notices=notices).forward(was, to, "live 50 %", "went on", None, {"n": 1})
    (entry,) = plane.journal()
    assert plane.state() == made == replace(to, plan="abc", entry=entry.id, since=entry.at)
    assert (entry.kind, entry.by, entry.epoch, entry.step) == (EntryKind.DONE, "ana@desk:1", 8, "live 50 %")
    assert control_of(entry.detail["was"]) == LIVE
    assert control_of(entry.detail["to"]) == to.control
    assert {name: entry.detail[name] for name in ("rollback", "cause", "plan", "n")} == {
        "rollback": False,
        "cause": "",
        "plan": "abc",
        "n": 1,
    }
    assert hooks.asked == hooks.told
    assert [one.kind for one in notices.told] == [NoticeKind.TRANSITION]
    assert notices.told[0].detail["to"] == entry.detail["to"]


def test_a_hook_that_does_not_say_yes_keeps_it_where_it_is() -> None:
    plane, hooks = live(), MemoryHooks(refusal=NO)
    was = plane.state()
    with pytest.raises(GuardrailError, match=r"freeze until Monday; the migration stays at live"):
        mover(plane, hooks=hooks).forward(was, was.moved(Stage.LIVE, 5_000, 500), "x", "x", None)
    assert plane.state() == was
    assert [(one.kind, "freeze" in one.text) for one in plane.journal()] == [(EntryKind.NOTED, True)]
    assert hooks.told == []


@pytest.mark.parametrize(
    ("was", "to", "why"),
    [
        (State(SHADOW), (Stage.RAMPDOWN,), "from shadow the way goes to live"),
        (State(LIVE), (Stage.RAMPDOWN,), "not all of it"),
        (State(LIVE), (Stage.SHADOW,), "gives the pipeline less"),
        (State(LIVE), (Stage.LIVE, 2_500, 500), "or the same"),
        (State(Control(Stage.COMPLETE)), (Stage.RAMPDOWN,), "no way back"),
    ],
)
def test_what_is_not_legal_is_never_asked_for(was: State, to: tuple[Any, ...], why: str) -> None:
    plane, hooks = Interrupted(was), MemoryHooks()
    with pytest.raises(UsageError, match=why):
        mover(plane, hooks=hooks).forward(was, was.moved(*to), "x", "x", None)
    assert (hooks.asked, list(plane.journal())) == ([], [])


@pytest.mark.parametrize("stopped", [{"paused": "ana: lunch"}, {"postponed": Stage.LIVE}], ids=str)
def test_what_a_person_stopped_does_not_go_forward(stopped: dict[str, Any]) -> None:
    plane = Interrupted(State(SHADOW, **stopped))
    with pytest.raises(ConflictError):
        mover(plane).forward(plane.state(), plane.state().moved(Stage.LIVE, 100), "x", "x", None)


@pytest.mark.parametrize("lease", [None, Lease("bo@desk:2", 1, 1e9)], ids=["moved", "lease lost"])
def test_going_forward_loses_to_whoever_was_first(lease: Lease | None) -> None:
    plane = live()
    was = plane.state()
    if lease is None:
        other(plane, paused="bo")()
    else:
        plane.holder = replace(lease, token=2)
    with pytest.raises(ConflictError, match="somebody else"):
        mover(plane).forward(was, was.moved(Stage.LIVE, 5_000, 500), "x", "x", lease)
    assert list(plane.journal()) == []


def test_going_back_waits_for_nobody_and_stops_going_forward() -> None:
    plane, hooks = live(), MemoryHooks(refusal=NO)
    went = mover(plane, hooks=hooks).back(SHADOW, "dead letters: 3", "watch", detail={"verdicts": []})
    assert isinstance(went, Moved)
    assert (went.was.control, went.state) == (LIVE, plane.state())
    assert plane.state().control == replace(SHADOW, epoch=8)
    assert plane.state().paused.startswith("rolled back by ana@desk:1 at 2026-")
    assert plane.state().paused.endswith("dead letters: 3")
    (entry,) = plane.journal()
    assert (entry.detail["rollback"], entry.detail["cause"]) == (True, "dead letters: 3")
    assert entry.text == "rolled back from live (writes 25 %, reads 5 %) to shadow: dead letters: 3"
    assert (hooks.asked, len(hooks.told)) == ([], 1)


def test_a_way_back_within_live_never_gives_more_and_need_not_stop() -> None:
    plane = live()
    went = mover(plane).back(Control(Stage.LIVE, 100, 1_000), "end of drill", "drill", stop=False)
    assert isinstance(went, Moved)
    assert went.state.control == Control(Stage.LIVE, 100, 500, 8)
    assert went.state.paused == ""


@pytest.mark.parametrize("stage", [Stage.OFF, Stage.DUALWRITE, Stage.SHADOW])
def test_going_back_to_where_it_is_already_is_no_error(stage: Stage) -> None:
    plane = Interrupted(State(Control(stage)))
    assert mover(plane).back(SHADOW, "x", "x") == AlreadyThere(State(Control(stage)))
    assert list(plane.journal()) == []


def test_there_is_no_way_back_from_complete() -> None:
    plane = Interrupted(State(Control(Stage.COMPLETE)))
    with pytest.raises(UsageError, match="no way back"):
        mover(plane).back(SHADOW, "x", "x")


def test_a_way_back_that_meets_another_move_is_decided_again() -> None:
    plane = live()
    plane.before = [other(plane, postponed=Stage.RAMPDOWN), other(plane, plan="new")]
    went = mover(plane).back(SHADOW, "x", "watch")
    assert isinstance(went, Moved)
    assert (went.state.epoch, went.state.postponed) == (10, Stage.RAMPDOWN)
    assert len(list(plane.journal())) == 1


def test_of_two_that_go_back_one_does_and_the_other_finds_it_done() -> None:
    plane = live()
    first: list[Moved | AlreadyThere | MovedOn] = []
    plane.before = [lambda: first.append(mover(plane, by="watchdog").back(SHADOW, "x", "watch"))]
    assert isinstance(mover(plane).back(SHADOW, "y", "watch"), AlreadyThere)
    assert isinstance(first[0], Moved)
    assert [one.by for one in plane.journal()] == ["watchdog"]


def test_going_back_gives_up_when_others_never_stop() -> None:
    plane = live()
    plane.before = [other(plane, plan="x")] * MOST_RACES
    with pytest.raises(ConflictError, match="others moved it"):
        mover(plane).back(SHADOW, "x", "x")


def test_an_answer_that_was_lost_is_looked_up() -> None:
    plane = live()
    plane.after = [fail]
    assert isinstance(mover(plane).back(SHADOW, "x", "watch"), Moved)
    assert plane.state().stage is Stage.SHADOW
    assert len(list(plane.journal())) == 1


def test_an_answer_that_was_lost_is_found_also_under_anothers_move() -> None:
    plane = live()
    was = plane.state()

    def moved_on_and_lost() -> None:
        other(plane, plan="bo")()
        fail()

    plane.after = [moved_on_and_lost]
    made = mover(plane).forward(was, was.moved(Stage.LIVE, 5_000, 500), "x", "x", None)
    assert made.epoch == plane.state().epoch - 1


def test_a_write_that_did_not_happen_is_an_error_and_not_a_move() -> None:
    plane, notices = live(), MemoryNotices()
    plane.before = [fail]
    with pytest.raises(RemoteError):
        mover(plane, notices=notices).back(SHADOW, "x", "watch")
    assert (plane.state().control, notices.told) == (LIVE, [])


def test_what_fails_after_a_move_is_noted_and_undoes_nothing() -> None:
    plane = live()
    made = mover(plane, hooks=MemoryHooks(failures=[NO]), notices=MemoryNotices(["topic gone"]))
    assert isinstance(made.back(SHADOW, "x", "watch"), Moved)
    done, *noted = plane.journal()
    assert done.kind is EntryKind.DONE
    assert [(one.kind, one.epoch) for one in noted] == [(EntryKind.NOTED, 8)] * 2
    assert "topic gone" in noted[0].text
    assert "freeze" in noted[1].text


def test_a_pause_moves_no_traffic_and_asks_nobody() -> None:
    plane, hooks, notices = live(), MemoryHooks(refusal=NO), MemoryNotices()
    was = plane.state()
    held = mover(plane, hooks=hooks, notices=notices).change(
        was, was.changed(paused="ana"), "pause", "paused"
    )
    assert plane.state() == held
    assert (held.paused, held.control.write_weight, hooks.told, notices.told) == ("ana", 2_500, [], [])
    with pytest.raises(ConflictError):
        mover(plane).change(was, was.changed(paused="bo"), "pause", "paused")


def test_weights_are_percents_for_people() -> None:
    assert control_words(Control(Stage.LIVE, FULL_WEIGHT, 1)) == "live (writes 100 %, reads 0.01 %)"
    assert control_words(SHADOW) == "shadow"
