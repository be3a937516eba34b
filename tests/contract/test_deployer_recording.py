"""Recordings: what a program registers without AWS, with all its options, the same in every run."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pulumi import ConfigMissingError

from tests.doubles.recording import record

if TYPE_CHECKING:
    from tests.doubles.recording import RecordedResource, Recording

PROGRAM = Path(__file__).parent / "programs" / "recorded"
TABLE, QUEUE = "aws:dynamodb/table:Table", "aws:sqs/queue:Queue"
FUNCTION, URL = "aws:lambda/function:Function", "aws:lambda/functionUrl:FunctionUrl"
ROLE, COMPONENT = "aws:iam/role:Role", "recorded:index:Storage"


def recorded(stack: str = "dev") -> Recording:
    return record(
        PROGRAM, "recorded", stack, {"token": "hush", "aws:region": "eu-west-1"}, secret_keys=["token"]
    )


@pytest.fixture(scope="module")
def recording() -> Recording:
    return recorded()


def by_name(recording: Recording, token: str, name: str) -> RecordedResource:
    return recording.named(token, name)


def test_inputs_are_plain_values_with_the_providers_names(recording: Recording) -> None:
    table = recording.named(TABLE, "facts")

    assert table.inputs == {
        "attributes": [{"name": "id", "type": "S"}],
        "hashKey": "id",
        "name": "facts",
        "readCapacity": 3,
        "streamEnabled": True,
        "streamViewType": "NEW_IMAGE",
    }
    assert type(table.inputs["readCapacity"]) is int


def test_outputs_are_well_formed_and_flow_into_what_uses_them(recording: Recording) -> None:
    table, queue = recording.named(TABLE, "facts"), recording.named(QUEUE, "activities")
    environment = recording.named(FUNCTION, "aggregate").inputs["environment"]["variables"]

    assert table.outputs["arn"] == "arn:aws:dynamodb:eu-west-1:123456789012:table/facts"
    assert re.fullmatch(r"https://sqs\.eu-west-1\.amazonaws\.com/123456789012/activities-\w{7}", queue.id)
    assert environment["QUEUE_URL"] == queue.outputs["url"]
    assert recording.outputs["stream"] == table.outputs["streamArn"]
    assert re.fullmatch(
        r"https://\w{32}\.lambda-url\.eu-west-1\.on\.aws/activities", recording.outputs["url"]
    )


def test_a_text_made_of_outputs_can_be_read(recording: Recording) -> None:
    assert json.loads(recording.named(ROLE, "aggregate").inputs["assumeRolePolicy"]) == {
        "Resource": recording.named(QUEUE, "activities").outputs["arn"],
        "Condition": recording.named(TABLE, "facts").outputs["arn"],
    }


def test_options_are_recorded_and_children_inherit_what_pulumi_lets_them(recording: Recording) -> None:
    component, table = recording.named(COMPONENT, "storage"), recording.named(TABLE, "facts")

    assert not component.custom
    assert table.options.parent == component.urn
    assert table.options.protect
    assert table.options.retain_on_delete
    assert table.options.ignore_changes == ("readCapacity", "tags")
    assert not recording.named(QUEUE, "activities").options.protect


def test_dependencies_aliases_and_replacement_options_are_recorded(recording: Recording) -> None:
    function, role = recording.named(FUNCTION, "aggregate"), recording.named(ROLE, "aggregate")

    assert role.options.delete_before_replace is True
    assert role.options.aliases == ("urn:pulumi:dev::recorded::aws:iam/role:Role::former",)
    assert recording.named(URL, "aggregate").options.replace_on_changes == ("cors",)
    assert {recording.by_urn(urn).name for urn in function.options.dependencies} == {
        "activities",
        "aggregate",
        "facts",
    }


def test_urns_are_pulumis(recording: Recording) -> None:
    assert recording.named(TABLE, "facts").urn == (
        "urn:pulumi:dev::recorded::recorded:index:Storage$aws:dynamodb/table:Table::facts"
    )


def test_inputs_that_hold_a_secret_are_named(recording: Recording) -> None:
    function = recording.named(FUNCTION, "aggregate")

    assert function.secrets == {"environment"}
    assert function.inputs["environment"]["variables"]["TOKEN"] == "hush"  # noqa: S105 - the example
    assert recording.named(TABLE, "facts").secrets == frozenset()


def test_code_can_be_looked_into(recording: Recording) -> None:
    code = recording.named(FUNCTION, "aggregate").inputs["code"]

    assert dict(code.files()) == {"code.py": b"def handler(event, context): return 1\n"}
    assert code.read()[:2] == b"PK"


def test_exports_are_what_the_cli_would_have(recording: Recording) -> None:
    outputs = recording.outputs

    assert outputs["account"] == "123456789012"
    assert outputs["region"] == "eu-west-1"
    assert "absent" not in outputs
    assert outputs["nested"] == {"absent": None, "token": "hush"}
    assert outputs["found"].startswith("arn:aws:sqs:eu-west-1:")


def test_a_type_that_cannot_be_deployed_locally_can_be_recorded(recording: Recording) -> None:
    (bucket,) = recording.of_type("aws:s3/bucket:Bucket")

    assert bucket.outputs["arn"].startswith("arn:aws:s3:")


def test_every_run_is_the_same_and_a_new_program(recording: Recording) -> None:
    again = [recorded() for _ in range(5)]

    assert all(one == recording for one in again)
    assert [one.outputs["runs"] for one in again] == [1] * 5


def test_stacks_differ_in_their_names_only_where_the_program_says_so(recording: Recording) -> None:
    other = recorded("prod")

    assert [one.name for one in other.resources] == [one.name for one in recording.resources]
    assert other.resources[0].urn.startswith("urn:pulumi:prod::")


def test_nothing_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise AssertionError("a recording opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)

    assert recorded().resources


def test_what_the_program_raises_comes_through() -> None:
    with pytest.raises(ConfigMissingError, match="token"):
        record(PROGRAM, "recorded", "dev", {})


def test_asking_for_what_is_not_there_says_what_is(recording: Recording) -> None:
    with pytest.raises(KeyError, match="activities"):
        recording.named(QUEUE, "nonsense")
