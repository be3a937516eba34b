"""A whole account in memory, and every function of it: the deployed handlers, on the memory adapters.

    client ─► door ─┬─► legacy's ingest ─► legacy's tables ◄────────── reverse mirror ◄─ queue ◄─┐
                    ├─► forward mirror ──► facts ─► pipes (live lane) ─► queue ─► aggregate ─► folds
                    └─► pipeline's ingest ─► facts ─► pipes (side = pipeline) ────────────────────┘

What is written here is what AWS does: it keeps functions warm, loses, repeats and reorders messages, kills
what takes too long, and leaves calls without an answer. Everything that decides is the product's own code.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

import pytest
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider
from botocore.exceptions import ClientError, ReadTimeoutError

from legacy import ingest as legacy_ingest
from migration.aws.bulk.side_store import DuckDBStore
from migration.aws.tables.legacy_rows import LegacyRows
from migration.aws.tables.legacy_sink import MirrorSink
from migration.aws.transport.conflicts import refused_for_now
from migration.backfill.bases import Installed
from migration.backfill.pacer import Pacer
from migration.backfill.pacing import WritePace
from migration.compare.verify.verification import Parts
from migration.compare.verify.verify import Verification
from migration.door import concluding as door_concluding
from migration.door import counters as door_counters
from migration.door import ingest as door_ingest
from migration.door import serve as door_serve
from migration.door import sides as door_sides
from migration.door import spared as door_spared
from migration.door.control import TTL_S, CachedControl
from migration.door.counters import DoorCounters
from migration.door.counts import DoorCounts, Role
from migration.door.mirror import ForwardMirror
from migration.door.wire import MissedError, WireAnswer
from migration.functions import mirror
from migration.model.facts import Created, Lane, Spent, StoredFact, Taken
from migration.model.fold import NOTHING, Identity
from migration.model.journal_writer import JournalWriter
from migration.model.legacy.layout import LegacyPlan
from migration.model.moments import moment_text
from migration.model.side import Side
from migration.model.stages import Stage
from migration.repair.repair import Repair
from pipeline.domain.aggregator import Busy, Committed
from pipeline.handlers import aggregate
from pipeline.handlers import ingest as pipeline_ingest
from pipeline.stores.facts import FactTable
from pipeline.stores.folds import dedup_expiry
from tests.backfill_world import Budget, Crashing, Fate, World
from tests.doubles.both_sides import MemorySides
from tests.doubles.control_plane import MemoryControlPlane
from tests.doubles.live_folds import MemoryLiveFolds
from tests.memory_dynamodb import (
    LegacyTable,
    MemoryDynamoDB,
    answer_of,
    control_item,
    failed,
    identity_of,
    item_of,
    resource,
)
from tests.repair_world import RowBases, RowFolds
from tests.steered import process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from migration.backfill.bases import Holds
    from migration.backfill.history import BaseChange
    from migration.model.fold import Activity, Fold, Row
    from migration.model.stages import Control
    from migration.repair.reconcile import Reconcile
    from migration.repair.words import RepairPlan
    from pipeline.domain.aggregator import Refused
    from pipeline.domain.batch import Chunk

TO_AGGREGATE = ("employee_id", "event_id", "program_id", "points", "ingested_at")
TO_MIRROR = (*TO_AGGREGATE[:3], "activity_type", "points", "occurred_at", "ingested_at")
CONTROL = "control"
FOLD_HORIZON = timedelta(days=15)
LAG_S = 1.0
"""How long a read that is not consistent may show what was there before."""
CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000)
SILENT = SimpleNamespace(**dict.fromkeys(("info", "warning", "exception"), lambda *_, **__: None))


REFUSED = {
    Fate.HELD: "TransactionConflictException",
    Fate.THROTTLED: "ProvisionedThroughputExceededException",
}


def gone_wrong(fate: Fate) -> ReadTimeoutError | ClientError:
    """Make what a client raises."""
    return failed("Call", REFUSED[fate]) if fate in REFUSED else ReadTimeoutError(endpoint_url="memory")


def again(call: Callable[[], Any]) -> Any:
    """Make a call as the door's and the toolkit's clients do: what was held is tried again."""
    while True:
        try:
            return call()
        except ClientError as error:
            if not refused_for_now(error.response):
                raise


@dataclass
class Steered:
    """A client or a table, whose calls the running process makes as its fates will."""

    target: Any

    def __getattr__(self, name: str) -> Any:
        def call(**parameters: Any) -> Any:
            process().about_to = name
            return again(
                partial(process().make, partial(getattr(self.target, name), **parameters), gone_wrong)
            )

        return call


@dataclass
class SteeredFolds:
    """The folds, committed as the running process's fates will; unanswered is busy, as with DynamoDB."""

    world: Account
    until: float

    def commit(self, chunk: Chunk) -> Committed | Refused | Busy:
        try:
            result: Committed | Refused | Busy = process().make(
                partial(self.world.fold, chunk, self.until), gone_wrong
            )
        except (ReadTimeoutError, ClientError) as error:
            return Busy(type(error).__name__)
        return result

    def advance_newest(self, ingested_at: str) -> bool:
        return bool(ingested_at)


