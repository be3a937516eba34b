"""The backfill's engine `aws` from outside, in memory: functions take turns, snapshots are folded."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from migration.backfill.attention import Attention
from migration.backfill.backfill import Backfill
from migration.backfill.copying import Copying
from migration.backfill.copying_elsewhere import CopyingElsewhere
from migration.backfill.exported_fold import SETTLE_S, ExportedFold
from migration.backfill.pacer import Pacer
from migration.backfill.pacing import WritePace
from migration.backfill.segment_worker import SegmentWorker, Turn
from migration.model.backfill import HOPELESS, BackfillPhase, Engine, Job, Segment, Wish, wished
from migration.model.errors import ConflictError, IntegrityError, RemoteError
from migration.model.facts import Lane
from migration.model.fold import fold_all
from migration.model.side import Side
from tests.backfill_world import World, activity
from tests.doubles.backfill import MemoryExports, MemorySegmentWorkers
from tests.doubles.clock import MemoryClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from migration.backfill.attention import OnProgress

WISH = Wish(segments=4, engine=Engine.AWS)
EVENTS = [activity(n, f"e-{n % 4}", f"p-{n % 3}", n + 1) for n in range(40)]
PAGE = 3


@dataclass
class Slow:
    """A world whose functions have time for so many pages a turn."""

    world: World = field(default_factory=World)
    pages: int = 1
    reports: list[OnProgress] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    before_turn: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        for one in EVENTS:
            self.world.legacy.take(one)
        self.exports = MemoryExports(self.world.facts)
        self.workers = MemorySegmentWorkers(self._turn)

    def worker(self) -> SegmentWorker:
        world, looks = self.world, [0]

        def stays(job: Job) -> bool:
            looks[0] += 1
            return (
                not job.paused and looks[0] < 2 * self.pages
            )  # a look after the puts, and one after the page

        clock = MemoryClock()
        pacer = Ticking(clock, world.live, WritePace.begin(1_000_000))
        attention = Attention("function", clock, pacer, world.checkpoints, stays=stays, share=0.25)
        return SegmentWorker(Copying(world.legacy, world.facts, world.checkpoints, attention))

    def _turn(self, run: int, number: int) -> bool:
        self.before_turn()
        turn = self.worker().turn(run, number)
        self.turns.append(turn)
        return turn.done

    def backfill(self) -> Backfill:
        world = self.world
        attention = world.attention()
        copying = CopyingElsewhere(
            self.workers, world.legacy, world.checkpoints, world.clock, self.reports.append
        )
        fold = ExportedFold(self.exports, world.bases, attention)
        return Backfill(copying.copy, fold.fold, world.bases, world.checkpoints, attention, Engine.AWS)


class Ticking(Pacer):
    """A pacer that it is always time to look at."""

    def due(self) -> bool:
        return True


@pytest.fixture
def slow() -> Slow:
    return Slow()


def job_of(slow: Slow) -> Job:
    job = slow.world.checkpoints.job()
    assert job is not None
    return job


def test_functions_copy_in_turns_and_every_row_holds_the_fold_of_a_snapshot(slow: Slow) -> None:
    job = slow.backfill().start(WISH)
    assert (job.phase, job.engine, job.folds) == (BackfillPhase.INSTALLED, Engine.AWS, 1)
    assert {fact.activity for fact in slow.world.facts.everything()} == set(EVENTS)
    assert slow.world.rows() == slow.world.bases.installed == fold_all(EVENTS)
    assert len(slow.turns) > WISH.segments, "a segment takes several turns"
    assert list(slow.workers.executions) == ["run-1-1"]
    # The fold that confirms is of a snapshot that was taken after the install began.
    assert list(slow.exports.snapshots) == ["run-1-fold-0", "run-1-fold-1"]
    assert slow.world.clock.elapsed() >= 2 * SETTLE_S


def test_a_turn_begins_at_the_checkpoint_and_says_whether_another_is_needed(slow: Slow) -> None:
    slow.world.checkpoints.save_job(Job(1, 1, 500, "t", engine=Engine.AWS))
    first = slow.worker().turn(1, 0)
    assert first == Turn(0, done=False)
    segment = slow.world.checkpoints.segments[1, 0]
    assert (segment.read, segment.done) == (PAGE, False)
    turns = [slow.worker().turn(1, 0) for _ in range(len(EVENTS) // PAGE)]
    assert turns[-1] == Turn(0, done=True)
    assert slow.world.checkpoints.segments[1, 0].read == len(EVENTS)


@pytest.mark.parametrize(
    "job",
    [
        None,
        Job(2, 4, 500, "t", engine=Engine.AWS),
        Job(1, 4, 500, "t", engine=Engine.MACHINE),
        Job(1, 4, 500, "t", engine=Engine.AWS, phase=BackfillPhase.SEALED),
        Job(1, 2, 500, "t", engine=Engine.AWS),
        Job(1, 4, 500, "t", engine=Engine.AWS, paused="by ana"),
    ],
    ids=["none", "another run", "another engine", "sealed", "fewer segments", "paused"],
)
def test_a_function_does_nothing_for_what_is_not_to_be_copied(job: Job | None, slow: Slow) -> None:
    slow.world.checkpoints.stored_job = job
    assert slow.worker().turn(1, 3) == Turn(3, done=True)
    assert not slow.world.facts.by_identity


def test_a_function_whose_segment_somebody_else_works_on_lets_it_be(slow: Slow) -> None:
    checkpoints = slow.world.checkpoints
    checkpoints.save_job(Job(1, 1, 500, "t", engine=Engine.AWS))

    def overtake() -> None:
        checkpoints.segments[1, 0] = replace(Segment(1, 0), position=None, read=1, revision=1)

    worker: Any = slow.worker()
    slow.world.before["save_segment"] = overtake
    crashing: Any = slow.world.attention().checkpoints
    worker = SegmentWorker(replace(worker.copying, checkpoints=crashing))
    assert worker.turn(1, 0) == Turn(0, done=False, wait=True)
    assert checkpoints.segments[1, 0].read == 1


def test_each_function_takes_its_share_of_the_ceiling(slow: Slow) -> None:
    slow.world.checkpoints.save_job(Job(1, 1, 400, "t", engine=Engine.AWS))
    worker = slow.worker()
    worker.turn(1, 0)
    assert worker.copying.attention.pacer.pace.ceiling == 100


def test_a_pause_ends_the_execution_and_the_next_one_goes_on(slow: Slow) -> None:
    checkpoints = slow.world.checkpoints
    after = iter(range(100))

    def pause() -> None:
        if next(after) == 6:
            checkpoints.save_job(job_of(slow).changed(paused="by ana"))

    slow.before_turn = pause

    class Resuming(MemoryClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if job_of(slow).paused and not slow.workers.executions["run-1-1"][1]:
                checkpoints.save_job(job_of(slow).changed(paused=""))

    slow.world.clock = Resuming()
    job = slow.backfill().start(WISH)
    assert job.phase is BackfillPhase.INSTALLED
    assert list(slow.workers.executions) == ["run-1-1", "run-1-2"]
    assert any("by ana" in report.pulse.reason for report in slow.reports)
    assert slow.world.rows() == fold_all(EVENTS)


def test_an_execution_that_fails_is_named_and_starting_again_goes_on(slow: Slow) -> None:
    slow.workers.fails = {2}
    with pytest.raises(RemoteError, match=r"run-1-1 ended \(SUCCEEDED\) and left 1 segments"):
        slow.backfill().start(WISH)
    assert not slow.world.bases.installed
    slow.workers.fails = set()
    turns = len(slow.turns)
    assert slow.backfill().start(WISH).phase is BackfillPhase.INSTALLED
    assert list(slow.workers.executions) == ["run-1-1", "run-1-2"]
    # Segments that are done are not copied again.
    assert {turn.segment for turn in slow.turns[turns:] if not turn.done} <= {2}
    assert slow.world.rows() == fold_all(EVENTS)


def test_an_execution_that_runs_is_found_again_by_another_process(slow: Slow) -> None:
    class DiedError(Exception):
        pass

    def die(_report: OnProgress) -> None:
        raise DiedError

    copying = CopyingElsewhere(slow.workers, slow.world.legacy, slow.world.checkpoints, slow.world.clock, die)
    with pytest.raises(DiedError):
        replace(slow.backfill(), copy=copying.copy).start(WISH)
    assert job_of(slow).execution == "run-1-1"
    assert slow.backfill().start(WISH).phase is BackfillPhase.INSTALLED
    assert list(slow.workers.executions) == ["run-1-1"]


def test_misfits_stop_the_functions_and_keep_the_set_unsealed(slow: Slow) -> None:
    slow.world.legacy.misfits = ["an item that fits no plan"]
    with pytest.raises(IntegrityError, match="1 events of legacy do not fit"):
        slow.backfill().start(WISH)
    slow.world.legacy.misfits = ["no"] * HOPELESS
    with pytest.raises(IntegrityError, match="1,000 events of legacy do not fit"):
        slow.backfill().start(WISH)
    assert slow.workers.stopped == ["too many events do not fit the plan"]


def test_what_a_slow_process_puts_after_the_snapshot_is_in_the_next(slow: Slow) -> None:
    late = activity(88, "e-2", "p-9", 3)

    class Late(MemoryExports):
        def fold(self, snapshot: str) -> str:
            if snapshot == "run-1-fold-0":
                slow.world.put(late, Lane.HISTORY, Side.LEGACY)
            return snapshot

    slow.exports = Late(slow.world.facts)
    job = slow.backfill().start(WISH)
    assert job.history.events == len(EVENTS) + 1
    assert slow.world.rows() == fold_all([*EVENTS, late])
    assert list(slow.exports.snapshots) == ["run-1-fold-0", "run-1-fold-1", "run-1-fold-2"]


def test_starting_an_installed_run_again_folds_a_new_snapshot(slow: Slow) -> None:
    slow.backfill().start(WISH)
    late = activity(77, "e-2", "p-9", 3)
    slow.world.put(late, Lane.HISTORY, Side.LEGACY)
    assert slow.backfill().start(WISH).run == 1
    assert slow.world.rows() == fold_all([*EVENTS, late])


def test_either_engine_goes_on_with_what_the_other_began(slow: Slow) -> None:
    slow.workers.fails = {1, 2, 3}
    with pytest.raises(RemoteError):
        slow.backfill().start(WISH)
    job = slow.world.backfill().start(replace(WISH, engine=Engine.MACHINE))
    assert (job.run, job.phase, job.engine) == (1, BackfillPhase.INSTALLED, Engine.MACHINE)
    assert slow.world.rows() == fold_all(EVENTS)


def test_a_process_of_the_other_engine_says_so_and_stops(slow: Slow) -> None:
    slow.world.checkpoints.save_job(Job(1, 4, 500, "t", engine=Engine.AWS))
    with pytest.raises(ConflictError, match="goes on with engine aws; this process is machine"):
        slow.world.backfill().go_on(1)


def test_an_engine_is_kept_until_another_is_asked_for() -> None:
    job = wished(None, WISH, "t")
    assert wished(job, Wish(4), "t").engine is Engine.AWS
    assert wished(job, Wish(4, engine=Engine.MACHINE), "t").engine is Engine.MACHINE
    installed = replace(job, phase=BackfillPhase.INSTALLED)
    assert wished(installed, Wish(4), "t").engine is Engine.AWS
    assert wished(installed, Wish(4, again=True), "t").engine is Engine.MACHINE
