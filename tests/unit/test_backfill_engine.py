"""A backfill from outside: what it copies, seals, folds and installs, what it refuses, and what it says."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from migration.backfill.attention import PAUSE_POLL_S
from migration.model.backfill import HOPELESS, BackfillPhase, Job, Wish
from migration.model.errors import ConflictError, IntegrityError
from migration.model.facts import Lane
from migration.model.fold import NOTHING, Fold, Identity, Row, fold_all, whole
from migration.model.moments import moment_text
from migration.model.side import Side
from tests.backfill_world import Budget, CrashError, World, activity

if TYPE_CHECKING:
    from collections.abc import Callable

WISH = Wish(segments=2)
EVENTS = [activity(n, f"e-{n % 4}", f"p-{n % 3}", n + 1) for n in range(20)]


@pytest.fixture
def world() -> World:
    world = World()
    for one in EVENTS:
        world.legacy.take(one)
    return world


def test_every_legacy_event_becomes_a_history_fact_and_every_row_holds_its_fold(world: World) -> None:
    job = world.backfill().start(WISH)
    assert (job.phase, job.history) == (BackfillPhase.INSTALLED, whole(fold_all(EVENTS)))
    assert [fact.activity for fact in world.facts.everything()] != []
    assert {fact.activity for fact in world.facts.everything()} == set(EVENTS)
    assert {(fact.lane, fact.side) for fact in world.facts.everything()} == {(Lane.HISTORY, Side.LEGACY)}
    assert world.rows() == world.bases.installed == fold_all(EVENTS)


def test_what_the_live_lane_has_is_left_to_it(world: World) -> None:
    for one in EVENTS[:5]:
        world.put(one, Lane.LIVE, Side.LEGACY)
    world.fold_live()
    job = world.backfill().start(WISH)
    progress = world.checkpoints.progress(job)
    assert (progress.read, progress.history, progress.live) == (20, 15, 5)
    assert world.bases.installed == fold_all(EVENTS[5:])
    assert world.rows() == fold_all(EVENTS)


def test_starting_again_writes_nothing_but_the_job(world: World) -> None:
    world.backfill().start(WISH)
    before = world.rows()
    backfill = world.backfill()
    assert backfill.start(WISH).phase is BackfillPhase.INSTALLED
    assert backfill.attention.pacer.units == 0
    assert world.rows() == before


def test_starting_again_installs_what_a_slow_process_put_after_the_last_fold(world: World) -> None:
    world.backfill().start(WISH)
    late = activity(77, "e-2", "p-9", 3)
    world.put(late, Lane.HISTORY, Side.LEGACY)
    assert world.backfill().start(WISH).run == 1
    assert world.rows() == fold_all([*EVENTS, late])


def test_another_run_copies_what_came_since_and_moves_only_the_rows_that_differ(world: World) -> None:
    world.backfill().start(WISH)
    late = activity(99, "e-1", "p-1", 7)
    world.legacy.take(late)
    job = world.backfill().start(replace(WISH, again=True))
    assert (job.run, job.phase) == (2, BackfillPhase.INSTALLED)
    assert world.rows() == world.bases.installed == fold_all([*EVENTS, late])


@pytest.mark.parametrize("calls", range(0, 150, 3))
def test_a_process_that_dies_anywhere_is_gone_on_with_by_the_same_command(world: World, calls: int) -> None:
    with suppress(CrashError):  # the last of these budgets are enough to finish
        world.backfill(Budget(calls)).start(WISH)
    job = world.backfill().start(WISH)
    assert job.run == 1
    assert world.rows() == world.bases.installed == fold_all(EVENTS)
    assert world.checkpoints.progress(job).read == 20


def test_another_content_under_the_same_identity_is_named_and_never_overwritten(world: World) -> None:
    other = replace(EVENTS[3], points=999)
    world.put(other, Lane.LIVE, Side.PIPELINE)
    job = world.backfill().start(WISH)
    progress = world.checkpoints.progress(job)
    assert world.facts.by_identity[other.identity].activity == other
    assert progress.conflicts == 1
    assert world.told == list(progress.problems) == ["e-3 ev-3: points 4 in legacy, 999 in facts"]


def test_events_that_do_not_fit_keep_the_set_unsealed_until_they_fit(world: World) -> None:
    world.legacy.misfits.append("an item without points: e-9 ev-9")
    with pytest.raises(IntegrityError, match=r"1 events of legacy do not fit the plan.*\n.*e-9 ev-9"):
        world.backfill().start(WISH)
    stored = world.checkpoints.job()
    assert stored is not None
    assert stored.phase is BackfillPhase.COPYING
    assert world.bases.installed == {}
    with pytest.raises(IntegrityError):
        world.backfill().start(WISH)
    world.legacy.misfits.clear()
    assert world.backfill().start(WISH).phase is BackfillPhase.INSTALLED
    assert world.rows() == fold_all(EVENTS)


def test_events_that_do_not_fit_can_be_left_out(world: World) -> None:
    world.legacy.misfits.append("an item without points: e-9 ev-9")
    job = world.backfill().start(replace(WISH, skip_unmappable=True))
    assert job.phase is BackfillPhase.INSTALLED
    assert world.checkpoints.progress(job).unmappable == 1


@pytest.mark.parametrize(
    "changes",
    [{"program_id": "#total"}, {"employee_id": "#pulse"}, {"program_id": ""}, {"event_id": "a\nb"}],
)
def test_a_reserved_or_empty_id_never_becomes_a_fact(world: World, changes: dict[str, Any]) -> None:
    world.legacy.take(replace(activity(50), **changes))
    with pytest.raises(IntegrityError, match=next(iter(changes))):
        world.backfill().start(WISH)
    assert len(world.facts.by_identity) == 20


def test_a_plan_that_fits_hardly_anything_stops_early(world: World) -> None:
    world.legacy.misfits += ["misfit"] * HOPELESS
    with pytest.raises(IntegrityError, match="1,000 events"):
        world.backfill().start(Wish(segments=1))
    assert len(world.facts.by_identity) < 20


def test_a_history_fact_that_comes_after_the_fold_is_found_by_the_next_one(world: World) -> None:
    late = activity(77, "e-2", "p-9", 3)
    # A slower process, somewhere else.
    world.before["install"] = lambda: world.put(late, Lane.HISTORY, Side.LEGACY)
    job = world.backfill().start(WISH)
    assert job.history == whole(fold_all([*EVENTS, late]))
    assert world.rows() == fold_all([*EVENTS, late])


def test_an_older_fold_never_replaces_a_newer_one(world: World) -> None:
    world.backfill().start(WISH)
    row = Row(None, "p-1")
    newer = world.bases.installed[row] + Fold(5, 1, 12345)
    world.bases.installed[row] = newer
    world.checkpoints.stored_job = Job(1, 2, 500, "now", phase=BackfillPhase.SEALED, revision=9)
    with pytest.raises(IntegrityError, match=r"1 rows hold more history, or other history.*p-1"):
        world.backfill().start(WISH)
    assert world.bases.installed[row] == newer


def test_a_paused_job_waits_with_its_reason_and_goes_on_from_another_machine(world: World) -> None:
    backfill = world.backfill()
    world.checkpoints.stored_job = Job(1, 2, 500, "now", paused="paused by ana: lunch")
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        world.clock.at += seconds
        waited.append(seconds)
        job = world.checkpoints.stored_job
        if waited.count(PAUSE_POLL_S) == 3 and job is not None and job.paused:
            pulse = world.checkpoints.last_pulse
            assert pulse is not None
            assert (pulse.reason, len(world.facts.by_identity)) == ("paused by ana: lunch", len(before))
            assert world.checkpoints.save_job(job.changed(paused=""))

    before = {one.identity for one in EVENTS[:3]}  # a page was read before the first look
    backfill.attention.clock = _Clock(world, sleep)
    assert backfill.start(WISH).phase is BackfillPhase.INSTALLED
    assert waited.count(PAUSE_POLL_S) == 3
    assert world.rows() == fold_all(EVENTS)


def test_a_run_that_was_replaced_by_another_stops(world: World) -> None:
    world.checkpoints.stored_job = Job(2, 2, 500, "now")
    with pytest.raises(ConflictError, match="run 1 of the backfill was replaced"):
        world.backfill().go_on(1)


def test_two_at_once_end_like_one(world: World) -> None:
    first, second = world.backfill(worker="a"), world.backfill(worker="b")
    done: list[BackfillPhase] = []
    # All of the other's work, in the middle of ours.
    world.before["save_segment"] = lambda: done.append(second.start(WISH).phase)
    assert first.start(WISH).phase is BackfillPhase.INSTALLED
    assert done == [BackfillPhase.INSTALLED]
    assert world.rows() == world.bases.installed == fold_all(EVENTS)


def test_an_empty_legacy_is_installed_at_once() -> None:
    world = World()
    job = world.backfill().start(WISH)
    assert (job.phase, job.history) == (BackfillPhase.INSTALLED, NOTHING)
    assert Identity("e", "x") not in world.facts.by_identity


class _Clock:
    """The world's clock, with another sleep."""

    def __init__(self, world: World, sleep: Callable[[float], None]) -> None:
        self._world = world
        self._sleep = sleep

    def sleep(self, seconds: float) -> None:
        self._sleep(seconds)

    def now(self) -> float:
        return self._world.clock.now()

    def elapsed(self) -> float:
        return self._world.clock.elapsed()


def test_times_are_written_as_the_tables_hold_them() -> None:
    assert moment_text(1_772_357_400.1239) == "2026-03-01T09:30:00.123Z"
