"""The traffic switch's port, held to one contract in memory, on moto and on the local AWS, and the door's."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from migration.aws.stack.alias_switch import Alias, AliasSwitch
from migration.aws.stack.door_switch import DoorSwitch
from migration.cutover.alias_weights import UNSTAMPED, Versions
from migration.cutover.traffic_switch import Foreign, LostRace, Routed, Routes
from migration.model.errors import RemoteError
from migration.model.routing import Shares, shares_of
from migration.model.stages import FULL_WEIGHT, Control, Stage
from migration.model.state import State
from tests.contract.emulator_aws import zipped
from tests.contract.engines import unique
from tests.doubles.control_plane import MemoryControlPlane
from tests.doubles.traffic_switch import MemoryTrafficSwitch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migration.cutover.traffic_switch import TrafficSwitch
    from migration.local.emulator import Emulator

REGION = "us-east-1"
TRUST = {"Version": "2012-10-17", "Statement": []}
COURSE = (
    Control(Stage.DUALWRITE, epoch=1),
    Control(Stage.SHADOW, epoch=2),
    Control(Stage.LIVE, 0, 1, epoch=3),
    Control(Stage.LIVE, 2_500, FULL_WEIGHT, epoch=4),
    Control(Stage.LIVE, FULL_WEIGHT, FULL_WEIGHT, epoch=5),
    Control(Stage.RAMPDOWN, epoch=6),
    Control(Stage.SHADOW, epoch=7),
)


@dataclass
class Yard:
    """A switch, how to turn it behind its back, and how to make it route to a third version."""

    switch: TrafficSwitch
    by_hand: Callable[[int], None]
    to_a_third: Callable[[], None]
    fences: bool = True

    def read(self) -> Routes:
        routes = self.switch.read()
        assert isinstance(routes, Routes)
        return routes


def function(client: Any, role: str) -> tuple[str, list[str]]:
    """Make a function with three versions, and the alias `live` on the first."""
    name = unique("switched")
    code = {"ZipFile": zipped({"code.py": "def handler(event, context):\n    return 1\n"})}
    client.create_function(
        FunctionName=name, Runtime="python3.13", Role=role, Handler="code.handler", Code=code
    )
    versions = []
    for number in range(3):
        changed = zipped({"code.py": f"def handler(event, context):\n    return {number}\n"})
        client.update_function_code(FunctionName=name, ZipFile=changed)
        versions.append(client.publish_version(FunctionName=name)["Version"])
    client.create_alias(FunctionName=name, Name="live", FunctionVersion=versions[0], Description="the team's")
    return name, versions


def aliases(client: Any, role: str, *, fences: bool = True) -> Yard:
    made = [function(client, role) for _ in range(2)]
    writes, reads = (Alias(name, "live", Versions(*versions[:2])) for name, versions in made)

    def by_hand(share: int) -> None:
        weights = {writes.versions.pipeline: share / FULL_WEIGHT}
        client.update_alias(
            FunctionName=writes.function, Name="live", RoutingConfig={"AdditionalVersionWeights": weights}
        )

    def to_a_third() -> None:
        client.update_alias(FunctionName=reads.function, Name="live", FunctionVersion=made[1][1][2])

    return Yard(AliasSwitch(client, "activities", writes, reads), by_hand, to_a_third, fences)


def in_memory() -> Yard:
    switch = MemoryTrafficSwitch()

    def to_a_third() -> None:
        switch.foreign = "alias f:live routes to version 3"

    return Yard(switch, lambda share: switch.set_by_hand(writes=share), to_a_third)


@pytest.fixture(params=["memory", "moto", pytest.param("local", marks=pytest.mark.slow)])
def yard(request: pytest.FixtureRequest) -> Iterator[Yard]:
    if request.param == "memory":
        yield in_memory()
    elif request.param == "moto":
        with mock_aws():
            role = boto3.client("iam", REGION).create_role(
                RoleName="r", AssumeRolePolicyDocument=json.dumps(TRUST)
            )["Role"]["Arn"]
            yield aliases(boto3.client("lambda", REGION), role, fences=False)
    else:
        emulator: Emulator = request.getfixturevalue("emulator")
        client = boto3.client("lambda", **emulator.client_arguments)
        yield aliases(client, "arn:aws:iam::000000000000:role/test")


def test_before_a_migration_everything_is_legacys_and_no_state_is_followed(yard: Yard) -> None:
    routes = yard.read()
    assert routes.shares == Shares(0, 0)
    assert routes.newest == UNSTAMPED
    assert not routes.follow(Control())


def test_it_follows_every_state_of_a_course_forward_and_back(yard: Yard) -> None:
    for control in COURSE:
        assert yard.switch.apply(control, yard.read()) == Routed()
        routes = yard.read()
        assert routes.shares == shares_of(control)
        assert routes.follow(control)
        assert not routes.follow(replace(control, epoch=control.epoch + 1))


def test_applying_again_changes_nothing(yard: Yard) -> None:
    yard.switch.apply(COURSE[3], yard.read())
    before = yard.read()
    assert yard.switch.apply(COURSE[3], before) == Routed()
    assert yard.read() == before


def test_who_read_before_another_applied_loses_the_race_also_where_no_share_changed(yard: Yard) -> None:
    if not yard.fences:
        pytest.skip("moto keeps one revision for ever, and compares none")
    stale = yard.read()
    assert yard.switch.apply(COURSE[1], yard.read()) == Routed()
    assert yard.read().shares == stale.shares
    assert isinstance(yard.switch.apply(COURSE[3], stale), LostRace)
    assert yard.read().follow(COURSE[1])


def test_of_two_parts_the_one_that_somebody_set_is_left_alone(yard: Yard) -> None:
    if not yard.fences:
        pytest.skip("moto keeps one revision for ever, and compares none")
    yard.switch.apply(COURSE[2], yard.read())
    seen = yard.read()
    yard.by_hand(7_000)
    assert isinstance(yard.switch.apply(COURSE[5], seen), LostRace)
    assert yard.read().shares == Shares(7_000, FULL_WEIGHT)
    assert yard.switch.apply(COURSE[5], yard.read()) == Routed()
    assert yard.read().follow(COURSE[5])


def test_what_somebody_set_is_read_and_set_back(yard: Yard) -> None:
    yard.switch.apply(COURSE[2], yard.read())
    yard.by_hand(7_000)
    assert yard.read().writes.share == 7_000
    assert not yard.read().follow(COURSE[2])
    assert yard.switch.apply(COURSE[2], yard.read()) == Routed()
    assert yard.read().follow(COURSE[2])


def test_a_version_that_is_neither_side_is_named(yard: Yard) -> None:
    yard.to_a_third()
    found = yard.switch.read()
    assert isinstance(found, Foreign)
    assert "version 3" in found.why


def test_the_door_routes_by_the_state_itself() -> None:
    plane = MemoryControlPlane(State(COURSE[3]))
    switch = DoorSwitch(plane)
    routes = switch.read()
    assert routes.follow(COURSE[3])
    assert switch.apply(COURSE[3], routes) == Routed()
    plane.current = State(COURSE[4])
    assert isinstance(switch.apply(COURSE[3], routes), LostRace)


class Scripted:
    """Lambda's answers to updates, and what it was asked."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.asked: list[dict[str, Any]] = []

    def get_alias(self, **_: str) -> dict[str, Any]:
        return {"FunctionVersion": "1", "Description": "the team's", "RevisionId": "r-7"}

    def update_alias(self, **arguments: Any) -> None:
        self.asked.append(arguments)
        answer: Any = {"Error": {"Code": self.code, "Message": "no"}}
        raise ClientError(answer, "UpdateAlias")


def scripted(code: str) -> tuple[AliasSwitch, Scripted]:
    client: Any = Scripted(code)
    sides = Versions("1", "2")
    return AliasSwitch(client, "activities", Alias("w", "live", sides), Alias("r", "live", sides)), client


def test_an_update_names_the_revision_that_was_read_clears_weights_and_is_stamped() -> None:
    switch, client = scripted("PreconditionFailedException")
    seen = switch.read()
    assert isinstance(seen, Routes)
    lost = switch.apply(Control(Stage.RAMPDOWN, epoch=6), seen)
    assert isinstance(lost, LostRace)
    assert lost.why == "somebody else updated w:live, r:live"
    assert client.asked[0] == {
        "FunctionName": "w",
        "Name": "live",
        "FunctionVersion": "2",
        "RoutingConfig": {"AdditionalVersionWeights": {}},
        "Description": "cutover activities, epoch 6",
        "RevisionId": "r-7",
    }


def test_another_failure_is_no_lost_race() -> None:
    switch, _ = scripted("ResourceConflictException")
    seen = switch.read()
    assert isinstance(seen, Routes)
    with pytest.raises(RemoteError, match="updating alias w:live"):
        switch.apply(Control(Stage.RAMPDOWN, epoch=6), seen)
