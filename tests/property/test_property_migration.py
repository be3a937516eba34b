"""Clients, door, mirrors, both lanes, backfills and reconciles at once, each able to die at any call.

Every process is the deployed code on the memory adapters (tests/migration_world.py). It stops at each half of
each call, and hypothesis chooses who goes on, how each call ends, what is delivered when and how often. At
the end, what is left undone is done by the same commands again, and the tables are judged.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from migration.model.backfill import BackfillPhase, Wish
from migration.model.cause import Cause
from migration.model.facts import Lane
from migration.model.fold import NOTHING, Activity, Fold, Identity, Row, fold_all
from migration.model.side import Side
from migration.model.stages import FULL_WEIGHT, Control, Stage
from migration.repair.differing import ReconcileOutcome, TimeWindow
from tests.backfill_world import Budget, CrashError, Fate
from tests.migration_world import Account, Door, Request, deployed, post, read
from tests.steered import Process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.migration_world import Queue

    Sent = tuple[Activity, list[Fate], "Then", int | None]
    Then = int | str

GRACE = timedelta(seconds=60)
REQUEST_S = 15  # the entry's timeout: a request is over by then, one way or the other
HALF = FULL_WEIGHT // 2
COMMANDS = ["start", "start --again", "reconcile", "reconcile --since"]
CALLS: list[int | str] = [
    0,
    1,
    2,
    5,
    20,
    100,
    *[1_000] * 3,
    "install",
    "install",
    "apply",
    "put",
    "save_job",
    "put_item",
]
"""How far a process goes: so many half calls, or up to a call of that name; 0 kills it."""
AT_ONCE = 6
A_ROUND = 50
"""Runs before hypothesis begins anew: it would go on to vary those that it has, which finds less."""
ACCEPTED = 202
NEIGHBOURS = {
    Stage.OFF: [Stage.DUALWRITE],
    Stage.DUALWRITE: [Stage.OFF, Stage.SHADOW],
    Stage.SHADOW: [Stage.DUALWRITE, Stage.LIVE],
    Stage.LIVE: [Stage.SHADOW, Stage.RAMPDOWN],
    Stage.RAMPDOWN: [Stage.LIVE],
}

activities = st.builds(
    lambda number, employee, program: Activity(
        f"e-{employee}",
        f"ev-{number}",
        f"p-{program}",
        "task_completed",
        number % 7 + 1,
        "2026-03-01T09:30:00.000Z",
    ),
    st.integers(0, 60),
    st.integers(0, 2),
    st.just(0) | st.just(1),
)
fates: st.SearchStrategy[list[Fate]] = st.just([]) | st.lists(st.sampled_from([Fate.DONE, *Fate]), max_size=8)
late_fates = st.builds(
    lambda well, ends: [Fate.DONE] * well + ends, st.sampled_from([0, 10, 15, 20, 30, 50]), fates
)
calls = st.sampled_from(CALLS)
others = st.none() | st.none() | st.integers(0, 15)
weights = st.sampled_from([0, HALF, HALF, FULL_WEIGHT])


@dataclass
class Clients:
    """What the clients know: what they sent, and what was acknowledged to them."""

    attempts: Counter[Identity] = field(default_factory=Counter)
    acknowledged: set[tuple[Side | None, Activity]] = field(default_factory=set)
    contested: set[Identity] = field(default_factory=set)
    """Sent with another content too."""
    doubtful: set[Identity] = field(default_factory=set)
    """Sent again, or met by a failure: legacy, which is not idempotent, may count them wrongly."""


class Migration(RuleBasedStateMachine):
    """One account, everything that happens in it, and nothing that could not."""

    def __init__(self) -> None:
        super().__init__()
        self.account = Account()
        self.clients = Clients()
        self.requests: list[tuple[Process, Request]] = []
        self.others: list[Process] = []
        self.doors: list[Door] = []
        self.known: dict[Identity, Activity] = {}
        self.held: dict[Row, Fold] = {}
        self.by_backfill = False
        self.run = 0
        self.before_run: set[Identity] = set()

    @initialize(
        history=st.lists(activities, min_size=3, max_size=16, unique_by=lambda one: one.identity),
        stage=st.sampled_from([Stage.OFF, Stage.DUALWRITE, Stage.LIVE]),
        given=st.lists(st.tuples(st.sampled_from(COMMANDS), calls), min_size=1, max_size=3),
        by_backfill=st.booleans(),
    )
    def it_begins(
        self, history: list[Activity], stage: Stage, given: list[tuple[str, Then]], *, by_backfill: bool
    ) -> None:
        """Legacy has history; what it alone has at the end becomes facts by a backfill, or by reconciling."""
        for activity in history:
            self.account.legacy_takes(self.known.setdefault(activity.identity, activity))
            self.clients.attempts[activity.identity] += 1
        self.account.move_to(Control(stage, HALF, HALF, epoch=1))
        self.by_backfill = by_backfill
        for command, then in given:
            self.an_operator_gives_a_command(command, then, [])

    @rule(
        sent=st.lists(st.tuples(activities, fates, calls, others), min_size=1, max_size=6),
        cold=st.booleans(),
        reads=st.integers(0, 2),
    )
    def clients_send(self, sent: list[Sent], *, cold: bool, reads: int) -> None:
        """Clients send, or send again, through the doors that are warm, or through a new one; and read.

        Now and then one uses an event's id for another activity.
        """
        for activity, fated, then, another in sent:
            known = self.known.setdefault(activity.identity, activity)
            if another is not None:
                taken = sorted(self.known)[another % len(self.known)]
                self.clients.contested.add(taken)
                known = replace(
                    self.known[taken], points=activity.points + 10, program_id=activity.program_id
                )
            self._send(known, fated, then, cold=cold)
        for client in range(reads):
            door = self._door(cold=False)
            self._step(Process(partial(read, door, f"10.0.0.{client}"), sent[0][1]), 1_000)

    def _send(self, activity: Activity, fated: list[Fate], then: Then, *, cold: bool) -> None:
        self.clients.attempts[activity.identity] += 1
        if self.clients.attempts[activity.identity] > 1 or set(fated) - {Fate.DONE}:
            self.clients.doubtful.add(activity.identity)
        request = Request(activity, self._door(cold=cold), self.account.clock.at + REQUEST_S)
        self.requests.append((Process(partial(post, request), fated), request))
        self._request_gets_on(-1, then)

    def _door(self, *, cold: bool) -> Door:
        busy = [request.door for _, request in self.requests]
        free = [door for door in self.doors if door not in busy]
        if cold or not free:
            self.doors.append(Door(self.account))
            return self.doors[-1]
        return free[0]

    def _request_gets_on(self, which: int, then: Then) -> None:
        process, request = self.requests[which]
        self._step(process, then)
        if process.killed:
            self.clients.doubtful.add(request.activity.identity)
            self.doors.remove(request.door)
        elif request.status == ACCEPTED:
            self.clients.acknowledged.add((request.side, request.activity))
        if process.over:
            self.requests.pop(which)

    @rule(
        to=st.sampled_from(["aggregator", "reverse mirror"]),
        copies=st.integers(1, 2),
        picks=st.lists(st.integers(0, 40), max_size=8),
        fated=fates,
        then=calls,
        loses=st.booleans(),
    )
    def the_pipes_deliver(  # noqa: PLR0913 - one for each choice
        self, *, to: str, copies: int, picks: list[int], fated: list[Fate], then: Then, loses: bool
    ) -> None:
        """Messages come once or twice, in any order; the reverse mirror's queue may lose one for good."""
        account = self.account
        account.capture(copies)
        if loses and account.mirror_queue.messages:
            account.mirror_queue.messages.popitem()
        queue, function = (
            (account.queue, account.aggregate)
            if to == "aggregator"
            else (account.mirror_queue, account.mirror_back)
        )
        records = queue.receive(picks)
        if records:
            self.others.append(Process(lambda _: queue.settle(records, function(records)), fated))
            self._other_gets_on(-1, then)

    @rule(
        command=st.sampled_from([*COMMANDS, *COMMANDS, "pause", "resume"]),
        then=calls,
        fated=late_fates,
    )
    def an_operator_gives_a_command(self, command: str, then: Then, fated: list[Fate]) -> None:
        job = self.account.checkpoints.stored_job
        if command in ("pause", "resume"):
            if job is not None:
                self.account.checkpoints.save_job(job.changed(paused="paused" * (command == "pause")))
            return
        work = partial(self._reconcile, command) if command.startswith("reconcile") else self._backfill
        self.others.append(Process(partial(work, again=command == "start --again"), fated))
        self._other_gets_on(-1, then)

    def _other_gets_on(self, which: int, then: Then) -> None:
        process = self.others[which]
        self._step(process, then)
        if process.over:
            self.others.pop(which)
        if len(self.others) > AT_ONCE:
            self.others.pop(0).kill()
        self._end_what_takes_too_long()  # a command that waits lets time pass

    @rule(turns=st.lists(st.tuples(st.booleans(), st.integers(0, 9), calls), min_size=1, max_size=8))
    def what_has_begun_gets_on(self, turns: list[tuple[bool, int, Then]]) -> None:
        """Requests, invocations and commands, call by call; and mirrors' puts that the door gave up on."""
        for of_clients, which, then in turns:
            if of_clients and self.requests:
                self._request_gets_on(which % len(self.requests), then)
            elif self.others:
                self._other_gets_on(which % len(self.others), then)
            elif self.account.late:
                self.account.late.pop(which % len(self.account.late))()

    def _step(self, process: Process, then: Then) -> None:
        if isinstance(then, str):
            process.step_up_to(then)
        elif then:
            process.step(then)
        else:
            process.kill()
        if process.error is not None:
            raise process.error
        job = self.account.checkpoints.stored_job
        if job is not None and job.run != self.run:  # begun in this very step
            self.run, self.before_run = job.run, set(self.account.legacy.events)

    @rule(
        seconds=st.sampled_from([0.4, 0.9, 1.1, 6.0, 20.0, 100.0]),
        move=st.sampled_from([None, 0, 1, 1]),
        write=weights,
        read_weight=weights,
    )
    def time_passes(self, seconds: float, move: int | None, write: int, read_weight: int) -> None:
        """And the stage may be moved, on or back."""
        self.account.clock.at += seconds
        self._end_what_takes_too_long()
        if move is not None:
            control = self.account.checkpoints.state
            steps = NEIGHBOURS[control.stage]
            stage = steps[move % len(steps)]
            self.account.move_to(Control(stage, write, read_weight, control.epoch + 1))

    def _end_what_takes_too_long(self) -> None:
        for place in reversed(range(len(self.requests))):
            if self.requests[place][1].until < self.account.clock.at:
                self._request_gets_on(place, 0)

    def _backfill(self, process: Process, *, again: bool) -> None:
        self.account.backfill(process, str(id(process))).start(Wish(2, again=again))

    def _reconcile(self, command: str, process: Process, *, again: bool) -> None:
        del again
        reconcile = self.account.reconcile(process)
        window = TimeWindow("2026" if "--since" in command else None)
        list(reconcile.act(reconcile.look(window, GRACE), 1e6))

    @invariant()
    def history_only_ever_grows_in_a_row_and_never_beyond_what_there_is(self) -> None:
        history, installed = fold_all(self.account.facts.history()), self.account.bases.installed
        for row, base in installed.items():
            assert self.held.get(row, NOTHING).events <= base.events <= history[row].events
        assert self.held.keys() <= installed.keys()
        assert self.account.bases.totals == installed
        self.held = dict(installed)

    @invariant()
    def what_legacy_had_when_a_run_began_is_in_the_facts_when_it_is_installed(self) -> None:
        job = self.account.checkpoints.stored_job
        if job is not None and job.phase is BackfillPhase.INSTALLED:
            assert self.before_run <= self.account.facts.by_identity.keys()

    def teardown(self) -> None:
        for process in self.others:
            process.kill()
        while self.requests:
            self._request_gets_on(0, 1_000)
        for write in self.account.late:
            write()
        self.account.clock.at += GRACE.total_seconds() + 1
        self._finish()
        self._judge()

    def _finish(self) -> None:
        """Give the commands again, and let the queues run dry."""
        account = self.account
        if account.checkpoints.state.stage is Stage.OFF:
            account.checkpoints.state = Control(Stage.DUALWRITE, epoch=99)
        job = account.checkpoints.stored_job
        if job is not None:
            account.checkpoints.save_job(job.changed(paused=""))
        last = Process(partial(self._backfill, again=False))
        self._step(last, 1_000_000)
        assert account.checkpoints.stored_job is not None
        assert account.checkpoints.stored_job.phase is BackfillPhase.INSTALLED
        self.what_legacy_had_when_a_run_began_is_in_the_facts_when_it_is_installed()
        if self.by_backfill:
            account.backfill().start(Wish(2, again=True))
            assert account.legacy.events.keys() <= account.facts.by_identity.keys()
        reconcile = account.reconcile()
        done = list(reconcile.act(reconcile.look(TimeWindow(), GRACE), 1e6))
        conflicts = [one for one in done if one.decision.kind is Cause.ALTERED]
        assert {one.decision.pair.activity.identity for one in conflicts} <= self.clients.contested
        assert {one.outcome for one in done if one not in conflicts} <= {
            ReconcileOutcome.STORED,
            ReconcileOutcome.APPLIED,
        }
        assert len(account.reconcile().look(TimeWindow(), GRACE).decisions) == len(conflicts)
        account.capture()
        self._drain(account.queue, account.aggregate)
        self._drain(account.mirror_queue, account.mirror_back)
        if conflicts:
            self._repair(sum(self.clients.attempts.values()) % 40)

    def _repair(self, half_calls: int) -> None:
        """Give the command, have it killed, and give it again."""
        self.account.clock.at += GRACE.total_seconds() + 1
        with TemporaryDirectory() as folder:
            with suppress(CrashError):
                self.account.repair(Path(folder), Budget(half_calls))
            for _ in range(2 * len(self.clients.contested) + 1):
                if not self.account.repair(Path(folder)).writes:
                    break
            else:
                raise AssertionError("it is never done")
        left = self.account.reconcile().look(TimeWindow(), GRACE).decisions
        sides = {one.pair.fact.side for one in left if one.kind is Cause.ALTERED and one.pair.fact}
        assert sides <= {Side.PIPELINE}

    def _drain(
        self, queue: Queue, function: Callable[[list[dict[str, str]]], dict[str, list[dict[str, str]]]]
    ) -> None:
        records = queue.receive(list(range(len(queue.messages))))
        last = Process(lambda _process: queue.settle(records, function(records)))
        self._step(last, 1_000)
        assert last.over
        assert queue.messages == {}

    def _judge(self) -> None:
        """Judge the tables alone, but for what they cannot tell: what was acknowledged, what added why."""
        stored = self.account.facts.by_identity
        facts = {identity: fact.activity for identity, fact in stored.items()}
        events = self.account.legacy.events
        assert events.keys() == facts.keys()
        for side, activity in self.clients.acknowledged:
            fact = stored[activity.identity]
            # Where each side accepted another content, the side with authority over the fact decides.
            if activity.identity not in self.clients.contested or fact.side is side:
                assert fact.activity == activity
        for identity, fact in stored.items():
            if identity not in self.clients.contested or fact.side is Side.LEGACY:
                assert events[identity] == fact.activity
        by_lane = {
            lane: fold_all(f.activity for f in self.account.facts.everything() if f.lane is lane)
            for lane in Lane
        }
        assert self.account.bases.installed == by_lane[Lane.HISTORY]
        assert self.account.live_rows() == by_lane[Lane.LIVE]
        rows = {row: fold for row, fold in self.account.rows().items() if fold != NOTHING}
        assert rows == fold_all(facts.values())
        for one in facts.keys() - self.clients.doubtful - self.clients.contested:
            assert self.account.counted[one] + self.account.legacy.applied[one] == 1, one


@pytest.fixture(autouse=True, scope="module")
def _deployed() -> Iterator[None]:
    with deployed():
        yield


def test_migrations() -> None:
    run_state_machine_as_test(Migration, settings=settings(max_examples=10, stateful_step_count=40))


@pytest.mark.slow
def test_many_migrations() -> None:
    """Longer ones; `make model RUNS=5000` runs thousands, from another seed each time."""
    first = int(os.environ.get("CUTOVER_SEED", "0"))
    rounds = math.ceil(int(os.environ.get("CUTOVER_MIGRATIONS", "150")) / A_ROUND)
    run_rounds(range(first, first + rounds), settings(stateful_step_count=60))


def run_rounds(seeds: Iterable[int], given: settings) -> None:
    """Run a round from each seed; without one, CI's profile of hypothesis would repeat a single round."""
    for number in seeds:
        a_round = seed(number)(type(Migration.__name__, (Migration,), {}))
        run_state_machine_as_test(a_round, settings=settings(given, max_examples=A_ROUND))
