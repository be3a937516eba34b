"""Clients, door, mirrors, both lanes, backfills and reconciles at once, each able to die at any call.

Every process is the deployed code on the memory adapters (tests/migration_world.py). It stops at each half of
each call, and hypothesis chooses who goes on, how each call ends, what is delivered when and how often. At
the end, what is left undone is done by the same commands again, and the tables are judged.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from migration.door.counts import Role
from migration.door.mirror import Mirrored
from migration.model.backfill import BackfillPhase, Wish
from migration.model.cause import Cause
from migration.model.facts import Lane
from migration.model.fold import NOTHING, Activity, Fold, Identity, Row, fold_all, rows_of
from migration.model.side import Side
from migration.model.stages import FULL_WEIGHT, Control, Stage
from migration.model.transitions import ORDER
from migration.repair.differing import Pair, ReconcileOutcome, TimeWindow, compare
from migration.repair.words import RepairAction
from migration.wiring.moving import GRACE_MINUTES
from tests.backfill_world import Fate
from tests.memory_dynamodb import identity_of
from tests.migration_world import FOLD_HORIZON, Account, Door, Request, deployed, post, read
from tests.rounds import rounds_asked, run_rounds
from tests.steered import Process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from migration.model.errors import CutoverError
    from migration.repair.words import RepairPlan
    from tests.migration_world import Queue

    Sent = tuple[Activity, list[Fate], "Then", int | None]
    Then = int | str
    Function = Callable[[list[dict[str, str]]], dict[str, list[dict[str, str]]]]

GRACE = timedelta(minutes=GRACE_MINUTES)
APART_S = 600.0
"""How much clocks may differ, and jump."""
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
A_LOT = 1_000_000  # half calls: to its end
A_ROUND = 50
"""Runs before hypothesis begins anew: it would go on to vary those that it has, which finds less."""
ACCEPTED, UNAVAILABLE = 202, 503
NEIGHBOURS = {
    Stage.OFF: [Stage.DUALWRITE],
    Stage.DUALWRITE: [Stage.OFF, Stage.SHADOW],
    Stage.SHADOW: [Stage.DUALWRITE, Stage.LIVE],
    Stage.LIVE: [Stage.SHADOW, Stage.RAMPDOWN],
    Stage.RAMPDOWN: [Stage.LIVE, Stage.COMPLETE],
    Stage.COMPLETE: [],
}

activities = st.builds(
    lambda number, employee, program: Activity(
        f"e-{employee}",
        f"ev-{number}",
        f"p-{program}",
        "task_completed",
        number % 7 + 1,
        "2026-03-01T09:00:00.000Z",  # a clock that is behind takes it, too
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


OTHERWISE: list[Callable[[Activity], dict[str, Any]]] = [
    lambda one: {"points": one.points + 10, "program_id": one.program_id},
    lambda _: {"occurred_at": "2026-03-01T09:00:00.001Z"},
    lambda _: {"activity_type": "program_check_in"},
]
"""In what another activity under the same id differs."""


@dataclass
class Clients:
    """What the clients know: what they sent, and what was acknowledged to them."""

    attempts: Counter[Identity] = field(default_factory=Counter)
    acknowledged: set[tuple[Side | None, Activity]] = field(default_factory=set)
    contested: set[Identity] = field(default_factory=set)
    """Sent with another content too."""
    doubtful: set[Identity] = field(default_factory=set)
    """Sent again, or met by a failure: legacy, which is not idempotent, may count them wrongly."""
    unwatched: set[Identity] = field(default_factory=set)
    """Taken by legacy through a door in stage off, which mirrors nothing."""
    altered: set[Identity] = field(default_factory=set)
    """Changed in legacy by hand."""
    deleted: set[Identity] = field(default_factory=set)
    """Deleted from legacy by hand."""
    unmade: set[Identity] = field(default_factory=set)
    """Whose facts were deleted by hand."""
    said: defaultdict[Identity, set[Activity]] = field(default_factory=lambda: defaultdict(set))
    """All contents under an id."""

    @property
    def disputed(self) -> set[Identity]:
        """Of which the sides may have another content, and nobody's code is at fault."""
        return self.contested | self.altered

    def rows_of(self, identities: Iterable[Identity]) -> set[Row]:
        """Name the rows that these activities can be in."""
        return {row for one in identities for said in self.said[one] for row in rows_of(said)}


