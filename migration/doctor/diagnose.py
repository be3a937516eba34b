"""Every half-done state that doctor knows, the most dangerous first. It never acts.

The first command is the one to run; then doctor is asked again. While a living process moves the migration,
what it has begun is not half done: only what it cannot mend is said then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migration.cutover.action import Action
from migration.cutover.looks import for_a_person, is_other_plan
from migration.cutover.moves import control_words
from migration.doctor.diagnosis import Danger, Diagnosis
from migration.doctor.records import trouble
from migration.doctor.signs import read_signs
from migration.model.backfill import BackfillPhase
from migration.model.journal import EntryKind
from migration.model.stages import Stage
from migration.model.transitions import is_back

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.doctor.records import Trouble
    from migration.doctor.scene import Records, Scene

SILENT_S: Final = 60.0  # after which nobody is taken to work on a backfill; it gives a sign every second
RUN: Final = "cutover run"
RESUME: Final = "cutover resume"
AGREE: Final = "cutover plan agree"
_ORDER: Final = (Danger.NOW, Danger.GROWS, Danger.NONE)


def diagnose(scene: Scene) -> list[Diagnosis]:
    """Name what is half done; empty when nothing is."""
    records = scene.records
    found = trouble(records.state, records.entries)
    all_of_it = [
        *([] if found is None else [_of_trouble(found)]),
        *read_signs(scene),
        *([] if found is not None or records.at_work else _half_done(scene)),
    ]
    return sorted(all_of_it, key=lambda one: _ORDER.index(one.danger))


def _of_trouble(found: Trouble) -> Diagnosis:
    now = "doors keep the last state that they read, cold ones begin at the baked one"
    if found.routes is not None:
        now = f"traffic goes as the state says, {control_words(found.routes)}"
    astray = found.name != "journal_gap" and found.routes != found.recorded
    # Who took traffic back by hand meant it: it is not given again without a guardrail.
    less = found.routes is not None and is_back(found.recorded, found.routes)
    to = found.routes.stage if found.routes is not None and less else found.recorded.stage
    return Diagnosis(
        found.name,
        found.what,
        f"{now}; no guardrail was asked about it",
        Danger.NOW if astray else Danger.GROWS,
        f"cutover repair --to {to} --apply",
    )


def _half_done(scene: Scene) -> Iterator[Diagnosis]:
    """Name what a process left behind, in the order in which it is to be mended."""
    yield from _plan(scene)
    yield from _held_back(scene)
    yield from _backfill(scene.records)
    yield from _left_behind(scene)
    yield from _gate(scene)
    yield from _over(scene)


def _going_on(scene: Scene) -> str:
    """Name the command that goes on: a run refuses a plan that nobody agreed to, and waits while paused."""
    if _plan_differs(scene):
        return AGREE
    return RESUME if scene.records.known.paused else RUN


def _plan_differs(scene: Scene) -> bool:
    state = scene.records.known
    return is_other_plan(state, scene.plan) and state.stage is not Stage.COMPLETE


def _plan(scene: Scene) -> Iterator[Diagnosis]:
    if _plan_differs(scene):
        agreed = scene.records.known.plan
        yield Diagnosis(
            "plan_differs",
            f"the migration is moved by plan {agreed}, and the plan file is {scene.plan}",
            "nothing goes forward by a plan that nobody agreed to",
            Danger.NONE,
            AGREE,
        )


def _held_back(scene: Scene) -> Iterator[Diagnosis]:
    state, so_far = scene.records.known, scene.records.so_far
    at = f"it stays at {control_words(state.control)}"
    if state.paused and so_far.rolled_back:
        yield Diagnosis("rolled_back", state.paused, f"{at}, and legacy has authority", Danger.NONE, RESUME)
    elif state.paused:
        yield Diagnosis("paused", state.paused, at, Danger.NONE, RESUME)
    elif state.postponed is not None:
        what = f"{state.postponed} must not be entered"
        yield Diagnosis("postponed", what, f"{at} or goes on until then", Danger.NONE, RESUME)


def _backfill(records: Records) -> Iterator[Diagnosis]:
    job, pulse = records.job, records.pulse
    if job is None or job.phase is BackfillPhase.INSTALLED:
        return
    state = f"history is {job.phase}, not installed: the pipeline's aggregates lack it"
    if job.paused:
        yield Diagnosis("backfill_paused", job.paused, state, Danger.NONE, "cutover backfill resume")
        return
    silent_s = None if pulse is None else records.now - pulse.at
    if silent_s is None or silent_s > SILENT_S:
        last = "nobody has" if pulse is None else f"{pulse.worker} last did, {silent_s:.0f} s ago"
        what = f"run {job.run} was begun at {job.started_at}, and no process works on it ({last})"
        yield Diagnosis("backfill_stalled", what, state, Danger.NONE, "cutover backfill start")


def _left_behind(scene: Scene) -> Iterator[Diagnosis]:
    """Name what a process that is no more had begun."""
    records = scene.records
    state, so_far, lease = records.known, records.so_far, records.lease
    at, command = control_words(state.control), _going_on(scene)
    if so_far.step == Action.DRILL:
        what = "a rollback drill gave the pipeline some traffic, and nobody has taken it back"
        yield Diagnosis("drill_open", what, f"traffic goes {at}", Danger.GROWS, command)
    elif so_far.step == Action.DRILL_BACK and not so_far.drill_judged:
        what = "a rollback drill was taken back, and nobody has judged it"
        yield Diagnosis("drill_unjudged", what, f"it stays at {at}", Danger.NONE, command)
    decided = [one for one in records.entries if one.kind is EntryKind.DECIDED and one.epoch == state.epoch]
    if decided:
        what = f"{decided[-1].by} decided {decided[-1].step} at {decided[-1].at}, and did not do it"
        yield Diagnosis("decided_not_done", what, f"it stays at {at}", Danger.NONE, command)
    elif not so_far.confirmed and not state.paused and state.stage is not Stage.COMPLETE:
        what = f"{so_far.step} was done, and nobody has seen it take effect at every door"
        yield Diagnosis("not_confirmed", what, f"the state is {at}", Danger.NONE, command)
    if lease is not None and lease.expires_at > 0:
        how = "is dead" if records.holder_is_gone else "did not let go of the lease, which is over"
        what = f"{lease.holder} moved the migration, and {how}"
        yield Diagnosis("holder_gone", what, f"nobody moves it; it stays at {at}", Danger.NONE, command)


def _gate(scene: Scene) -> Iterator[Diagnosis]:
    records = scene.records
    state, so_far = records.known, records.so_far
    step = scene.course.next_step(state, so_far, records.now)
    if step is None or state.paused or state.postponed is not None:
        return
    held = for_a_person(scene.course, state, so_far, step)
    if held is not None:
        yield Diagnosis(
            "at_a_gate", held.why, f"it stays at {control_words(state.control)}", Danger.NONE, RESUME
        )


def _over(scene: Scene) -> Iterator[Diagnosis]:
    if scene.records.known.stage is Stage.COMPLETE and scene.signs.contracting:
        yield Diagnosis(
            "legacy_left",
            "the migration is complete, and legacy is deployed still",
            "legacy hears of nothing any more, and costs",
            Danger.NONE,
            scene.signs.contracting,
        )
