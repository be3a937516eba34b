"""Going from phase to phase: the next side comes, the last one goes, and nothing else is touched."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cutover_infra.policies.model import STATEFUL
from tests.infra.transitions import IDENTITY, data_losses, removed, replaced

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.infra.conftest import Deployed

STACKS = [
    pytest.param("prod"),
    pytest.param("local", marks=pytest.mark.slow),
    pytest.param("dev", marks=pytest.mark.slow),
]


def inputs_and_options(deployed: Deployed) -> dict[str, tuple[object, object]]:
    """Give what each resource is made of; what it waits for follows from its inputs."""
    return {
        each.urn: (each.inputs, replace(each.options, dependencies=()))
        for each in deployed.recording.resources
    }


def goes_with_legacy(urn: str) -> bool:
    parts = (
        "legacy:Legacy",
        "migration:Mirror",
        "migration:Comparator",
        "migration:Watchdog",
        "migration:Bulk",
    )
    return any(f"::cutover:{component}" in urn for component in parts)


def changed(before: dict[str, tuple[object, object]], after: dict[str, tuple[object, object]]) -> set[str]:
    """Name the type and the logical name of what has other inputs; nothing may have other options."""
    both = before.keys() & after.keys()
    assert all(before[urn][1] == after[urn][1] for urn in both)
    return {" ".join(urn.rsplit(":", 3)[1::2]) for urn in both if before[urn][0] != after[urn][0]}


ENTRY = {f"{kind} entry-{name}" for kind in ("Function", "RolePolicy") for name in ("ingest", "serve")}


@pytest.mark.parametrize("stack", STACKS)
def test_legacy_to_expand_only_adds_and_puts_the_door_behind_the_entry(
    stack: str, deploy: Callable[..., Deployed]
) -> None:
    before, after = (inputs_and_options(deploy(stack, phase)) for phase in ("legacy", "expand"))

    assert set(before) < set(after)
    assert changed(before, after) == ENTRY
    assert not any("::cutover:legacy:Legacy" in urn for urn in set(after) - set(before))


@pytest.mark.parametrize("stack", STACKS)
def test_expand_to_contract_only_removes_legacy_and_what_keeps_it_equal(
    stack: str, deploy: Callable[..., Deployed]
) -> None:
    before, after = (inputs_and_options(deploy(stack, phase)) for phase in ("expand", "contract"))

    assert set(after) < set(before)
    assert changed(before, after) == ENTRY
    assert set(before) - set(after) == {urn for urn in before if goes_with_legacy(urn)}


@pytest.mark.parametrize("stack", STACKS)
def test_the_entry_changes_its_configuration_and_never_its_code(
    stack: str, deploy: Callable[..., Deployed]
) -> None:
    configuration = {"handler", "environment", "layers"}
    legacy, *others = (deploy(stack, phase) for phase in ("legacy", "expand", "contract"))
    for thing in ("entry-ingest", "entry-serve"):
        before = legacy.named("Function", thing).props
        for other in others:
            after = other.named("Function", thing).props
            keys = before.keys() | after.keys()
            differing = {key for key in keys - {"code"} if before.get(key) != after.get(key)}
            assert {"handler"} <= differing <= configuration
            assert before["sourceCodeHash"] == after["sourceCodeHash"]


@pytest.mark.parametrize("stack", STACKS)
def test_what_clients_use_stays_through_every_phase(stack: str, deploy: Callable[..., Deployed]) -> None:
    legacy, expand, contract = (
        deploy(stack, phase).recording.outputs for phase in ("legacy", "expand", "contract")
    )
    assert legacy["entry"] == expand["entry"] == contract["entry"]
    assert legacy["legacy"] == expand["legacy"]
    assert expand["pipeline"] == contract["pipeline"]
    assert expand["migration"]["control_table"] == contract["migration"]["control_table"]


@pytest.mark.parametrize("stack", STACKS)
def test_the_transition_rules_agree(stack: str, deploy: Callable[..., Deployed]) -> None:
    legacy, expand, contract = (deploy(stack, phase).resources for phase in ("legacy", "expand", "contract"))

    assert not removed(legacy, expand)
    assert not replaced(legacy, expand)
    assert not list(data_losses(legacy, expand))
    assert not replaced(expand, contract)
    lost = {found.message.split(":")[0] for found in data_losses(expand, contract)}
    assert lost == {
        "Table legacy-events",
        "Table legacy-program-progress",
        "Table legacy-employee-progress",
        "Table legacy-leaderboard",
        "Queue comparator-schedule-dlq",
        "Queue legacy-rebuild-schedule-dlq",
        "Queue mirror",
        "Queue mirror-dlq",
        "Queue mirror-pipe-dlq",
        "Queue watchdog-schedule-dlq",
    }


def test_a_renamed_or_rekeyed_table_counts_as_a_loss(deploy: Callable[..., Deployed]) -> None:
    before = deploy("local", "expand").resources
    for key in ("name", "hashKey", "rangeKey"):
        after = [
            type(each)(each.urn, each.type, each.name, {**each.props, key: "other"})
            if each.name == "facts" and each.type in STATEFUL
            else each
            for each in before
        ]
        (found,) = data_losses(before, after)
        assert found.message.startswith("Table facts: would be replaced by an empty one")


def test_changed_routes_make_a_new_deployment_but_not_a_new_api(deploy: Callable[..., Deployed]) -> None:
    before, after = (deploy("prod", "expand", auth=auth).resources for auth in ("iam", "api_key"))
    kinds = {each.type.rsplit(":", 1)[-1] for each in replaced(before, after)}
    assert kinds == {"Deployment"}
    assert not removed(before, after)


@pytest.mark.slow
def test_a_change_of_credentials_keeps_function_urls(deploy: Callable[..., Deployed]) -> None:
    before, after = (deploy("dev", "expand", auth=auth).resources for auth in ("none", "iam"))
    assert not replaced(before, after)
    assert {each.type.rsplit(":", 1)[-1] for each in removed(before, after)} == {"Permission"}


def test_identities_are_of_types_that_the_program_has(deploy: Callable[..., Deployed]) -> None:
    have = {
        each.type for auth in ("iam", "api_key") for each in deploy("prod", "expand", auth=auth).resources
    }
    have |= {each.type for each in deploy("local", "expand", alarm_email="ops@example.com").resources}
    assert set(IDENTITY) <= have


def test_data_is_protected_and_kept_in_prod_and_nowhere_else(deployed: Deployed) -> None:
    for resource in deployed.recording.resources:
        holds_data = resource.type in STATEFUL
        guarded = deployed.stack == "prod" and holds_data
        assert resource.options.protect is guarded
        kept = guarded or (resource.custom and "::cutover:front:ApiAccount$" in resource.urn)
        assert resource.options.retain_on_delete is kept
