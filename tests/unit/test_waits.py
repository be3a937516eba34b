"""`cutover status` and the run itself say the same of what it waits for, whatever it is that it waits for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from migration.cli.cutover.status import StatusNow
from migration.cutover.chronicle import Chronicle
from migration.cutover.looks import Ending, Waits
from migration.model.guardrails import Outcome
from migration.model.journal import EntryKind
from migration.model.stages import Stage
from tests.cutover_world import QUICK, World
from tests.unit.test_run import change, resume, writes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from migration.cutover.looks import Look
    from migration.model.guardrails import GuardrailVerdict

FAIL, PASS = Outcome.FAIL, Outcome.PASS
PAST = ("has taken effect", "rolling back")


def standing(world: World, vitals: Sequence[GuardrailVerdict] = ()) -> StatusNow:
    """Where it stands, as another machine reads it now."""
    state, now = world.plane.state(), world.clock.now()
    entries = sorted(world.plane.journal(), key=lambda one: one.id)
    so_far = Chronicle().after(entries).with_backfill(world.checkpoints.job())
    proofs = [one for one in entries if one.kind is EntryKind.OBSERVED and one.step == "proofs"]
    return StatusNow(
        now,
        state,
        "plan",
        world.plane.lease(),
        so_far,
        world.course.next_step(state, so_far, now),
        vitals,
        proofs[-1] if proofs else None,
        "",
        world.course,
        "",
    )


class Compared:
    """Compares each look of a run that waits with what status says at that moment."""

    def __init__(self, world: World, then: Callable[[Look], None] = lambda _: None) -> None:
        self.world, self.then = world, then
        self.said: set[tuple[Waits, str]] = set()
        world.on_look = self.look

    def look(self, look: Look) -> None:
        # What is done in the very turn that tells of it is past when status reads.
        if look.hold is not None and not any(past in look.hold.why for past in PAST):
            assert standing(self.world, look.vitals).waits == f"{look.hold.waits}: {look.hold.why}"
            self.said.add((look.hold.waits, look.hold.why))
        self.then(look)

    def has(self, waits: Waits, words: str) -> bool:
        return any(kind is waits and words in why for kind, why in self.said)


def test_time_and_the_folding_are_waited_for_in_every_course() -> None:
    world = World()
    compared = Compared(world)
    assert world.run().ending is Ending.REACHED
    assert compared.has(Waits.TIME, "every door must route by epoch 3: their caches last 2 s")
    assert compared.has(Waits.TIME, "watching for another")
    assert compared.has(Waits.WORK, "everything is folded and compared again")


def test_doors_that_do_not_settle() -> None:
    world = World()
    settles = iter([FAIL] * 20)
    world.vital = lambda state: {"door_settled": next(settles, PASS) if state.epoch == 2 else PASS}
    compared = Compared(world)
    assert world.run().ending is Ending.REACHED
    assert compared.has(Waits.TIME, "every door must route by epoch 2: door_settled: fail")


def test_guardrails_and_proofs_that_do_not_pass() -> None:
    world, mends, proves = World(), iter([FAIL] * 20), iter([FAIL] * 3)
    world.vital = lambda state: {"x": next(mends, PASS) if state.stage is Stage.SHADOW else PASS}
    world.proof = lambda state: {"unexplained": next(proves, PASS) if state.stage is Stage.LIVE else PASS}
    compared = Compared(world)
    assert world.run().ending is Ending.REACHED
    assert compared.has(Waits.GUARDRAIL, "x: fail, x is fail")
    assert compared.has(Waits.GUARDRAIL, "unexplained: fail, unexplained is fail")


def test_a_person_at_a_gate_at_a_pause_and_at_a_stage_that_is_postponed() -> None:
    world = World(course=QUICK.model_copy(update={"gates": (Stage.LIVE,)}))

    told: list[Look] = []

    def answer(look: Look) -> None:
        why = "" if look.hold is None else look.hold.why
        if "paused" in why or "when a person says" in why:
            resume(world)
        elif "postponed" in why:
            change(world, "resume", postponed=None)
        elif look.state.stage is Stage.DUALWRITE and not compared.has(Waits.PERSON, "paused: ana: lunch"):
            change(world, "pause", paused="ana: lunch")
        elif look.state.stage is Stage.LIVE and not told:
            told.append(look)
            change(world, "postpone", postponed=Stage.RAMPDOWN)

    compared = Compared(world, answer)
    assert world.run().ending is Ending.REACHED
    assert compared.has(Waits.PERSON, "paused: ana: lunch")
    assert compared.has(Waits.PERSON, "live is entered when a person says `cutover resume`")
    assert compared.has(Waits.PERSON, "rampdown is postponed until `cutover resume`")


def test_a_way_back_that_has_not_taken_effect_yet() -> None:
    world = World(vital=lambda state: {"queue_age": FAIL if writes(state) else PASS})
    compared = Compared(world, lambda look: compared.said.clear() if writes(look.state) else None)
    assert world.run().ending is Ending.ROLLED_BACK
    assert compared.has(Waits.TIME, f"every door must route by epoch {world.plane.state().epoch}")
    assert standing(world).waits.startswith("a person: paused: ")


@dataclass
class Slow:
    """Work that is done after so many looks."""

    work: Callable[[], Any]
    looks: int = 5

    @property
    def done(self) -> bool:
        self.looks -= 1
        return self.looks < 0

    def result(self) -> Any:
        return self.work()


def test_work_that_is_under_way() -> None:
    world = World()
    compared = Compared(world)
    run = world.process("ana@desk:1")
    run.begin = Slow
    with run.lease.held(patience_s=60):
        assert run.until(Stage.LIVE).ending is Ending.REACHED
    assert compared.has(Waits.WORK, "backfill is under way")
    assert compared.has(Waits.WORK, "reconcile is under way")


@pytest.mark.parametrize(
    ("goal", "says"),
    [
        (Stage.OFF, "a run to do it"),
        (Stage.DUALWRITE, "a run to do it"),
        (Stage.RAMPDOWN, "time: watching for another"),
        (Stage.COMPLETE, "nothing: it is complete"),
    ],
)
def test_where_no_run_is_under_way_status_says_what_one_would_do(goal: Stage, says: str) -> None:
    world = World()
    if goal is not Stage.OFF:
        world.run(goal=goal)
    assert standing(world).waits.startswith(says)
    if goal is not Stage.COMPLETE:
        world.clock.sleep(1_000)
        assert standing(world).waits in ("a run to do it", "proofs: everything is folded again before it")


def test_nothing_goes_forward_by_a_plan_that_nobody_agreed_to() -> None:
    world = World()
    world.run(goal=Stage.SHADOW)
    other = replace(standing(world), plan="other")
    assert other.waits == "a person: the plan file changed, `cutover plan agree`"