@dataclass
class CountedTable(LegacyTable):
    """Legacy's totals have no fingerprint, so what they were added for is taken down as it happens."""

    def update_item(self, **parameters: Any) -> None:  # type: ignore[override] # whatever the table takes
        super().update_item(**parameters)
        if self.variable == "PROGRAM_PROGRESS_TABLE":
            _here.world.counted[_here.activity.identity] += 1


@dataclass
class MemoryWire:
    """The door's one connection: what is sent may arrive, be lost, stay without an answer, or arrive late."""

    world: Account
    read_well: bool = True
    _answer: Callable[[], WireAnswer] | None = None

    def send(self, operation: str, parameters: dict[str, Any]) -> None:
        fate = process().fate()
        self._answer = None
        if operation == "GetItem":  # at once, so that the value's age is known
            self._send(fate, partial(self._read, lags=fate is Fate.BEHIND), parameters)
            return
        process().about_to = "mirror"
        process().spend()
        counts = parameters["TableName"] == CONTROL
        self._send(fate, self._count if counts else self.world.dynamodb.put_item, parameters)

    def _send(self, fate: Fate, call: Callable[..., dict[str, Any]], parameters: dict[str, Any]) -> None:
        self.read_well = False
        apply = partial(answer_of, call, parameters)
        if fate is Fate.AGAIN:
            self.world.late.append(apply)
        elif fate in REFUSED:
            refused = WireAnswer({}, REFUSED[fate])
            self._answer = lambda: refused
        elif fate is not Fate.LOST:
            answer = apply()
            self.read_well = fate is not Fate.UNANSWERED and "Item" in answer.body
            self._answer = None if fate is Fate.UNANSWERED else lambda: answer

    def _read(self, *, lags: bool, **parameters: Any) -> dict[str, Any]:
        """Read the control item; not consistently, so it may be what it was a moment ago."""
        assert not parameters.get("ConsistentRead")
        if self.world.lost:
            return {}
        ever = self.world.controls_of_the_last(LAG_S)
        return control_item(ever[0] if lags else ever[-1])

    @staticmethod
    def _count(**_: object) -> dict[str, Any]:
        return {}

    def collect(self, within_s: float) -> WireAnswer:
        assert within_s <= 1, "the door waits for the other side no longer than that"
        if self._answer is None:
            raise MissedError("timeout")
        return self._answer()


