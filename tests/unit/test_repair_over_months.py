"""Dedup entries go after some weeks: what a repair concludes from them holds, whenever that is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from migration.model.cause import Cause
from migration.model.moments import moment_text
from migration.model.side import Side
from migration.repair.differing import TimeWindow
from migration.repair.words import RepairAction
from tests.repair_ageing import DAY_S, HORIZON_S, AgeingWorld
from tests.verify_world import activity

if TYPE_CHECKING:
    from pathlib import Path

ONE = activity(100, employee=1, program=1, points=10)
REFUSED = replace(ONE, points=35, program_id="prog-2")


@pytest.fixture
def world(tmp_path: Path) -> AgeingWorld:
    world = AgeingWorld(folder=tmp_path)
    for number in range(6):
        world.accept_now(activity(number, number % 3, number % 2, 5 + number))
    return world


def dispute(world: AgeingWorld) -> None:
    """Legacy refused what its mirror stored, and it was folded."""
    world.system.legacy_accepts(ONE)
    world.system.store(REFUSED, at=moment_text(world.clock.now()))
    world.work()


@pytest.mark.parametrize("gone", [True, False], ids=["entry gone", "entry past its time"])
def test_a_disputed_fact_that_was_folded_long_ago_is_restated(world: AgeingWorld, *, gone: bool) -> None:
    dispute(world)
    world.clock.at += 90 * DAY_S
    if gone:
        world.ttl()
    [remedy] = world.repaired().remedies
    assert (remedy.difference.kind, remedy.action) == (Cause.ALTERED, RepairAction.RESTATE)
    assert world.tables.facts[ONE.identity].activity == ONE
    world.ttl()
    world.deliver_all_again()
    assert world.wrong() == {}


def test_a_disputed_fact_that_may_still_be_folded_is_waited_for(world: AgeingWorld) -> None:
    dispute(world)
    world.clock.at += HORIZON_S - 60
    world.folds.entries.pop("\n".join(ONE.identity))  # as nobody but a person could have it
    assert [one.action for one in world.repaired().remedies] == [RepairAction.WAIT]
    world.clock.at += 61
    assert [one.action for one in world.repaired().remedies] == [RepairAction.RESTATE]


@pytest.mark.parametrize(("days", "call"), [(0, ""), (39, ""), (41, ""), (41, "close"), (41, "put")])
def test_a_fact_that_is_put_back_is_not_folded_again_whenever_ttl_deletes_its_entry(
    world: AgeingWorld, days: int, call: str
) -> None:
    world.accept_now(ONE)
    world.clock.at += days * DAY_S
    world.system.world.delete_fact(ONE.identity)
    world.captured.discard(ONE.identity)
    [remedy] = world.repaired({call: world.ttl}).remedies
    assert (remedy.difference.kind, remedy.action) == (Cause.LOST, RepairAction.RESTORE)
    for _ in range(16):
        world.ttl()
        world.work()
        world.deliver_all_again()
        assert world.wrong() == {}
        world.clock.at += DAY_S
    assert world.repaired().remedies == []


@pytest.mark.parametrize("days", [39, 41])
def test_what_a_reconcile_puts_again_is_not_folded_again_when_its_old_entry_goes(
    world: AgeingWorld, days: int
) -> None:
    world.accept_now(ONE)
    world.clock.at += days * DAY_S
    world.system.world.delete_fact(ONE.identity)
    world.captured.discard(ONE.identity)
    job = world.repair(world.store(world.folder / "reconcile")).reconcile
    assert job is not None
    list(job.act(job.look(TimeWindow(), timedelta(minutes=15)), 1e6))
    assert world.tables.facts[ONE.identity].side is Side.LEGACY
    for _ in range(16):
        world.work()
        world.deliver_all_again()
        assert world.wrong() == {}
        world.clock.at += DAY_S
        world.ttl()


def put_again(world: AgeingWorld) -> None:
    """Put the fact again as an earlier version of the repair did: its old entry is about to go."""
    world.clock.at += 39 * DAY_S
    there = replace(world.tables.facts[ONE.identity], ingested_at=moment_text(world.clock.now()))
    world.tables.facts[ONE.identity] = there
    world.sent.append(there)


def test_a_compensated_row_is_not_added_to_again_when_an_old_entry_goes(world: AgeingWorld) -> None:
    world.accept_now(ONE)
    put_again(world)
    world.system.fold(ONE, times=-1)
    assert [one.action for one in world.repaired().remedies] == [RepairAction.COMPENSATE]
    world.clock.at += 2 * DAY_S
    world.ttl()
    world.deliver_all_again()
    assert world.wrong() == {}


def test_a_restated_fact_is_not_folded_again_as_it_was_when_an_old_entry_goes(world: AgeingWorld) -> None:
    dispute(world)
    put_again(world)
    assert [one.action for one in world.repaired().remedies] == [RepairAction.RESTATE]
    world.clock.at += 2 * DAY_S
    world.ttl()
    world.deliver_all_again()
    assert world.wrong() == {}
