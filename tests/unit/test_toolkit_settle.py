"""Settling waits for a condition and not for a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from migration.compare.ledger.settle import Settling, settle
from tests.doubles.clock import MemoryClock

PATIENCE = timedelta(seconds=10)


@dataclass
class Draining:
    """A backlog: one more fact is folded at each look, and messages leave the queue before."""

    clock: MemoryClock
    facts: int
    done: int = 0
    looks: list[float] = field(default_factory=list)

    def stored(self) -> int:
        self.looks.append(self.clock.now())
        return self.facts

    def queued(self) -> int:
        return max(0, self.facts - self.done - 2)

    def folded(self) -> int:
        self.done = min(self.done + 1, self.facts)
        return self.done


def test_it_waits_until_nothing_is_queued_and_everything_is_folded() -> None:
    clock = MemoryClock()
    look = settle(Draining(clock, facts=5), clock, PATIENCE)
    assert (look.settled, look.stored, look.folded, look.queued) == (True, 5, 5, 0)
    assert 0 < look.waited_s < PATIENCE.total_seconds()


def test_an_empty_queue_alone_is_not_settled() -> None:
    assert not Settling(stored=5, folded=4, queued=0, waited_s=0).settled
    assert not Settling(stored=5, folded=5, queued=1, waited_s=0).settled


def test_more_folded_than_stored_is_not_settled_either() -> None:
    assert not Settling(stored=5, folded=6, queued=0, waited_s=0).settled


def test_patience_ends_and_says_how_far_it_came() -> None:
    clock = MemoryClock()
    look = settle(Draining(clock, facts=1_000), clock, PATIENCE)
    assert not look.settled
    assert PATIENCE.total_seconds() <= look.waited_s < PATIENCE.total_seconds() + 1
    assert look.folded < 1_000


def test_without_patience_it_looks_once() -> None:
    clock = MemoryClock()
    backlog = Draining(clock, facts=5)
    assert not settle(backlog, clock, timedelta()).settled
    assert len(backlog.looks) == 1
