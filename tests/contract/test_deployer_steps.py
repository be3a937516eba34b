"""What the deployer does to resources, on things: create, update, replace, delete, and when it must not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migration.local.deployer.deployment import Deployment
from migration.local.deployer.errors import ProgramError, ProtectedError, UnknownTypeError
from migration.local.deployer.plan import StepKind
from migration.local.deployer.resources import TYPES
from migration.model.errors import UsageError
from tests.contract.deployer_things import NOWHERE, Thing, thing

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.deployer_things import Yard

pytest_plugins = ("tests.contract.deployer_yard",)


def test_what_is_wanted_is_made_after_what_it_uses_and_its_outputs_are_given(yard: Yard) -> None:
    outputs = yard.up(thing("b"), thing("a", uses="b"))

    assert yard.warehouse.calls == ["create b", "create a"]
    assert yard.warehouse.things["a"]["uses"] == yard.warehouse.things["b"]["serial"]
    assert dict(outputs) == {"a": "serial-2", "b": "serial-1"}


def test_a_second_deployment_changes_nothing_and_gives_the_same_outputs(yard: Yard) -> None:
    first = yard.up(thing("a"), thing("b", uses="a"))
    calls, stored = len(yard.warehouse.calls), yard.state_file.read_bytes()

    assert yard.preview(thing("a"), thing("b", uses="a")) == []
    assert yard.up(thing("a"), thing("b", uses="a")) == first
    assert yard.warehouse.since(calls) == []
    assert yard.state_file.read_bytes() == stored


def test_a_changed_input_is_an_update_in_place(yard: Yard) -> None:
    yard.up(thing("a", inputs={"size": 1}), thing("b"))

    assert yard.steps(thing("a", inputs={"size": 2}), thing("b")) == ["update a"]
    assert yard.warehouse.things["a"] == {"name": "a", "size": 2, "serial": "serial-1"}


def test_a_replaced_thing_with_the_same_name_is_deleted_first(yard: Yard) -> None:
    yard.up(thing("a", inputs={"kind": "x"}), thing("b", uses="a"))
    calls = len(yard.warehouse.calls)

    assert yard.steps(thing("a", inputs={"kind": "y"}), thing("b", uses="a")) == ["replace a", "update b"]
    assert yard.warehouse.since(calls) == ["delete a", "create a", "update b"]


def test_a_replaced_thing_without_a_name_of_its_own_is_deleted_last(yard: Yard) -> None:
    unnamed = {"name": "a", "inputs": {"kind": "x"}}
    yard.up(unnamed, thing("b", uses="a"))
    (first,) = [name for name in yard.warehouse.things if name != "b"]
    calls = len(yard.warehouse.calls)

    yard.up({"name": "a", "inputs": {"kind": "y"}}, thing("b", uses="a"))

    (second,) = [name for name in yard.warehouse.things if name != "b"]
    assert first.startswith("a-")
    assert second.startswith("a-")
    assert yard.warehouse.since(calls) == [f"create {second}", "update b", f"delete {first}"]


def test_delete_before_replace_is_honoured(yard: Yard) -> None:
    options = {"delete_before_replace": True}
    yard.up({"name": "a", "inputs": {"kind": "x"}, "options": options})

    yard.up({"name": "a", "inputs": {"kind": "y"}, "options": options})

    assert [call.split()[0] for call in yard.warehouse.calls] == ["create", "delete", "create"]


def test_replace_on_changes_replaces_what_could_be_updated(yard: Yard) -> None:
    options = {"replace_on_changes": ["size"]}
    yard.up(thing("a", inputs={"size": 1}, options=options))

    assert yard.steps(thing("a", inputs={"size": 2}, options=options)) == ["replace a"]


def test_a_made_up_name_stays_for_good(yard: Yard) -> None:
    yard.up({"name": "a", "inputs": {"size": 1}})

    assert yard.steps({"name": "a", "inputs": {"size": 2}}) == ["update a"]
    assert len(yard.warehouse.things) == 1


def test_what_is_no_longer_wanted_is_deleted_last_and_dependents_first(yard: Yard) -> None:
    yard.up(thing("a"), thing("b", uses="a"), thing("c", uses="b"), thing("kept"))
    calls = len(yard.warehouse.calls)

    yard.up(thing("kept", inputs={"size": 1}))

    assert yard.warehouse.since(calls) == ["update kept", "delete c", "delete b", "delete a"]
    assert set(yard.warehouse.things) == {"kept"}


def test_children_are_deleted_before_their_component_and_components_are_nothing_in_aws(yard: Yard) -> None:
    yard.up(thing("a", group="g"), thing("b", group="g"))

    assert yard.steps() == ["delete b", "delete a", "delete g"]
    assert yard.warehouse.things == {}


def test_ignored_changes_keep_what_was_deployed_also_deep_inside(yard: Yard) -> None:
    options = {"ignore_changes": ["size", "tags.owner", "parts[0].size"]}
    before = {"size": 1, "tags": {"owner": "x", "team": "t"}, "parts": [{"size": 1}, {"size": 2}]}
    after = {"size": 9, "tags": {"owner": "y", "team": "u"}, "parts": [{"size": 9}, {"size": 9}]}
    yard.up(thing("a", inputs=before, options=options))

    yard.up(thing("a", inputs=after, options=options))

    made = yard.warehouse.things["a"]
    assert made["size"] == 1
    assert made["tags"] == {"owner": "x", "team": "u"}
    assert made["parts"] == [{"size": 1}, {"size": 9}]


def test_a_renamed_resource_with_an_alias_is_not_touched(yard: Yard) -> None:
    yard.up(thing("a"))
    old = "urn:pulumi:test::yard::test:index:Thing::a"
    renamed = {"name": "b", "inputs": {"name": "a"}, "options": {"aliases": [old]}}
    calls = len(yard.warehouse.calls)

    assert yard.steps(renamed) == []
    assert yard.warehouse.since(calls) == []
    assert [item["name"] for item in yard.state["resources"]] == ["b"]


@pytest.mark.parametrize("after", [[], [thing("a", inputs={"kind": "y"}, options={"protect": True})]])
def test_a_protected_thing_is_neither_deleted_nor_replaced(
    yard: Yard, after: list[dict[str, object]]
) -> None:
    yard.up(thing("a", inputs={"kind": "x"}, options={"protect": True}), thing("b"))
    calls = len(yard.warehouse.calls)

    assert [step.name for step in yard.deployment(*after).preview().blocked] == ["a"]
    with pytest.raises(ProtectedError, match="test:index:Thing a"):
        yard.up(*after)
    assert yard.warehouse.since(calls) == []


def test_destroy_refuses_protected_things_before_it_deletes_anything(yard: Yard) -> None:
    wanted = thing("a", options={"protect": True}), thing("b")
    yard.up(*wanted)

    with pytest.raises(ProtectedError):
        yard.deployment(*wanted).destroy()

    assert set(yard.warehouse.things) == {"a", "b"}
    yard.up(thing("a"), thing("b"))
    yard.deployment(*wanted).destroy()
    assert yard.warehouse.things == {}


def test_a_retained_thing_is_forgotten_and_stays(yard: Yard) -> None:
    yard.up(thing("a", options={"retain_on_delete": True}), thing("b"))

    (kept,) = [step for step in yard.deployment(thing("b")).preview().steps if step.name == "a"]
    assert kept.note == "stays in AWS"
    yard.up(thing("b"))

    assert set(yard.warehouse.things) == {"a", "b"}
    assert [item["name"] for item in yard.state["resources"]] == ["b"]


def test_destroy_deletes_everything_and_the_outputs(yard: Yard) -> None:
    deployment = yard.deployment(thing("a"), thing("b", uses="a"))
    deployment.up()
    calls = len(yard.warehouse.calls)

    deployment.destroy()

    assert yard.warehouse.since(calls) == ["delete b", "delete a"]
    assert dict(deployment.outputs()) == {}
    deployment.destroy()


def test_a_thing_that_aws_has_lost_is_made_again(yard: Yard) -> None:
    yard.up(thing("a"), thing("b", uses="a"))
    del yard.warehouse.things["a"]

    (lost,) = [
        step for step in yard.deployment(thing("a"), thing("b", uses="a")).preview().steps if step.note
    ]
    assert lost.note == "AWS no longer has it"
    assert yard.steps(thing("a"), thing("b", uses="a")) == ["create a", "update b"]


def test_a_thing_that_somebody_else_made_is_not_taken_over(yard: Yard) -> None:
    yard.warehouse.things["a"] = {"serial": "theirs"}

    with pytest.raises(Exception, match="could not create test:index:Thing 'a': a exists"):
        yard.up(thing("a"))

    assert yard.warehouse.things == {"a": {"serial": "theirs"}}


def test_a_failing_program_deletes_nothing_and_says_why(yard: Yard) -> None:
    yard.up(thing("a"), thing("b"))

    with pytest.raises(ProgramError, match="RuntimeError: the program is broken"):
        yard.up(thing("a"), broken="true")

    assert set(yard.warehouse.things) == {"a", "b"}


def test_an_unknown_type_is_named(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(TYPES, Thing.type)

    with pytest.raises(UnknownTypeError, match="test:index:Thing"):
        yard.up(thing("a"))


def test_an_explicit_provider_is_nothing_in_aws(yard: Yard, tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text(
        "import pulumi\n"
        "provider = pulumi.ProviderResource('test', 'p', {'region': 'x'})\n"
        "pulumi.CustomResource('test:index:Thing', 'a', {'name': 'a'},"
        " pulumi.ResourceOptions(provider=provider))\n"
    )
    deployment = Deployment(tmp_path, "yard", "test", {}, NOWHERE, yard.state_file)
    deployment.up()
    assert deployment.preview().changes_nothing
    assert deployment.preview().counts == {StepKind.SAME: 1}

    deployment.destroy()

    assert yard.warehouse.calls == ["create a", "delete a"]


def test_two_resources_with_one_name_are_refused(yard: Yard) -> None:
    with pytest.raises(ProgramError, match="two resources are named"):
        yard.up(thing("a"), thing("a"))


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://sqs.us-east-1.amazonaws.com",
        "http://10.0.0.1:4566",
        "http://localhost.example.com",
        "nonsense",
    ],
)
def test_only_this_machine_is_ever_reached(yard: Yard, endpoint: str) -> None:
    deployment = yard.deployment()
    with pytest.raises(UsageError, match="loopback"):
        type(deployment)(deployment.root, "yard", "test", {}, endpoint, yard.state_file)
