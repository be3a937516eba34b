"""Deployments that fail or are killed midway: nothing is forgotten, and the same command goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from migration.local.deployer.deployment import Deployment
from migration.local.deployer.errors import StateError, StepFailedError, UnreachableError
from migration.local.deployer.state import ResourceState, StateFile, deletion_order
from tests.contract.deployer_things import NOWHERE, Killed, thing

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.deployer_things import Yard

pytest_plugins = ("tests.contract.deployer_yard",)


def at(wanted: str, error: BaseException) -> Callable[[str], None]:
    """Raise at one call."""

    def fail(call: str) -> None:
        if call == wanted:
            raise error

    return fail


def nothing(_call: str) -> None:
    """Let every call pass."""


def test_a_failure_keeps_what_was_made_and_says_what_failed_and_how_to_go_on(yard: Yard) -> None:
    yard.warehouse.before = at("create b", ValueError("no room"))
    wanted = thing("a"), thing("b", uses="a"), thing("c", uses="b")

    with pytest.raises(StepFailedError) as failure:
        yard.up(*wanted)

    text = str(failure.value)
    assert "could not create test:index:Thing 'b': no room" in text
    assert f"1 resources are deployed and recorded in {yard.state_file}" in text
    assert "nothing was rolled back" in failure.value.hint
    assert set(yard.warehouse.things) == {"a"}

    yard.warehouse.before = nothing
    assert yard.steps(*wanted) == ["create b", "create c"]


def test_a_failure_does_not_quote_secrets(yard: Yard) -> None:
    yard.warehouse.before = at("create a", ValueError("bad value hush-hush in x"))

    with pytest.raises(StepFailedError, match=r"bad value \[secret\] in x") as failure:
        yard.up(thing("a", secrets={"nested": {"deep": ["hush-hush"]}}))

    assert failure.value.__cause__ is None


@pytest.mark.slow
def test_a_local_aws_that_does_not_answer_is_said_to_be_so(tmp_path: Path) -> None:
    config = {"variant": "before", "part": "queues"}
    services = Path(__file__).parent / "programs" / "services"
    deployment = Deployment(services, "p", "s", config, NOWHERE, tmp_path / "state.json")

    with pytest.raises(UnreachableError, match=r"does not answer at http://127\.0\.0\.1:9"):
        deployment.up()


def test_nothing_else_is_done_after_a_failure(yard: Yard) -> None:
    yard.up(thing("gone"))
    yard.warehouse.before = at("create a", ValueError("no room"))

    with pytest.raises(StepFailedError, match="no room"):
        yard.up(thing("a"), thing("independent"))

    assert yard.warehouse.calls == ["create gone", "create a"]


def test_a_failed_update_is_tried_again(yard: Yard) -> None:
    yard.up(thing("a", inputs={"size": 1}))
    yard.warehouse.before = at("update a", ValueError("busy"))
    with pytest.raises(StepFailedError, match="could not update test:index:Thing 'a': busy"):
        yard.up(thing("a", inputs={"size": 2}))

    yard.warehouse.before = nothing
    assert yard.steps(thing("a", inputs={"size": 2})) == ["update a"]


def test_a_failed_deletion_is_tried_again(yard: Yard) -> None:
    yard.up(thing("a"), thing("b", uses="a"))
    yard.warehouse.before = at("delete a", ValueError("busy"))
    with pytest.raises(StepFailedError, match="could not delete test:index:Thing 'a': busy"):
        yard.up()

    yard.warehouse.before = nothing
    assert yard.steps() == ["delete a"]


def test_a_creation_that_was_killed_before_it_was_recorded_is_taken_over(yard: Yard) -> None:
    yard.warehouse.after = at("create a", Killed())
    with pytest.raises(Killed):
        yard.up(thing("a", inputs={"size": 1}))
    yard.warehouse.after = nothing

    (step,) = yard.deployment(thing("a", inputs={"size": 2})).preview().steps
    assert step.note.startswith("an interrupted run began it")
    yard.up(thing("a", inputs={"size": 2}))

    assert yard.warehouse.calls == ["create a", "update a"]
    assert yard.warehouse.things["a"]["size"] == 2
    assert yard.preview(thing("a", inputs={"size": 2})) == []


def test_a_creation_that_was_killed_before_it_happened_is_done_again(yard: Yard) -> None:
    yard.warehouse.before = at("create a", Killed())
    with pytest.raises(Killed):
        yard.up(thing("a"))
    yard.warehouse.before = nothing

    assert yard.steps(thing("a")) == ["create a"]
    assert yard.warehouse.calls == ["create a", "create a"]


def test_a_killed_creation_of_what_is_no_longer_wanted_is_deleted(yard: Yard) -> None:
    yard.warehouse.after = at("create a", Killed())
    with pytest.raises(Killed):
        yard.up(thing("a"))
    yard.warehouse.after = nothing

    assert yard.steps() == ["delete a"]
    assert yard.warehouse.things == {}
    assert yard.state["pending"] == []


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("call", ["delete a", "create a"])
def test_a_killed_replacement_is_finished(yard: Yard, call: str, moment: str) -> None:
    yard.up(thing("a", inputs={"kind": "x"}))
    setattr(
        yard.warehouse,
        moment,
        lambda made: at(call, Killed())(made) if len(yard.warehouse.calls) > 1 else None,
    )
    with pytest.raises(Killed):
        yard.up(thing("a", inputs={"kind": "y"}))
    setattr(yard.warehouse, moment, nothing)

    yard.up(thing("a", inputs={"kind": "y"}))

    assert yard.warehouse.things["a"]["kind"] == "y"
    assert yard.preview(thing("a", inputs={"kind": "y"})) == []


def test_a_replaced_thing_is_deleted_later_if_its_deletion_was_killed(yard: Yard) -> None:
    yard.up({"name": "a", "inputs": {"kind": "x"}})
    (old,) = yard.warehouse.things
    yard.warehouse.before = at(f"delete {old}", Killed())
    with pytest.raises(Killed):
        yard.up({"name": "a", "inputs": {"kind": "y"}})
    yard.warehouse.before = nothing
    assert len(yard.warehouse.things) == 2

    assert yard.steps({"name": "a", "inputs": {"kind": "y"}}) == ["delete a"]
    assert [made["kind"] for made in yard.warehouse.things.values()] == ["y"]


def test_dependents_are_deleted_first_in_whatever_order_they_are_recorded() -> None:
    def resource(name: str, *uses: str, parent: str | None = None) -> ResourceState:
        return ResourceState(name, "t", name, custom=True, dependencies=uses, parent=parent)

    recorded = [resource("c", "b"), resource("a"), resource("b", "a"), resource("d", parent="a")]

    order = [one.name for one in deletion_order(recorded)]

    assert order.index("c") < order.index("b") < order.index("a")
    assert order.index("d") < order.index("a")


def test_the_state_file_is_whole_whenever_the_process_dies(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard.up(thing("a"))
    whole = yard.state_file.read_bytes()
    monkeypatch.setattr("pathlib.Path.replace", lambda *_paths: (_ for _ in ()).throw(Killed()))

    with pytest.raises(Killed):
        yard.up(thing("a"), thing("b"))

    assert yard.state_file.read_bytes() == whole


def test_two_processes_do_not_deploy_one_stack_at_once(yard: Yard) -> None:
    with (
        StateFile(yard.state_file, "yard", "test").locked(),
        pytest.raises(StateError, match="another process is deploying stack test"),
    ):
        yard.up(thing("a"))

    assert yard.warehouse.calls == []
    yard.up(thing("a"))


def test_a_state_file_of_another_stack_is_refused(yard: Yard) -> None:
    yard.up(thing("a"))
    yard.stack = "other"

    with pytest.raises(StateError, match="not \\(1, 'yard', 'other'\\)"):
        yard.up(thing("a"))

    assert json.loads(yard.state_file.read_text())["stack"] == "test"
