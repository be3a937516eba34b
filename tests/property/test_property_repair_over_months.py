"""Months pass, TTL deletes and messages come again between any two calls of a repair: every fact counts once.

Judged by the definition: what a row holds is the fold of the facts that are there, and these are what legacy
has. A message is folded when its fact is young enough and has no entry; TTL deletes an entry that is past its
time whenever it likes.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from migration.model.facts import Lane
from migration.model.moments import moment_text
from tests.backfill_world import Budget, CrashError
from tests.repair_ageing import DAY_S, AgeingWorld
from tests.verify_world import activities, activity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from migration.model.fold import Activity

pytestmark = pytest.mark.slow
ALL = activities(6, 3, 2)
MOST_RUNS = 6


def fact_gone(world: AgeingWorld, one: Activity) -> None:
    world.system.world.delete_fact(one.identity)
    world.captured.discard(one.identity)


def disputed(world: AgeingWorld, one: Activity) -> None:
    world.tables.events[one.identity] = activity(
        int(one.event_id[3:]), int(one.employee_id[4:]), int(one.program_id[5:]), one.points + 20
    )
    for row, fold in world.tables.legacy_rows.items():
        if row.program_id == one.program_id and row.employee_id in (None, one.employee_id):
            world.tables.legacy_rows[row] = type(fold)(fold.points + 20, fold.events)


def not_counted(world: AgeingWorld, one: Activity) -> None:
    world.system.fold(one, times=-1)


def counted_twice(world: AgeingWorld, one: Activity) -> None:
    world.system.fold(one)


DAMAGES = (fact_gone, disputed, not_counted, counted_twice)


@dataclass
class Nuisance(Budget):
    """Before each half of a call: nothing, or TTL, or messages again, or a day; then it may die."""

    world: AgeingWorld = field(kw_only=True)
    happens: Iterator[str] = field(kw_only=True)

    def spend(self) -> None:
        match next(self.happens, ""):
            case "ttl":
                self.world.ttl()
            case "again":
                self.world.deliver_all_again()
            case "day":
                self.world.clock.at += DAY_S
        super().spend()


happenings = st.lists(st.sampled_from(["", "", "ttl", "again", "day"]), max_size=60)
damages = st.lists(
    st.tuples(st.sampled_from(DAMAGES), st.sampled_from(ALL)),
    min_size=1,
    max_size=2,
    unique_by=lambda one: one[1].employee_id,
)


@pytest.fixture
def begun(tmp_path: Path) -> Callable[[], AgeingWorld]:
    folders = count()

    def begin() -> AgeingWorld:
        world = AgeingWorld(folder=tmp_path / str(next(folders)))
        for one in ALL:
            world.accept_now(one)
        return world

    return begin


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    age=st.sampled_from([0, 10, 14, 16, 30, 39, 41, 90]),
    chosen=damages,
    runs=st.lists(st.tuples(happenings, st.none() | st.integers(0, 60)), min_size=1, max_size=3),
    after=st.sampled_from([0, 1, 14]),
)
@example(age=39, chosen=[(fact_gone, ALL[1])], runs=[(["", "day", "day", "ttl"], None)], after=1)
@example(age=90, chosen=[(disputed, ALL[1])], runs=[([], None)], after=0)
def test_whatever_ttl_deletes_meanwhile_every_fact_counts_once(
    begun: Callable[[], AgeingWorld],
    age: int,
    chosen: Sequence[tuple[Callable[[AgeingWorld, Activity], None], Activity]],
    runs: Sequence[tuple[list[str], int | None]],
    after: int,
) -> None:
    world = begun()
    world.clock.at += age * DAY_S
    for damage, one in chosen:
        damage(world, one)
    for happens, lives in runs:
        with suppress(CrashError):
            world.repaired(budget=Nuisance(lives, world=world, happens=iter(happens)))
    for _ in range(MOST_RUNS):
        if not world.repaired().remedies:
            break
    else:
        raise AssertionError("it is never done")
    event(f"age {age}: {', '.join(damage.__name__ for damage, _ in chosen)}")
    for _ in range(after + 1):
        assert {
            identity: fact.activity for identity, fact in world.tables.facts.items()
        } == world.tables.events
        assert world.wrong() == {}
        world.clock.at += DAY_S
        world.ttl()
        world.deliver_all_again()
    assert world.wrong() == {}
    assert {fact.lane for fact in world.tables.facts.values()} == {Lane.LIVE}
    assert world.tables.facts.keys() <= {fact.activity.identity for fact in world.sent}
    assert all(fact.ingested_at <= moment_text(world.clock.now()) for fact in world.sent)