@dataclass
class Door:
    """One warm execution environment of the entry; it has one request at a time, and its own clock."""

    world: Account
    off_s: float = 0.0
    control: CachedControl = field(init=False)
    mirror: ForwardMirror = field(init=False)
    wire: MemoryWire = field(init=False)
    counted: dict[Role, DoorCounters] = field(init=False)
    answers: list[dict[str, Any]] = field(default_factory=list)
    answered_by: list[Side] = field(default_factory=list)
    newest: int = 0
    stage: Stage = Stage.OFF

    def __post_init__(self) -> None:
        self.wire = MemoryWire(self.world)
        elapsed, baked = self.world.clock.elapsed, self.world.baked
        self.control = CachedControl(CONTROL, "activities", self.wire, baked, elapsed)  # type: ignore[arg-type] # what it uses of a wire
        self.counted = {
            role: DoorCounters(
                CONTROL,
                "activities",
                MemoryWire(self.world),  # type: ignore[arg-type]
                DoorCounts("door", role, epoch=-1, since=0.0, at=0.0),
                lambda: self.world.clock.now() + self.off_s,
                elapsed=elapsed,
            )
            for role in Role
        }
        self.mirror = ForwardMirror("facts", MemoryWire(self.world), elapsed)  # type: ignore[arg-type]

    @property
    def blind(self) -> bool:
        return self.control.blind

    @property
    def last(self) -> Control:
        return self.control.last

    def current(self) -> Control:
        """Read the stage as the door does, and hold it to its promise."""
        control = self.control.current()
        if self.wire.read_well:
            ever = self.world.controls_of_the_last(TTL_S + LAG_S)
            assert control in ever, "a door routes by a stage that is over"
        assert control.epoch >= self.newest, "a door routes by an epoch before one that it has seen"
        self.newest, self.stage = control.epoch, control.stage
        return control

    def handler_of(self, side: Side) -> Callable[[dict[str, Any], object], dict[str, Any]]:
        handler = legacy_ingest.handler if side is Side.LEGACY else pipeline_ingest.handler

        def answer(event: dict[str, Any], context: object) -> dict[str, Any]:
            if event["requestContext"]["http"]["method"] == "GET":
                return {"statusCode": 200, "body": side.value}
            self.answers.append(handler(event, context))
            self.answered_by.append(side)
            return self.answers[-1]

        return answer


@dataclass
class Request:
    """One activity on its way, as its client sees it."""

    activity: Activity
    door: Door
    until: float
    status: int | None = None
    side: Side | None = None
    stage: Stage | None = None


@dataclass
class Queue:
    """An SQS queue: at least once, in any order."""

    messages: dict[str, str] = field(default_factory=dict)
    sent: int = 0

    def send(self, body: str) -> None:
        self.sent += 1
        self.messages[f"m-{self.sent}"] = body

    def receive(self, picks: list[int]) -> list[dict[str, str]]:
        """Deliver messages, some of them more than once; each stays until it is deleted."""
        there = list(self.messages.items())
        chosen = [there[pick % len(there)] for pick in picks] if there else []
        return [{"messageId": name, "body": body} for name, body in chosen]

    def everything(self) -> list[dict[str, str]]:
        """Deliver each message once."""
        return self.receive(list(range(len(self.messages))))

    def settle(self, records: list[dict[str, str]], response: dict[str, Any]) -> None:
        """Delete what is not reported as failed, as an event source mapping does."""
        failed = {one["itemIdentifier"] for one in response["batchItemFailures"]}
        for record in records:
            if record["messageId"] not in failed:
                self.messages.pop(record["messageId"], None)


@dataclass
class PutBack:
    """The fact table as a command has it that puts facts back: folded before, they must not be again."""

    world: Account
    was_folded: Callable[[str], bool]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.world.facts, name)

    def put(self, fact: StoredFact) -> tuple[Created | Taken, Spent]:
        put, spent = self.world.facts.put(fact)
        name = "\n".join(fact.activity.identity)
        if isinstance(put, Created) and fact.lane is Lane.LIVE and self.was_folded(name):
            self.world.closed.add(name)
        return put, spent


@dataclass(slots=True)
class Sides(MemorySides):
    """Both sides' tables, and the queue between them."""

    queue: Queue = field(default_factory=Queue)

    def queued(self) -> int:
        return len(self.queue.messages)


@dataclass
class WatchedBases(RowBases):
    """The history part of the rows; an install replaces what it says that it does, and nothing else."""

    def install(self, change: BaseChange) -> tuple[Installed | Holds, Spent]:
        held = self.rows.get(change.row, Parts()).base
        done, spent = super().install(change)
        if isinstance(done, Installed):
            assert held == change.held, "it was installed over what another one had installed"
        return done, spent


