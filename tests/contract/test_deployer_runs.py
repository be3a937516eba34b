"""Previews, secrets, and many runs in one process."""

from __future__ import annotations

import gc
import stat
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from migration.local.deployer.errors import ProgramError
from migration.local.deployer.plan import StepKind
from migration.local.deployer.rendering import render_plan
from tests.contract.deployer_things import thing

if TYPE_CHECKING:
    from migration.local.deployer.plan import DeploymentPlan, StepProgress
    from tests.contract.deployer_things import Yard

pytest_plugins = ("tests.contract.deployer_yard",)

HUSH = "do-not-show-this"


def shown(plan: DeploymentPlan) -> str:
    console = Console(width=120, force_terminal=False)
    with console.capture() as capture:
        console.print(render_plan(plan))
    return capture.get()


def test_a_preview_changes_neither_aws_nor_the_state_file(yard: Yard) -> None:
    yard.up(thing("a", inputs={"size": 1}), thing("b", inputs={"kind": "x"}), thing("c"))
    calls, stored = len(yard.warehouse.calls), yard.state_file.read_bytes()
    names = sorted(path.name for path in yard.state_file.parent.iterdir())

    wanted = thing("a", inputs={"size": 2}), thing("b", inputs={"kind": "y"}), thing("d")
    assert yard.preview(*wanted) == ["update a", "replace b", "create d", "delete c"]

    assert yard.warehouse.since(calls) == []
    assert yard.state_file.read_bytes() == stored
    assert sorted(path.name for path in yard.state_file.parent.iterdir()) == names
    assert yard.steps(*wanted) == ["update a", "replace b", "create d", "delete c"]


def test_a_preview_of_a_stack_that_was_never_deployed_leaves_no_file(yard: Yard) -> None:
    assert yard.preview(thing("a")) == ["create a"]
    assert list(yard.state_file.parent.iterdir()) == []


def test_a_preview_says_what_it_cannot_know_yet(yard: Yard) -> None:
    plan = yard.deployment(thing("a"), thing("b", uses="a")).preview()

    (uses,) = [change for step in plan.steps for change in step.changes if change.path == "uses"]
    assert repr(uses.new) == "[known after deployment]"
    assert [change.path for change in plan.outputs] == ["a", "b"]


def test_a_plan_reads_like_pulumis(yard: Yard) -> None:
    yard.up(
        thing("a", inputs={"size": 1, "tags": {"x": "1", "y": "2"}}),
        thing("b", inputs={"kind": "x"}),
        thing("c"),
        thing("same"),
    )

    text = shown(
        yard.deployment(
            thing("a", inputs={"size": 2, "tags": {"x": "1", "z": "3"}}),
            thing("b", inputs={"kind": "y"}, options={"protect": False}),
            thing("d"),
            thing("same"),
        ).preview()
    )

    assert text.splitlines() == [
        "Stack test of project yard",
        "",
        "  ~  test:index:Thing  a",
        "       ~ size: 1 -> 2",
        '       + tags.z: "3"',
        '       - tags.y: "2"',
        "  +- test:index:Thing  b",
        '       ~ kind: "x" -> "y"  forces replacement',
        "  +  test:index:Thing  d",
        "  -  test:index:Thing  c",
        "",
        "  Outputs",
        '    ~ b: "serial-2" -> [known after deployment]',
        "    + d: [known after deployment]",
        '    - c: "serial-3"',
        "",
        "  + 1 to create   ~ 1 to update   +- 1 to replace   - 1 to delete   1 unchanged",
    ]


def test_a_plan_without_changes_says_so(yard: Yard) -> None:
    yard.up(thing("a"))

    plan = yard.deployment(thing("a")).preview()

    assert plan.changes_nothing
    assert plan.counts == {StepKind.SAME: 1}
    assert "Nothing to do: 1 resources are as they should be" in shown(plan)


def test_a_text_that_is_json_is_compared_and_shown_as_json(yard: Yard) -> None:
    before, relaid = '{"Version": "1", "Action": ["a", "b"]}', '{"Action":["a","b"],"Version":"1"}'
    yard.up(thing("a", inputs={"policy": before}))

    assert yard.preview(thing("a", inputs={"policy": relaid})) == []
    (step,) = yard.deployment(thing("a", inputs={"policy": before.replace('"b"', '"c"')})).preview().steps
    assert [change.path for change in step.changes] == ["policy.Action[1]"]


def test_secrets_reach_aws_and_are_shown_nowhere(yard: Yard) -> None:
    said: list[str] = []

    def listen(progress: StepProgress) -> None:
        said.append(repr(progress))

    wanted = thing("a", secrets={"token": HUSH, "nested": {"deep": [HUSH]}})
    deployment = yard.deployment(wanted, password=HUSH)
    plan = deployment.preview()
    said += [shown(plan), repr(plan), repr(deployment)]
    outputs = deployment.up(listen)
    said += [repr(outputs), str(outputs.masked())]
    rotated = yard.deployment(
        thing("a", secrets={"token": HUSH + "2", "nested": {"deep": [HUSH]}}), password=HUSH + "2"
    )
    plan = rotated.preview()
    said += [shown(plan), repr(plan)]

    assert yard.warehouse.things["a"]["token"] == HUSH
    assert yard.warehouse.things["a"]["nested"] == {"deep": [HUSH]}
    assert outputs["password"] == HUSH
    assert "~ token: [secret] -> [secret]" in shown(plan)
    assert HUSH not in "".join(said)


def test_an_output_that_the_provider_says_is_secret_is_one(yard: Yard) -> None:
    outputs = yard.up(thing("a", options={"additional_secret_outputs": ["serial"]}))

    assert outputs["a"] == "serial-1"
    assert outputs.masked() == {"a": "[secret]"}


def test_a_value_that_becomes_secret_is_a_change(yard: Yard) -> None:
    yard.up(thing("a", inputs={"token": HUSH}))

    assert yard.preview(thing("a", secrets={"token": HUSH})) == ["update a"]


def test_secrets_are_marked_in_the_state_file_which_only_its_owner_reads(yard: Yard) -> None:
    yard.up(thing("a", secrets={"token": HUSH}), password=HUSH)

    (stored,) = yard.state["resources"]
    assert stored["inputs"]["token"] == {"$cutover": "secret", "value": HUSH}
    assert yard.state["outputs"]["password"] == {"$cutover": "secret", "value": HUSH}
    assert stat.S_IMODE(yard.state_file.stat().st_mode) == 0o600
    assert yard.preview(thing("a", secrets={"token": HUSH}), password=HUSH) == []


def test_many_runs_in_one_process_do_not_disturb_each_other(yard: Yard) -> None:
    path, modules, threads = list(sys.path), set(sys.modules), threading.active_count()

    for size in range(1, 16):
        wanted = thing("a", inputs={"size": size}), thing("b", uses="a")
        assert "update a" in yard.preview(*wanted) or size == 1
        yard.up(*wanted)
        with pytest.raises(ProgramError, match="the program is broken"):
            yard.up(*wanted, broken="true")

    assert yard.warehouse.things["a"]["size"] == 15
    assert yard.warehouse.calls.count("update a") == 14
    assert sys.path == path
    assert set(sys.modules) == modules
    assert threading.active_count() == threads
    assert gc.isenabled()
