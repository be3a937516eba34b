"""DynamoDB refuses what meets another's transaction: the control table's writers try again."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from migration.aws.tables.checkpoint_table import CheckpointTable
from migration.aws.tables.control_plane_table import ControlPlaneTable
from migration.aws.transport.patience import PAUSES_S
from migration.cutover.mover import Moved, Mover
from migration.model.backfill import Pulse
from migration.model.errors import RemoteError
from migration.model.journal import EntryKind
from migration.model.stages import Control, Stage
from migration.model.state import Lease, State
from tests.contract.test_control_plane_ports import entry, table
from tests.doubles.clock import MemoryClock
from tests.doubles.hooks import MemoryHooks, MemoryNotices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def cancelled(*reasons: str) -> ClientError:
    listed = [{"Code": one} for one in reasons]
    answer: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": listed}
    return ClientError(answer, "TransactWriteItems")


def plain(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "PutItem")


class World:
    """A control table that refuses so many writes."""

    def __init__(self) -> None:
        self.client: Any = boto3.client("dynamodb", region_name="us-east-1")
        there = table(self.client, "control")
        self.clock = MemoryClock()
        self.plane = ControlPlaneTable(self.client, there.table, there.migration, self.clock)
        self.checkpoints = CheckpointTable(self.client, there.table, there.migration, self.clock)
        self.refusals: list[ClientError] = []
        client: Any = self.client
        real = client._make_api_call

        def call(operation: str, arguments: Any) -> Any:
            if operation in ("TransactWriteItems", "PutItem") and self.refusals:
                raise self.refusals.pop(0)
            return real(operation, arguments)

        client._make_api_call = call

    def mover(self) -> Mover:
        tokens = count()
        token: Callable[[], str] = lambda: f"{next(tokens):04x}"  # noqa: E731 - as a caller has it
        return Mover("m", self.plane, self.clock, token, "ana", "", MemoryHooks(), MemoryNotices())


@pytest.fixture
def world() -> Iterator[World]:
    with mock_aws():
        yield World()


@pytest.mark.parametrize(
    "refusal",
    [
        cancelled("TransactionConflict", "None"),
        cancelled("None", "ThrottlingError"),
        cancelled("ProvisionedThroughputExceeded", "TransactionConflict"),
        plain("ThrottlingException"),
        plain("TransactionInProgressException"),
    ],
    ids=str,
)
def test_a_rollback_that_meets_others_is_done(world: World, refusal: ClientError) -> None:
    mover, state = world.mover(), State()
    for stage, weight in ((Stage.DUALWRITE, 0), (Stage.SHADOW, 0), (Stage.LIVE, 5_000)):
        world.clock.sleep(1)
        state = mover.forward(state, state.moved(stage, weight, weight), "t", "t", None)
    world.refusals = [refusal] * 5
    went = mover.back(Control(Stage.SHADOW), "breach", "rollback")
    assert isinstance(went, Moved)
    assert world.plane.state() == went.state
    assert [one.epoch for one in world.plane.journal() if one.kind is EntryKind.DONE] == [1, 2, 3, 4]


def test_every_writer_of_the_control_table_tries_again(world: World) -> None:
    refusals = [plain("TransactionConflictException"), plain("ProvisionedThroughputExceededException")]
    mine = Lease("ana@desk:1", 1, 100.0)
    writes: tuple[Callable[[], object], ...] = (
        lambda: world.plane.take_lease(mine, None),
        lambda: world.plane.renew_lease(mine),
        lambda: world.plane.append(entry(1, kind=EntryKind.NOTED)),
        lambda: world.plane.restore(State(Control(Stage.SHADOW, epoch=6)), entry(2, 6), 0),
        lambda: world.checkpoints.save_pulse(Pulse("ana", 1.0, 1.0, "")),
    )
    for write in writes:
        world.refusals = list(refusals)
        assert write() in (True, None)
        assert world.refusals == []


def test_a_condition_that_does_not_hold_is_no_conflict(world: World) -> None:
    world.refusals = [cancelled("ConditionalCheckFailed", "TransactionConflict")]
    assert not world.plane.move(State().moved(Stage.DUALWRITE), entry(1), None)
    assert world.plane.state() == State()


def test_it_gives_up_after_some_seconds(world: World) -> None:
    began = world.clock.now()
    world.refusals = [cancelled("TransactionConflict")] * 100
    with pytest.raises(RemoteError, match="writing the state"):
        world.plane.move(State().moved(Stage.DUALWRITE), entry(1), None)
    assert len(world.refusals) == 100 - len(PAUSES_S) - 1
    assert 2 < world.clock.now() - began < 10