@dataclass
class Account(World):
    """All of it."""

    parts: dict[Row, Parts] = field(default_factory=dict)
    lane: MemoryLiveFolds = field(init=False)
    bases: RowBases = field(init=False)  # type: ignore[assignment] # of the same rows
    folded: Counter[str] = field(default_factory=Counter)
    """How often each was folded, as taken down at the table."""
    closed: set[str] = field(default_factory=set)
    """What was put back after it had been folded."""
    dynamodb: MemoryDynamoDB = field(init=False)
    queue: Queue = field(default_factory=Queue)
    mirror_queue: Queue = field(default_factory=Queue)
    late: list[Callable[[], object]] = field(default_factory=list)
    controls: list[tuple[float, Control]] = field(default_factory=list)
    captured: dict[Identity, Side] = field(default_factory=dict)
    lost: bool = False
    """Whether the control item is gone."""
    functions_off_s: float = 0.0
    dropped: set[Identity] = field(default_factory=set)
    """What was in a message to legacy that got lost for good."""
    counted: Counter[Identity] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.lane = MemoryLiveFolds(self.parts, facts=self.facts, now=self.clock.now)
        self.bases = WatchedBases(self.parts)
        self.dynamodb = MemoryDynamoDB(self.facts, self.legacy, self.checkpoints)
        self.legacy.page_items = 1
        self.controls = [(0.0, self.checkpoints.state)]

    def legacy_takes(self, activity: Activity) -> None:
        """Have legacy take an activity on its own, from before there was a door."""
        self.legacy.take(activity)
        self.counted[activity.identity] += 1

    @property
    def baked(self) -> Control:
        """What is deployed with the doors: the stage before the first move, until it is complete."""
        last = self.controls[-1][1]
        return last if last.stage is Stage.COMPLETE else self.controls[0][1]

    def move_to(self, control: Control) -> None:
        """Write the control item, in the place of one that is gone as well."""
        self.lost = self.checkpoints.lost = False
        self.checkpoints.state = control
        self.controls.append((self.clock.at, control))

    def lose_the_control_item(self) -> None:
        self.lost = self.checkpoints.lost = True

    def lose_a_message_to_legacy(self) -> None:
        if self.mirror_queue.messages:
            _, body = self.mirror_queue.messages.popitem()
            self.dropped.add(identity_of(json.loads(body)))

    def controls_of_the_last(self, seconds: float) -> list[Control]:
        """List what the control item was at any moment of that time."""
        ends = [at for at, _ in self.controls[1:]] + [float("inf")]
        return [
            one for (_, one), end in zip(self.controls, ends, strict=True) if end >= self.clock.at - seconds
        ]

    def ttl(self, every: int) -> None:
        """Delete dedup entries that are past their time: all, or some of them."""
        for one in sorted(self.past_their_time())[::every]:
            name = "\n".join(one)
            del self.lane.expires[name], self.lane.entries[name]

    def past_their_time(self) -> set[Identity]:
        """Name whose dedup entries may go at any moment."""
        return {Identity(*name.split("\n")) for name, at in self.lane.expires.items() if at < self.clock.at}

    def lose_the_fact(self, identity: Identity) -> None:
        """Delete a fact by hand; when it is put again, that is an insert."""
        del self.facts.by_identity[identity]
        self.captured.pop(identity, None)

    def capture(self, copies: int = 1) -> None:
        """Both pipes: every insert since, and what was handed over, cut to their messages' fields."""
        for fact in self.lane.queue:
            self.queue.send(_message(fact, TO_AGGREGATE))
        self.lane.queue.clear()
        for identity, fact in list(self.facts.by_identity.items()):
            was = self.captured.get(identity)
            if was is fact.side:
                continue
            self.captured[identity] = fact.side
            for _ in range(copies):
                if was is None and fact.lane is Lane.LIVE:
                    self.queue.send(_message(fact, TO_AGGREGATE))
                if fact.side is Side.PIPELINE:
                    self.mirror_queue.send(_message(fact, TO_MIRROR))

    def fold(self, chunk: Chunk, until: float) -> Committed | Refused | Busy:
        """Commit a chunk, and take down what it folded."""
        result = RowFolds(self.lane, until).commit(chunk)
        if isinstance(result, Committed):
            self.folded.update(one.identity for one in chunk.facts)
            again = self.closed.intersection(one.identity for one in chunk.facts)
            assert not again, "it was put back as one that is folded, and folded again"
        return result

    def live_rows(self) -> dict[Row, Fold]:
        """What the live lane holds."""
        return {row: parts.live for row, parts in self.parts.items() if parts.live != NOTHING}

    def rows(self) -> dict[Row, Fold]:
        """What the tables hold."""
        return {row: parts.live + parts.base for row, parts in self.parts.items()}

    def aggregate(self, records: list[dict[str, str]]) -> dict[str, Any]:
        _here.world, _here.off_s = self, self.functions_off_s
        response: dict[str, Any] = aggregate.handler({"Records": records}, CONTEXT)
        return response

    def mirror_back(self, records: list[dict[str, str]]) -> dict[str, Any]:
        _here.world, _here.off_s = self, self.functions_off_s
        response: dict[str, Any] = mirror.handler({"Records": records}, CONTEXT)
        return response

    def reconcile(self, budget: Budget | None = None) -> Reconcile:
        """Reconcile with the reverse mirror's own tables."""
        plain = super().reconcile(budget)
        sink: Any = MirrorSink(self.legacy_tables(self.dynamodb), self.clock)
        has_entry = self.lane.entries.__contains__
        facts, folds, legacy = self._ports(budget, PutBack(self, has_entry), self.lane, sink)
        return replace(plain, facts=facts, folds=folds, legacy=legacy)

    def repair(self, folder: Path, budget: Budget | None = None) -> RepairPlan:
        """Repair; what its budget kills leaves what it did."""
        store = DuckDBStore(folder)
        try:
            job = self._repairing(store, budget)
            plan = job.look()
            list(job.act(plan))
            return plan
        finally:
            store.close(keep=False)

    def _repairing(self, store: DuckDBStore, budget: Budget | None) -> Repair:
        tables = Sides(self.facts.by_identity, self.parts, events=self.legacy.events, queue=self.queue)
        tables.legacy_rows = self.legacy.totals
        ports = self._ports(
            budget, tables, self.lane, PutBack(self, lambda _: True), self.bases, self.checkpoints
        )
        sides, lane, facts, bases, checkpoints = ports
        return Repair(
            Verification(sides, store, self.clock),
            lane,
            facts,
            bases,
            self.reconcile(budget),
            checkpoints,
            JournalWriter(MemoryControlPlane(), self.clock, lambda: secrets.token_hex(2), "ana@desk:1"),
            Pacer(self.clock, self.live, WritePace.begin(1_000_000)),
            horizon=FOLD_HORIZON,
            grace=timedelta(minutes=1),
            ceiling=1_000_000,
        )

    def _ports(self, budget: Budget | None, *ports: Any) -> list[Any]:
        calls = budget or Budget()
        return [Crashing(one, calls, self.before) for one in ports]

    def ever_folded(self) -> set[Identity]:
        """Name whose messages were folded."""
        return {Identity(*name.split("\n")) for name in self.folded}

    def what_is_too_old(self) -> set[Identity]:
        """Take messages that nobody folds any more from the queue, and say what of it was never folded."""
        oldest = moment_text(self.clock.at - FOLD_HORIZON.total_seconds())
        bodies = {name: json.loads(body) for name, body in self.queue.messages.items()}
        past = {name: body for name, body in bodies.items() if body["ingested_at"] < oldest}
        for name in past:
            del self.queue.messages[name]
        return {identity_of(body) for body in past.values()} - self.ever_folded()

    def legacy_tables(self, client: Any) -> LegacyRows:
        return LegacyRows(client, "events", "programs", "employees", LegacyPlan().written())

    def now(self, off_s: float = 0.0) -> datetime:
        return datetime.fromtimestamp(self.clock.now() + off_s, UTC)


