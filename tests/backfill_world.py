"""Both sides, the door's mirrors and the live lane in memory: the real code where there is any, one account.

What is written here is only the effect of a client's request on the tables; everything else is the toolkit's.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any

from migration.backfill.attention import Attention
from migration.backfill.one_machine import on_one_machine
from migration.backfill.pacer import Pacer
from migration.backfill.pacing import WritePace
from migration.model.errors import RemoteError
from migration.model.facts import Lane, StoredFact
from migration.model.fold import TOTAL, Activity, Fold, Row
from migration.model.moments import moment_text
from migration.repair.differing import compare
from migration.repair.reconcile import Reconcile
from pipeline.domain.aggregator import Aggregator
from pipeline.domain.queued_fact import QueuedFact
from pipeline.stores.memory import MemoryFolds
from tests.doubles.backfill import (
    MemoryBases,
    MemoryCheckpoints,
    MemoryFacts,
    MemoryLegacy,
    MemoryLiveLane,
    folded_in_memory,
)
from tests.doubles.clock import MemoryClock
from tests.doubles.live_folds import MemoryLiveFolds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from migration.backfill.backfill import Backfill
    from migration.model.side import Side
    from pipeline.domain.batch import Row as LiveRow


class CrashError(BaseException):
    """The process dies here."""


class Fate(StrEnum):
    """How a call ends; whoever made it cannot tell `LOST` from `UNANSWERED`."""

    DONE = "done"
    LOST = "lost on the way"
    UNANSWERED = "done, and the answer lost, came too slowly, or is no object"
    AGAIN = "done, the answer lost, and sent again by the SDK"
    HELD = "refused: somebody's transaction holds the item"
    THROTTLED = "refused: too many calls"
    BEHIND = "done; a read that may lag does"

    @property
    def happens(self) -> bool:
        """Whether the call takes effect."""
        return self not in (Fate.LOST, Fate.HELD, Fate.THROTTLED)


class Crashing:
    """A port that works, until the process dies before or after one of its calls, or a call goes astray."""

    def __init__(self, port: Any, calls: Budget, before: dict[str, Callable[[], None]]) -> None:
        self._port = port
        self._calls = calls
        self._before = before

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        def call(*arguments: Any) -> Any:
            self._calls.about_to = name
            self._before.pop(name, lambda: None)()
            result = self._calls.make(partial(method, *arguments), gone_wrong)
            return self._watched(result) if hasattr(result, "send") else result

        return call

    def _watched(self, generator: Any) -> Iterator[Any]:
        for item in generator:
            self._calls.spend()
            yield item


@dataclass
class Budget:
    """How many half calls a process has left to live, None is for ever; and how its next calls end."""

    left: int | None = None
    fates: Iterator[Fate] = field(default_factory=lambda: iter(()))
    about_to: str = ""
    """The call that is made next, or was made last."""

    def spend(self) -> None:
        if self.left is not None:
            if self.left == 0:
                raise CrashError
            self.left -= 1

    def fate(self) -> Fate:
        """Tell how the next call ends."""
        return next(self.fates, Fate.DONE)

    def make(self, call: Callable[[], Any], error: Callable[[Fate], Exception]) -> Any:
        """Make a call as fate wills, dying before it, after it, or never."""
        self.spend()
        fate = self.fate()
        if not fate.happens:
            raise error(fate)
        result = call()
        self.spend()
        if fate is Fate.UNANSWERED:
            raise error(fate)
        return call() if fate is Fate.AGAIN else result


def gone_wrong(fate: Fate) -> RemoteError:
    """Make the error that the adapters raise when AWS does not answer, or refuses too often."""
    return RemoteError(fate.value, hint="start again")


@dataclass
class World:
    """One account."""

    clock: MemoryClock = field(default_factory=MemoryClock)
    facts: MemoryFacts = field(default_factory=MemoryFacts)
    legacy: MemoryLegacy = field(default_factory=MemoryLegacy)
    bases: MemoryBases = field(default_factory=MemoryBases)
    checkpoints: MemoryCheckpoints = field(default_factory=MemoryCheckpoints)
    live: MemoryLiveLane = field(default_factory=MemoryLiveLane)
    folds: MemoryFolds = field(default_factory=MemoryFolds)
    told: list[str] = field(default_factory=list)
    before: dict[str, Callable[[], None]] = field(default_factory=dict)
    """What happens elsewhere just before the next call of that name."""

    def attention(self, budget: Budget | None = None, worker: str = "one") -> Attention:
        checkpoints: Any = Crashing(self.checkpoints, budget or Budget(), self.before)
        pacer = Pacer(self.clock, self.live, WritePace.begin(1_000_000))
        return Attention(worker, self.clock, pacer, checkpoints, tell=self.told.append)

    def backfill(self, budget: Budget | None = None, worker: str = "one") -> Backfill:
        budget = budget or Budget()
        ports: list[Any] = [
            Crashing(port, budget, self.before)
            for port in (self.legacy, self.facts, self.bases, self.checkpoints)
        ]
        events, facts, bases, checkpoints = ports
        attention = self.attention(budget, worker)
        return on_one_machine(events, facts, bases, checkpoints, folded_in_memory, attention)

    def reconcile(self, budget: Budget | None = None) -> Reconcile:
        budget = budget or Budget()
        ports: list[Any] = [
            Crashing(port, budget, self.before)
            for port in (self.legacy, self.facts, self.legacy, self.checkpoints)
        ]
        events, facts, legacy, checkpoints = ports
        pacer = Pacer(self.clock, self.live, WritePace.begin(1_000_000))
        folds = MemoryLiveFolds(facts=self.facts)
        return Reconcile(events, facts, folds, legacy, checkpoints, compared_in_memory, pacer)

    def put(self, activity: Activity, lane: Lane, side: Side) -> None:
        self.facts.put(StoredFact(activity, lane, side, moment_text(self.clock.now())))

    def fold_live(self) -> None:
        """The live lane: what it has captured is folded by the real aggregator, again and again."""
        captured = [fact for fact in self.facts.everything() if fact.lane is Lane.LIVE]
        outcome = Aggregator(self.folds, wait=lambda _: None, has_time=lambda: True).fold(
            _queued(fact) for fact in captured
        )
        assert not outcome.failed

    def rows(self) -> dict[Row, Fold]:
        """The aggregates as the tables have them: what the live lane added, and what was installed."""
        rows = dict(self.bases.totals)
        for row, fold in self.live_rows().items():
            rows[row] = rows.get(row, Fold()) + fold
        return rows

    def live_rows(self) -> dict[Row, Fold]:
        """What the live lane added."""
        return {
            _ledger_row(row): Fold(fold.points, fold.events, fold.fingerprint)
            for row, fold in self.folds.rows.items()
        }


def compared_in_memory(events: Any, facts: Any) -> AbstractContextManager[Any]:

    listed = list(events)
    return nullcontext(compare(listed, facts))


def activity(number: int, employee: str = "e-1", program: str = "p-1", points: int = 10) -> Activity:
    moment = f"2026-03-01T09:{number // 60 % 60:02}:{number % 60:02}.000Z"
    return Activity(employee, f"ev-{number}", program, "task_completed", points, moment)


def _queued(fact: StoredFact) -> QueuedFact:
    one = fact.activity
    return QueuedFact(one.employee_id, one.event_id, one.program_id, one.points, fact.ingested_at)


def _ledger_row(row: LiveRow) -> Row:
    return Row(row.employee_id, TOTAL if row.program_id == TOTAL else row.program_id)
