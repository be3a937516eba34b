"""The control plane's port, held to one contract in memory, and on every DynamoDB."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from migration.aws.tables.control_plane_table import ControlPlaneTable
from migration.model.errors import IntegrityError, RemoteError
from migration.model.journal import Entry, EntryKind, control_detail, control_of
from migration.model.stages import Control, Stage, read_control
from migration.model.state import Lease, State
from tests.contract.engines import ENGINES, engine, unique
from tests.doubles.control_plane import MemoryControlPlane
from tests.pipeline_aws import create_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.model.control_plane import ControlPlane

HOLDER = "ana@desk:1"


def table(client: Any, name: str) -> ControlPlaneTable:
    create_table(client, name, "migration", "record")
    return ControlPlaneTable(client, name, "activities")


@pytest.fixture(params=["memory", *ENGINES])
def plane(request: pytest.FixtureRequest) -> Iterator[ControlPlane]:
    if request.param == "memory":
        yield MemoryControlPlane()
        return
    with engine(request) as aws:
        yield table(aws.dynamodb, unique("control"))


@pytest.fixture(params=ENGINES)
def stored(request: pytest.FixtureRequest) -> Iterator[ControlPlaneTable]:
    with engine(request) as aws:
        yield table(aws.dynamodb, unique("control"))


def entry(number: int, epoch: int = 1, kind: EntryKind = EntryKind.DONE) -> Entry:
    return Entry(
        f"2026-03-01T09:30:00.{number:03}Z#abcd", kind, HOLDER, epoch, "dualwrite", "went on", {"n": [number]}
    )


def test_a_state_is_off_until_it_is_moved_and_comes_back_whole(plane: ControlPlane) -> None:
    assert plane.state() == State()
    first = entry(1)
    moved = replace(State().moved(Stage.DUALWRITE), plan="abc", entry=first.id, since=first.at)
    assert plane.move(moved, first, None)
    assert plane.state() == moved
    held = replace(moved.changed(paused="ana: é", postponed=Stage.RAMPDOWN), entry=entry(2).id)
    assert plane.move(held, entry(2, 2), None)
    assert plane.state() == held


def test_of_two_who_read_the_same_state_one_moves_it(plane: ControlPlane) -> None:
    assert plane.move(State().moved(Stage.DUALWRITE), entry(1), None)
    assert not plane.move(replace(State().moved(Stage.DUALWRITE), paused="other"), entry(2), None)
    was = plane.state()
    assert plane.move(was.changed(paused="ana"), entry(3, 2), None)
    assert not plane.move(was.changed(paused="bo"), entry(4, 2), None)
    assert plane.state().paused == "ana"
    assert [one.epoch for one in plane.journal()] == [1, 2], "a refused move leaves no entry"


def test_a_holder_that_was_replaced_cannot_act_and_rolling_back_needs_no_lease(plane: ControlPlane) -> None:
    mine = Lease(HOLDER, 1, 100.0)
    assert plane.lease() is None
    assert not plane.move(State().moved(Stage.DUALWRITE), entry(1), mine), "nobody holds it yet"
    assert plane.take_lease(mine, None)
    assert not plane.take_lease(Lease("bo@desk:2", 1, 100.0), None)
    assert plane.move(State().moved(Stage.DUALWRITE), entry(1), mine)
    theirs = Lease("bo@desk:2", 2, 200.5, "boot namespace 7")
    assert plane.take_lease(theirs, mine)
    assert plane.lease() == theirs
    assert not plane.renew_lease(replace(mine, expires_at=300.0))
    assert plane.renew_lease(replace(theirs, expires_at=300.0))
    assert not plane.move(plane.state().moved(Stage.SHADOW), entry(2, 2), mine)
    assert plane.move(plane.state().moved(Stage.OFF), entry(3, 2), None)
    assert plane.state().stage is Stage.OFF


def test_the_journal_keeps_its_order_and_is_read_from_any_point(plane: ControlPlane) -> None:
    for number in (3, 1, 2):
        plane.append(entry(number, kind=EntryKind.OBSERVED))
    plane.append(entry(2, kind=EntryKind.OBSERVED))
    assert list(plane.journal()) == [entry(number, kind=EntryKind.OBSERVED) for number in (1, 2, 3)]
    assert [one.detail["n"] for one in plane.journal(entry(1).id)] == [[2], [3]]
    assert [one.detail["n"] for one in plane.newest(2)] == [[3], [2]]


def test_a_state_is_restored_in_the_place_of_the_one_that_was_seen(
    plane: ControlPlane,
) -> None:
    assert plane.epoch() == 0
    lost = replace(State(), control=Control(Stage.SHADOW, epoch=6), entry=entry(1).id)
    assert not plane.restore(lost, entry(1, 6), 5), "there is none"
    assert plane.restore(lost, entry(1, 6), 0)
    assert (plane.state(), plane.epoch()) == (lost, 6)
    again = replace(lost, control=Control(Stage.DUALWRITE, epoch=9))
    assert not plane.restore(again, entry(2, 9), 0)
    assert plane.restore(again, entry(2, 9), 6)
    assert plane.state() == again
    assert [one.epoch for one in plane.journal()] == [6, 9], "a refused one leaves no entry"


@pytest.mark.parametrize(
    ("fields", "epoch"),
    [
        ({"stage": {"S": "shadwo"}, "epoch": {"N": "7"}}, 7),
        ({"stage": {"S": "shadow"}}, 0),
        ({"stage": {"S": "shadow"}, "epoch": {"S": "seven"}}, 0),
        ({"stage": {"N": "1"}, "epoch": {"N": "0"}}, 0),
    ],
)
def test_a_state_that_somebody_else_wrote_is_named_and_can_be_replaced(
    stored: ControlPlaneTable, fields: dict[str, Any], epoch: int
) -> None:
    key = {"migration": {"S": "activities"}, "record": {"S": "state"}}
    stored.client.put_item(TableName=stored.table, Item={**key, **fields})
    with pytest.raises(IntegrityError, match="is no state") as found:
        stored.state()
    assert found.value.next_command == "cutover doctor"
    assert stored.epoch() == epoch
    restored = replace(State(), control=Control(Stage.OFF, epoch=epoch + 1))
    assert not stored.restore(restored, entry(1), epoch + 1)
    assert stored.restore(restored, entry(1), epoch)
    assert stored.state() == restored


def test_routing_values_survive_the_journal() -> None:
    control = Control(Stage.LIVE, 100, 2_500, 7)
    assert control_of(control_detail(control)) == control


def test_the_door_reads_what_the_control_plane_writes(stored: ControlPlaneTable) -> None:
    first = replace(State(), control=Control(Stage.SHADOW)).moved(Stage.LIVE, 100, 500)
    assert stored.move(first, entry(1), None)
    key = {"migration": {"S": "activities"}, "record": {"S": "state"}}
    item = stored.client.get_item(TableName=stored.table, Key=key, ConsistentRead=True)["Item"]
    assert read_control(item) == first.control


def test_a_table_that_is_gone_is_an_error_and_no_refusal() -> None:
    with mock_aws():
        plane = ControlPlaneTable(boto3.client("dynamodb", region_name="us-east-1"), "gone", "activities")
        with pytest.raises(RemoteError, match="writing the state in gone"):
            plane.move(State().moved(Stage.DUALWRITE), entry(1), None)
