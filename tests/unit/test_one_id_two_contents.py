"""A client uses an id of legacy's history again, through the deployed door: what is left, what settles it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from migration.model.backfill import Wish
from migration.model.cause import Cause
from migration.model.fold import NOTHING, fold_all
from migration.model.side import Side
from migration.model.stages import Control, Stage
from migration.repair.differing import TimeWindow
from migration.repair.words import RepairAction
from tests.backfill_world import Budget, CrashError, activity
from tests.migration_world import Account, Door, Request, deployed, post
from tests.steered import Process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migration.model.fold import Activity

pytestmark = pytest.mark.slow  # whole repairs, killed at every call

HISTORY = [activity(number, program=f"p-{number % 2}") for number in range(4)]
REFUSED = replace(HISTORY[1], program_id="p-0", points=77)


@pytest.fixture
def account() -> Iterator[Account]:
    account = Account()
    for one in HISTORY:
        account.legacy_takes(one)
    account.move_to(Control(Stage.DUALWRITE, epoch=1))
    with deployed():
        yield account


def send(account: Account, one: Activity) -> tuple[int | None, Door]:
    request = Request(one, Door(account), account.clock.at + 15)
    process = Process(lambda _: post(request, None))
    process.finish()
    if process.error is not None:
        raise process.error
    return request.status, request.door


def fold_what_came(account: Account) -> None:
    account.capture()
    records = account.queue.receive(list(range(len(account.queue.messages))))
    process = Process(lambda _: account.queue.settle(records, account.aggregate(records)))
    process.finish()
    assert account.queue.messages == {}


def live_sums_are_right(account: Account) -> None:
    held = {row: fold for row, fold in account.rows().items() if fold != NOTHING}
    assert held == fold_all(fact.activity for fact in account.facts.everything())


@pytest.mark.parametrize("backfilled", ["before", "after"])
def test_what_legacy_refused_is_a_fact_until_it_is_repaired(
    account: Account, tmp_path: Path, backfilled: str
) -> None:
    status, door = send(account, REFUSED)
    assert status == 409
    fold_what_came(account)
    [fact] = account.facts.everything()
    assert (fact.activity, fact.side) == (REFUSED, Side.LEGACY), "nobody was told that it is accepted"
    assert next(iter(door.counted.values())).counts.mirrored == {"MirrorContradicted": 1}
    if backfilled == "before":
        account.backfill().start(Wish(2))
        assert [problem for problem in account.told if "77 in facts" in problem]
    account.clock.at += 61
    plan = account.repair(tmp_path)
    assert [one.action for one in plan.remedies if one.restates] == [RepairAction.RESTATE]
    account.backfill().start(Wish(2, again=backfilled == "before"))
    facts = {one.activity for one in account.facts.everything()}
    assert facts == set(HISTORY)
    live_sums_are_right(account)
    if backfilled == "after":
        account.clock.at += 61
    assert account.repair(tmp_path).remedies == []
    assert send(account, REFUSED)[1].counted != {}
    assert {one.activity for one in account.facts.everything()} == set(HISTORY), "and again changes nothing"


def test_a_reconcile_names_it_and_the_command(account: Account) -> None:
    send(account, REFUSED)
    account.backfill().start(Wish(2))
    reconcile = account.reconcile()
    account.clock.at += 1_000
    [decision] = reconcile.look(TimeWindow(), timedelta(minutes=1)).decisions
    assert decision.kind is Cause.ALTERED
    assert "cutover repair" in decision.why


def test_a_repair_that_is_killed_at_every_call_settles_it(account: Account, tmp_path: Path) -> None:
    send(account, REFUSED)
    fold_what_came(account)
    account.backfill().start(Wish(2))
    account.clock.at += 61
    killed = 0
    for half_calls in range(200):
        try:
            account.repair(tmp_path, Budget(half_calls))
        except CrashError:
            killed += 1
        else:
            break
    assert killed, "before and after the transaction"
    live_sums_are_right(account)
    assert {one.activity for one in account.facts.everything()} == set(HISTORY)
    assert account.repair(tmp_path).remedies == []