class Migration(RuleBasedStateMachine):
    """One account, everything that happens in it, and nothing that could not."""

    def __init__(self) -> None:
        super().__init__()
        self.account = Account()
        self.clients = Clients()
        self.requests: list[tuple[Process, Request]] = []
        self.others: list[Process] = []
        self.doors: list[Door] = []
        self.every_door: list[Door] = []
        self.known: dict[Identity, Activity] = {}
        self.held: dict[Row, Fold] = {}
        self.by_backfill = False
        self.late: set[Identity] = set()
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
            self.clients.said[activity.identity].add(activity)
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
                known = replace(self.known[taken], **OTHERWISE[another % len(OTHERWISE)](activity))
            self._send(known, fated, then, cold=cold)
        for client in range(reads):
            door = self._door(cold=False)
            self._step(Process(partial(read, door, f"10.0.0.{client}"), sent[0][1]), 1_000)

    def _send(self, activity: Activity, fated: list[Fate], then: Then, *, cold: bool) -> None:
        self.clients.attempts[activity.identity] += 1
        self.clients.said[activity.identity].add(activity)
        if self.clients.attempts[activity.identity] > 1 or set(fated) - {Fate.DONE}:
            self.clients.doubtful.add(activity.identity)
        request = Request(activity, self._door(cold=cold), self.account.clock.at + REQUEST_S)
        self.requests.append((Process(partial(post, request), fated), request))
        self._request_gets_on(-1, then)

    def _door(self, *, cold: bool) -> Door:
        busy = [request.door for _, request in self.requests]
        free = [door for door in self.doors if door not in busy]
        if cold or not free:
            self.doors.append(Door(self.account, self.account.functions_off_s))
            self.every_door.append(self.doors[-1])
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
            if request.stage is Stage.OFF:
                self.clients.unwatched.add(request.activity.identity)
        elif process.over and process.unharmed:
            assert request.status != UNAVAILABLE, "a client was refused for somebody's transaction"
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
        if loses:
            account.lose_a_message_to_legacy()
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
        seconds=st.sampled_from([0.4, 0.9, 1.1, 6.0, 20.0, 100.0, 1_000.0]),
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
            steps = NEIGHBOURS[control.stage] or [control.stage]
            stage = steps[move % len(steps)]
            if stage is Stage.COMPLETE is not control.stage:
                self._prove()
                self.doors = [door for door in self.doors if door.newest == control.epoch]
            self.account.move_to(Control(stage, write, read_weight, control.epoch + 1))

    @rule(
        days=st.sampled_from([0, 2, 14, 14, 16, 42]),  # never 15: clocks differ about what is that old
        keeps=st.booleans(),
        again=st.booleans(),
        every=st.sampled_from([1, 1, 2]),
    )
    def days_pass(self, days: int, every: int, *, keeps: bool, again: bool) -> None:
        """No process lives that long; messages may, unfolded too. TTL deletes what is past its time."""
        if days:
            self._days_pass(days, keeps=keeps, again=again)
        self.account.ttl(every)

    @rule(which=st.integers(0, 60), fated=late_fates, then=calls)
    def a_fact_is_lost_when_its_entry_is_past_its_time(
        self, which: int, fated: list[Fate], then: Then
    ) -> None:
        """DynamoDB has not come to delete the entry yet; it does when somebody has seen what is missing."""
        if self.account.checkpoints.state.stage is Stage.COMPLETE or self.clients.unmade:
            return
        self._days_pass(42, keeps=False, again=False)
        account = self.account
        there = account.past_their_time() & account.facts.by_identity.keys() & account.legacy.events.keys()
        there -= self.clients.disputed
        if there:
            one = sorted(there)[which % len(there)]
            self.clients.unmade.add(one)
            account.lose_the_fact(one)
            self.an_operator_gives_a_command("reconcile --since", then, fated)
            account.ttl(1)

    def _days_pass(self, days: int, *, keeps: bool, again: bool) -> None:
        self._all_ends()
        self.account.capture()
        late = self._unfolded()[:1] if keeps and not self.late else []
        self.late.update(late)
        self._to_its_end(partial(self._deliver_all_but, late, again=again))
        self.account.clock.at += timedelta(days=days).total_seconds()

    def _unfolded(self) -> list[Identity]:
        bodies = map(json.loads, self.account.queue.messages.values())
        return sorted({identity_of(one) for one in bodies} - self.account.ever_folded())

    def _deliver_all_but(self, late: list[Identity], _process: Process, *, again: bool) -> None:
        queue = self.account.queue
        records = [one for one in queue.everything() if identity_of(json.loads(one["body"])) not in late]
        queue.settle(records, self.account.aggregate(records))
        for record in records * again:
            queue.send(record["body"])

    @rule(
        what=st.sampled_from(["clocks", "clocks", "control item", "altered", "deleted"]),
        which=st.integers(0, 60),
        off_s=st.sampled_from([-APART_S, 0.0, APART_S]),
    )
    def the_world_is_as_it_is(self, what: str, which: int, off_s: float) -> None:
        """Clocks jump, the control item is lost, and somebody works in legacy's tables by hand."""
        account = self.account
        complete = account.checkpoints.state.stage is Stage.COMPLETE
        if what == "clocks":
            account.functions_off_s = off_s
            for door in self.doors[which % 2 :: 2]:
                door.off_s = off_s
        elif what == "control item":
            account.lose_the_control_item()
        elif account.legacy.events and not complete:
            event = account.legacy.events[sorted(account.legacy.events)[which % len(account.legacy.events)]]
            self._by_hand(event, replace(event, points=event.points + 100) if what == "altered" else None)

    def _by_hand(self, event: Activity, instead: Activity | None) -> None:
        """Replace an event in legacy, or delete it, with its points."""
        legacy = self.account.legacy
        if event.identity in self.clients.unmade:
            return
        (self.clients.altered if instead else self.clients.deleted).add(event.identity)
        del legacy.events[event.identity]
        for row in rows_of(event)[::2]:
            legacy.totals[row] += Fold(-event.points, -1)
        if instead is not None:
            legacy.take(instead)
            self.clients.said[event.identity].add(instead)

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
        history, installed = fold_all(self.account.facts.history()), dict(self.account.bases.bases())
        unsteady = self.clients.rows_of(self.clients.disputed | self.clients.unmade)
        for row in (self.held.keys() | installed.keys()) - unsteady:
            events = installed.get(row, NOTHING).events
            assert self.held.get(row, NOTHING).events <= events <= history[row].events
        self.held = installed

    @invariant()
    def what_legacy_had_when_a_run_began_is_in_the_facts_when_it_is_installed(self) -> None:
        job = self.account.checkpoints.stored_job
        if job is not None and job.phase is BackfillPhase.INSTALLED:
            gone = self.clients.deleted | self.clients.unmade
            assert self.before_run - gone <= self.account.facts.by_identity.keys()

    def teardown(self) -> None:
        self._prove()
        self._judge()

    def _prove(self) -> None:
        """Let all that has begun end, and both sides become equal, as is proved before it is complete."""
        account = self.account
        self._all_ends()
        account.clock.at += APART_S + GRACE.total_seconds() + 1
        self._drain_all()
        self._judge_without_reconcile()
        if account.checkpoints.state.stage is not Stage.COMPLETE:
            self._finish()
        elif account.lost:
            account.move_to(replace(account.checkpoints.state, epoch=account.checkpoints.state.epoch + 1))
        self._set_right()

    def _all_ends(self) -> None:
        for process in self.others:
            process.kill()
        self.others.clear()
        while self.requests:
            self._request_gets_on(0, A_LOT)
        for write in self.account.late:
            write()
        self.account.late.clear()

    def _drain_all(self) -> None:
        self.account.capture()
        for queue, function in (
            (self.account.queue, self.account.aggregate),
            (self.account.mirror_queue, self.account.mirror_back),
        ):
            self._to_its_end(partial(self._deliver_all, queue, function))
        assert self.account.what_is_too_old() <= self.late
        assert not self.account.queue.messages
        assert not self.account.mirror_queue.messages

    @staticmethod
    def _deliver_all(queue: Queue, function: Function, _process: object = None) -> None:
        records = queue.everything()
        queue.settle(records, function(records))

    def _to_its_end(self, work: Callable[[Process], object]) -> CutoverError | None:
        """Give a command, and say why it refused, if it did."""
        last = Process(work)
        self._step(last, A_LOT)
        assert last.over
        return last.refusal

    def _judge_without_reconcile(self) -> None:
        """What was acknowledged is on both sides, unless somebody counted that it is not."""
        facts, events = self.account.facts.by_identity, self.account.legacy.events
        theirs = {one.identity for side, one in self.clients.acknowledged if side is Side.LEGACY}
        ours = {one.identity for side, one in self.clients.acknowledged if side is Side.PIPELINE}
        assert theirs <= events.keys() | self.clients.deleted
        assert ours <= facts.keys() | self.clients.unmade
        assert ours <= events.keys() | self.clients.deleted | self.account.dropped, "legacy never heard of it"
        missed = theirs - facts.keys() - self.clients.unwatched - self.clients.unmade
        told = sum(
            one.counted[Role.INGEST].counts.mirrored.get(outcome, 0)
            for one in self.every_door
            for outcome in (Mirrored.MISSED, Mirrored.SKIPPED)
        )
        assert len(missed) <= told, "a mirror was missed, and no door says so"

    def _finish(self) -> None:
        """Give the commands again, and let the queues run dry."""
        account = self.account
        control = account.checkpoints.state
        if account.lost or control.stage is Stage.OFF:
            account.move_to(
                Control(max(control.stage, Stage.DUALWRITE, key=ORDER.index), epoch=control.epoch + 1)
            )
        job = account.checkpoints.stored_job
        if job is not None:
            account.checkpoints.save_job(job.changed(paused=""))
        self._backfilled(again=False)
        self.what_legacy_had_when_a_run_began_is_in_the_facts_when_it_is_installed()
        if self.by_backfill:
            self._backfilled(again=True)
            assert account.legacy.events.keys() <= account.facts.by_identity.keys()
        reconcile = account.reconcile()
        done = list(reconcile.act(reconcile.look(TimeWindow(), GRACE), 1e6))
        conflicts = [one for one in done if one.decision.kind is Cause.ALTERED]
        gone = [one for one in done if one.decision.kind is Cause.GONE_FROM_LEGACY]
        assert {one.decision.pair.activity.identity for one in conflicts} <= self.clients.disputed
        assert {one.decision.pair.activity.identity for one in gone} <= self.clients.deleted
        assert {one.outcome for one in done if one not in [*conflicts, *gone]} <= {
            ReconcileOutcome.STORED,
            ReconcileOutcome.APPLIED,
        }
        account.ttl(1)
        left = account.reconcile().look(TimeWindow(), GRACE).decisions
        assert len(left) == len(conflicts) + len(gone)
        self._drain_all()

    def _backfilled(self, *, again: bool) -> None:
        """Give the command; if rows hold what facts do not say any more, it leaves that to a repair."""
        for _ in range(3):
            refusal = self._to_its_end(partial(self._backfill, again=again))
            job = self.account.checkpoints.stored_job
            if job is not None and job.phase is BackfillPhase.INSTALLED:
                return
            assert self.clients.disputed | self.clients.unmade, "nothing explains that it refuses"
            self._repaired()
            again = False
        raise AssertionError(f"no command gets it to its end: {refusal}")

    def _set_right(self) -> None:
        """Have a repair do what nobody else can, killed once; nothing else may be off, or the model fails."""
        off = self._off()
        why = self.clients.disputed | self.clients.unmade | self.late
        assert {row for row, _ in off} <= self.clients.rows_of(why), "rows are off, and nothing explains it"
        if not off and not self._disputes():
            return
        half_calls = sum(self.clients.attempts.values()) % 150
        killed = Process(partial(self._repair, plans=[]))
        self._step(killed, half_calls)
        killed.kill()
        self._repaired()
        assert {one.fact.side for one in self._disputes() if one.fact} <= {Side.PIPELINE}
        self.held = dict(self.account.bases.bases())

    def _repaired(self) -> None:
        """Give the command until there is nothing left that it does."""
        for _ in range(2 * len(self.clients.disputed | self.clients.unmade | self.late) + 2):
            plans: list[RepairPlan] = []
            self._to_its_end(partial(self._repair, plans=plans))
            self._drain_all()
            waits = any(one.action is RepairAction.WAIT for one in plans[0].remedies)
            if not plans[0].writes and not waits:
                return
            if waits:  # for a message, which nobody folds any more then
                self.account.clock.at += FOLD_HORIZON.total_seconds()
        raise AssertionError("it is never done")

    def _disputes(self) -> list[Pair]:
        facts, events = self.account.facts, self.account.legacy.events
        if self.account.checkpoints.state.stage is Stage.COMPLETE:
            return []
        return [one for one in compare(events.values(), facts.everything()) if one.fact and one.event]

    def _repair(self, process: Process, plans: list[RepairPlan]) -> None:
        with TemporaryDirectory() as folder:
            plans.append(self.account.repair(Path(folder), process))

    def _judge(self) -> None:
        """Judge the tables alone, but for what they cannot tell: what was acknowledged, what added why."""
        facts = self.account.facts.by_identity
        complete = self.account.checkpoints.state.stage is Stage.COMPLETE
        absent = self.clients.deleted | (self.account.dropped if complete else set())
        by_hand = self.clients.altered | self.clients.deleted
        assert self.account.legacy.events.keys() ^ facts.keys() <= absent
        self._judge_contents(by_hand)
        self._judge_folds()
        for one in facts.keys() - self.clients.doubtful - self.clients.contested - by_hand - absent:
            assert self.account.counted[one] + self.account.legacy.applied[one] == 1, one

    def _judge_contents(self, by_hand: set[Identity]) -> None:
        facts, events = self.account.facts.by_identity, self.account.legacy.events
        # Where a fact was deleted, nobody knows that its id was taken.
        taken_again = self.clients.unmade & self.clients.contested
        for side, activity in self.clients.acknowledged:
            if activity.identity in by_hand | taken_again:
                continue
            fact = facts[activity.identity]
            # Where each side accepted another content, the side with authority over the fact decides.
            if activity.identity not in self.clients.contested or fact.side is side:
                assert fact.activity == activity
        for identity, fact in facts.items():
            if identity in events and (identity not in self.clients.disputed or fact.side is Side.LEGACY):
                assert events[identity] == fact.activity

    def _judge_folds(self) -> None:
        assert not self._off()
        twice = {name for name, times in self.account.folded.items() if times > 1}
        assert twice <= {"\n".join(one) for one in self.clients.unmade}, "a message was folded twice"

    def _off(self) -> dict[tuple[Row, Lane], tuple[Fold, Fold]]:
        """Name the parts of rows that do not hold what the facts say."""
        off: dict[tuple[Row, Lane], tuple[Fold, Fold]] = {}
        listed = list(self.account.facts.everything())
        for lane, held in (
            (Lane.HISTORY, dict(self.account.bases.bases())),
            (Lane.LIVE, self.account.live_rows()),
        ):
            due = fold_all(one.activity for one in listed if one.lane is lane)
            off |= {(row, lane): both for row, both in apart(held, due).items()}
        return off


def apart(held: Mapping[Row, Fold], due: Mapping[Row, Fold]) -> dict[Row, tuple[Fold, Fold]]:
    """Name the rows that hold something else than they should."""
    both = {row: (held.get(row, NOTHING), due.get(row, NOTHING)) for row in {*held, *due}}
    return {row: (one, other) for row, (one, other) in both.items() if one != other}


@pytest.fixture(autouse=True, scope="module")
def _deployed() -> Iterator[None]:
    with deployed():
        yield


def test_migrations() -> None:
    run_state_machine_as_test(Migration, settings=settings(max_examples=10, stateful_step_count=40))


@pytest.mark.slow
def test_many_migrations() -> None:
    """Longer ones; `make model RUNS=5000` runs thousands, from another seed each time."""
    given = settings(stateful_step_count=60, max_examples=A_ROUND)
    run_rounds(Migration, rounds_asked(150, A_ROUND), given)
