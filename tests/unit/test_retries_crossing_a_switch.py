"""A retry that meets another side than the first try: both sides get the activity, and nobody reconciles."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from migration.model.facts import Lane
from migration.model.side import Side
from migration.model.stages import FULL_WEIGHT, Control, Stage
from tests.backfill_world import Fate, activity
from tests.migration_world import Account, Door, Request, deployed, post
from tests.steered import Process

if TYPE_CHECKING:
    from collections.abc import Iterator

ONE = activity(1)
MIRRORED_AND_FAILED = [Fate.DONE, Fate.DONE, Fate.LOST]  # the stage, the mirror's put, legacy's put
TAKING = [Control(Stage.RAMPDOWN, epoch=2), Control(Stage.LIVE, FULL_WEIGHT, 0, epoch=2)]


@pytest.fixture
def account() -> Iterator[Account]:
    account = Account()
    account.move_to(Control(Stage.DUALWRITE, epoch=1))
    with deployed():
        yield account


def send(account: Account, door: Door, fates: list[Fate] | None = None) -> int | None:
    request = Request(ONE, door, account.clock.at + 15)
    process = Process(partial(post, request), fates or [])
    process.finish()
    if process.error is not None:
        raise process.error
    return request.status


def switch(account: Account, control: Control) -> None:
    account.clock.at += 5
    account.move_to(control)
    account.clock.at += 3


def deliver(account: Account) -> None:
    account.capture()
    for queue, function in (
        (account.queue, account.aggregate),
        (account.mirror_queue, account.mirror_back),
    ):
        records = queue.receive(list(range(len(queue.messages))))
        last = Process(lambda _, q=queue, f=function, r=records: q.settle(r, f(r)))  # type: ignore[misc]
        last.finish()
        assert last.error is None
        assert queue.messages == {}


@pytest.mark.parametrize("control", TAKING)
@pytest.mark.parametrize("delivered_before", [True, False])
def test_what_the_pipeline_accepts_again_reaches_legacy(
    account: Account, control: Control, *, delivered_before: bool
) -> None:
    door = Door(account)
    assert send(account, door, MIRRORED_AND_FAILED) == 503
    assert account.legacy.events == {}
    if delivered_before:
        deliver(account)
    switch(account, control)
    assert send(account, door) == 202
    deliver(account)
    fact = account.facts.by_identity[ONE.identity]
    assert (fact.side, fact.lane) == (Side.PIPELINE, Lane.LIVE)
    assert account.legacy.events == {ONE.identity: ONE}
    assert account.legacy.applied[ONE.identity] == 1
    assert account.counted[ONE.identity] == 0
    assert {fold.events for fold in account.live_rows().values()} == {1}, "it is not folded again"


@pytest.mark.parametrize("end", [Fate.LOST, Fate.UNANSWERED])
def test_what_is_not_known_to_be_handed_over_is_sent_again(account: Account, end: Fate) -> None:
    door = Door(account)
    send(account, door, MIRRORED_AND_FAILED)
    switch(account, TAKING[0])
    assert send(account, door, [Fate.DONE, Fate.DONE, end]) == 503
    assert send(account, door) == 202
    deliver(account)
    assert account.legacy.events == {ONE.identity: ONE}
    assert account.legacy.applied[ONE.identity] == 1


def test_what_legacy_has_by_itself_is_not_applied_again(account: Account) -> None:
    door = Door(account)
    assert send(account, door) == 202
    switch(account, TAKING[0])
    assert send(account, door) == 202
    deliver(account)
    assert account.legacy.applied[ONE.identity] == 0
    assert account.counted[ONE.identity] == 1