def post(request: Request, _process: object) -> None:
    """Invoke the door with a request."""
    door = _here.door = request.door
    _here.world, _here.activity, _here.off_s = door.world, request.activity, door.off_s
    answered = len(door.answers)
    answer = door_ingest.handler(_event(request.activity), None)
    assert answer is door.answers[answered], "the client gets the answer of the side with authority"
    assert len(door.answers) == answered + 1, "one side alone decides"
    request.status, request.side = answer["statusCode"], door.answered_by[answered]
    request.stage = door.stage


def read(door: Door, address: str, _process: object) -> None:
    """Read a board through the door."""
    _here.door, _here.world, _here.off_s = door, door.world, door.off_s
    http = {"method": "GET", "sourceIp": address}
    answer = door_serve.handler({"rawPath": "/leaderboard", "requestContext": {"http": http}}, None)
    assert answer["statusCode"] == 200


@contextmanager
def deployed() -> Iterator[None]:
    """Have the deployed handlers work in the account of the process that they run in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACTS_TABLE", "facts")
        patch.setenv("FOLD_HORIZON_DAYS", str(FOLD_HORIZON.days))
        patch.setenv("DEDUP_TTL_DAYS", "40")
        for name in ("add_metric", "flush_metrics"):
            patch.setattr(AmazonCloudWatchEMFProvider, name, lambda *_, **__: None)
        for module in (legacy_ingest, mirror, aggregate):
            patch.setattr(module, "logger", SILENT)
        patch.setattr(mirror, "ThreadPoolExecutor", InTurn)
        for module in (door_ingest, legacy_ingest, pipeline_ingest, aggregate):
            patch.setattr(module, "now", _now)
        for module in (mirror, aggregate):
            patch.setattr(module, "longest_wait_s", lambda _attempt: 0)
        for module in (door_ingest, door_serve):
            patch.setattr(module, "control", lambda: _here.door)
            patch.setattr(module, "counters", lambda role: _here.door.counted[role])
        patch.setattr(door_sides, "handler_of", _handler_of)
        patch.setattr(door_concluding, "emit", lambda *_, **__: None)
        patch.setattr(door_spared, "tell", _be_loud)
        patch.setattr(door_counters, "control", lambda: _here.door.control)
        patch.setattr(door_ingest, "mirror", lambda: _here.door.mirror)
        patch.setattr(pipeline_ingest, "emit", lambda *_, **__: None)
        patch.setattr(pipeline_ingest, "facts", lambda: FactTable(Steered(_here.world.dynamodb), "facts"))  # type: ignore[arg-type]
        patch.setattr(legacy_ingest, "dynamodb", resource)
        patch.setattr(
            legacy_ingest, "table", lambda variable: Steered(CountedTable(variable, _here.world.legacy))
        )
        patch.setattr(aggregate, "_tables", lambda moment: SteeredFolds(_here.world, kept_until(moment)))
        patch.setattr(mirror, "tables", lambda: _here.world.legacy_tables(Steered(_here.world.dynamodb)))
        yield


class InTurn:
    """Calls in the one thread that is steered, in turn."""

    map = staticmethod(map)

    def __init__(self, _workers: int) -> None:
        """Take whatever a pool takes."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing behind."""


class DoorFaultError(BaseException):
    """The door's own work failed; its client noticed nothing, but here somebody does."""


def kept_until(moment: datetime) -> float:
    """Tell how long the aggregator keeps a dedup entry that it writes now."""
    return dedup_expiry(moment, int(os.environ["DEDUP_TTL_DAYS"])).timestamp()


def _be_loud(error: Exception) -> None:
    raise DoorFaultError from error


def _event(activity: Activity) -> dict[str, Any]:
    names = ("employee_id", "event_id", "program_id", "activity_type", "points", "occurred_at")
    body = json.dumps({name: getattr(activity, name) for name in names})
    return {"rawPath": "/activities", "requestContext": {"http": {"method": "POST"}}, "body": body}


def _message(fact: StoredFact, names: tuple[str, ...]) -> str:
    item = item_of(fact)
    return json.dumps({name: next(iter(item[name].values())) for name in names})


def _handler_of(side: Side) -> Callable[[dict[str, Any], object], dict[str, Any]]:
    return _here.door.handler_of(side)


def _now() -> datetime:
    return _here.world.now(_here.off_s)


class _Here(threading.local):
    """What the running process belongs to."""

    world: Account
    door: Door
    activity: Activity
    off_s: float = 0.0


_here = _Here()
