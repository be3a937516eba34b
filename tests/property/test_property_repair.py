"""Any damage, any kill, two repairs at once, traffic beside them: a repaired row is the fold of its facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, assume, event, example, given, settings
from hypothesis import strategies as st

from migration.compare.verify.judge_rows import part_of
from migration.compare.verify.verification import Parts
from migration.model.cause import Cause
from migration.model.facts import Lane
from migration.model.fold import TOTAL, Activity, Fold, Row, fold_all, fold_of, rows_of
from migration.model.moments import moment_text
from tests.backfill_world import Budget, CrashError
from tests.repair_world import RepairWorld
from tests.verify_world import activities, activity

if TYPE_CHECKING:
    from pathlib import Path

    from migration.aws.bulk.side_store import DuckDBStore
    from migration.compare.verify.verification import VerifyReport
    from migration.repair.repair import Repair

Damage = tuple[Callable[[RepairWorld, Activity], None], Activity]
ALL = activities()
MOST_RUNS = 6
pytestmark = pytest.mark.slow


def lane_of(one: Activity) -> Lane:
    return Lane.HISTORY if ALL.index(one) % 3 == 0 else Lane.LIVE


def healthy() -> RepairWorld:
    world = RepairWorld()
    for one in ALL:
        world.accept(one, lane_of(one))
    return world


def lost(world: RepairWorld, one: Activity) -> None:
    if lane_of(one) is Lane.LIVE:
        world.folds.entries.pop("\n".join(one.identity), None)
    world.system.fold(one, lane_of(one), times=-1)


def unfolded(world: RepairWorld, one: Activity) -> None:
    world.system.fold(one, lane_of(one), times=-1)


def doubled(world: RepairWorld, one: Activity) -> None:
    world.system.fold(one, lane_of(one))


def tripled(world: RepairWorld, one: Activity) -> None:
    world.system.fold(one, times=2)


def in_both_lanes(world: RepairWorld, one: Activity) -> None:
    world.system.fold(one, Lane.LIVE if lane_of(one) is Lane.HISTORY else Lane.HISTORY)


def partly(world: RepairWorld, one: Activity) -> None:
    world.system.add(Row(one.employee_id, TOTAL), fold_of(one) * -1, lane_of(one))


def only_in_its_program(world: RepairWorld, one: Activity) -> None:
    world.system.add(Row(None, one.program_id), fold_of(one), lane_of(one))


def misplaced(world: RepairWorld, one: Activity) -> None:
    world.system.add(Row(one.employee_id, one.program_id), fold_of(one) * -1, lane_of(one))
    world.system.add(Row("nobody", one.program_id), fold_of(one), lane_of(one))


def altered(world: RepairWorld, one: Activity) -> None:
    for row in rows_of(one):
        world.system.add(row, Fold(points=7), lane_of(one))


def fact_gone(world: RepairWorld, one: Activity) -> None:
    del world.tables.facts[one.identity]


def mirror_missed(world: RepairWorld, one: Activity) -> None:
    world.system.legacy_accepts(activity(1000 + ALL.index(one)))


DAMAGES = (
    lost,
    unfolded,
    doubled,
    tripled,
    in_both_lanes,
    partly,
    only_in_its_program,
    misplaced,
    altered,
    fact_gone,
    mirror_missed,
)
OF_ROWS = (unfolded, doubled, tripled, in_both_lanes, partly, only_in_its_program, misplaced, altered)


def some_of(
    kinds: Sequence[Callable[[RepairWorld, Activity], None]],
) -> st.SearchStrategy[list[Damage]]:
    one = st.tuples(st.sampled_from(kinds), st.sampled_from(ALL))
    return st.lists(one, min_size=1, max_size=3, unique_by=lambda one: one[1])


damages, damages_of_rows = some_of(DAMAGES), some_of(OF_ROWS)


@dataclass
class Account:
    """A healthy system that was damaged, with room for verifications, and traffic that goes on."""

    folder: Path
    chosen: Sequence[Damage]
    world: RepairWorld = field(default_factory=healthy)
    numbers: Iterator[int] = field(default_factory=lambda: count(2000))

    def __post_init__(self) -> None:
        for break_it, one in self.chosen:
            break_it(self.world, one)

    def begin(self, budget: Budget | None = None) -> tuple[Repair, DuckDBStore]:
        store = self.world.store(self.folder / str(next(self.numbers)))
        return self.world.repair(store, budget), store

    def repair(self, budget: Budget | None = None, meanwhile: Callable[[], None] = lambda: None) -> None:
        job, store = self.begin(budget)
        try:
            deeds = []
            for deed in job.act(job.look()):
                deeds.append(deed)
                meanwhile()
            job.after(deeds)
        finally:
            store.close(keep=False)

    def traffic(self) -> None:
        """Clients go on, with an employee and a program that are damaged, and the live lane folds."""
        _, broken = self.chosen[0]
        one = replace(broken, event_id=f"ev-{next(self.numbers)}", points=3)
        self.world.system.legacy_accepts(one)
        self.world.system.store(one, at=moment_text(self.world.clock.now()))
        self.world.work()

    def verified(self) -> VerifyReport:
        self.world.clock.sleep(60)
        return self.world.verify(self.folder / "verify")

    def told_apart(self) -> bool:
        """Whether every difference is named: several damages of one row can be too many to name."""
        return not any(
            one.kind is Cause.UNEXPLAINED or (one.kind is Cause.ALTERED and not one.off)
            for one in self.verified().differences
        )

    def until_clean(self) -> None:
        for _ in range(MOST_RUNS):
            self.repair()
            if self.verified().clean:
                return
        raise AssertionError(self.verified().differences)

    def wrong(self) -> dict[tuple[Row, Lane], Fold]:
        """What each part of each row is off the fold of its facts, by the definition."""
        facts = list(self.world.tables.facts.values())
        held = self.world.tables.rows
        off = {}
        for lane in Lane:
            due = fold_all(fact.activity for fact in facts if fact.lane is lane)
            for row in due.keys() | held.keys():
                difference = part_of(held.get(row, Parts()), lane) - due.get(row, Fold())
                if difference != Fold():
                    off[row, lane] = difference
        return off


@pytest.fixture
def account(tmp_path: Path) -> Callable[[Sequence[Damage]], Account]:
    folders = count()
    return lambda chosen: Account(tmp_path / str(next(folders)), chosen)


Accounts = Callable[[Sequence[Damage]], Account]
few = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)


@few
@given(chosen=damages)
@example(  # the restored fact keeps the program's row from being judged at once
    chosen=[(unfolded, ALL[19]), (only_in_its_program, ALL[7]), (fact_gone, ALL[1])]
)
def test_any_damage_is_repaired_or_left_and_nothing_else_changes(
    account: Accounts, chosen: Sequence[Damage]
) -> None:
    one = account(chosen)
    legacy, wrong, named = dict(one.world.tables.legacy_rows), one.wrong(), one.told_apart()
    facts = dict(one.world.tables.facts)
    one.repair()
    assert one.wrong().keys() <= wrong.keys(), "a right row stays right"
    assert facts.items() <= one.world.tables.facts.items(), "no fact is rewritten"
    assert one.world.tables.legacy_rows == legacy
    event(f"named: {named}")
    if named:
        one.until_clean()
        assert not one.wrong()
        was = one.world.snapshot()
        one.repair()
        assert one.world.snapshot() == was


@few
@given(chosen=damages, lives=st.lists(st.integers(0, 70), min_size=1, max_size=3))
@example(  # dies when employees' rows are right, and their program's lacked both events
    chosen=[(unfolded, ALL[8]), (unfolded, ALL[14]), (misplaced, ALL[1])],
    lives=[51],
)
def test_a_repair_killed_at_any_call_beside_traffic_is_finished_by_the_next(
    account: Accounts, chosen: Sequence[Damage], lives: Sequence[int]
) -> None:
    one = account(chosen)
    assume(one.told_apart())
    for half_calls in lives:
        with suppress(CrashError):
            one.repair(Budget(half_calls), one.traffic)
    one.until_clean()
    assert not one.wrong()


@few
@given(chosen=damages_of_rows, turns=st.lists(st.booleans(), max_size=30))
@example(chosen=[(altered, ALL[0]), (altered, ALL[9])], turns=[])  # one program, by both of them
def test_two_repairs_at_once_repair_each_row_once(
    account: Accounts, chosen: Sequence[Damage], turns: Sequence[bool]
) -> None:
    one = account(chosen)
    assume(one.told_apart())
    wrong = one.wrong()
    both = [one.begin() for _ in range(2)]
    acting = [job.act(job.look()) for job, _ in both]
    for turn in turns:
        next(acting[turn], None)
    for rest in acting:
        list(rest)
    for _, store in both:
        store.close(keep=False)
    assert one.wrong().items() <= wrong.items(), "each part is right, or as it was"
    one.until_clean()
    assert not one.wrong()
