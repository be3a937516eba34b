"""Runs a program without AWS and writes down everything it registers, for tests of the infrastructure.

Every output has a plausible value, so all of the program's `apply` calls run. It never opens a connection.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from migration.local.deployer.functions import answer
from migration.local.deployer.program import run
from migration.local.deployer.project import program_for, region_of
from migration.local.deployer.registration import Registered, Registration
from migration.local.deployer.values import Secret, holds, reveal
from tests.doubles.plausible import ACCOUNT, plausible

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from migration.local.deployer.registration import ResourceOptions
    from migration.local.deployer.values import Inputs


@dataclass(frozen=True, slots=True)
class RecordedResource:
    """One registration. `inputs` are plain, with camelCase keys; `secrets` names those that hold any."""

    urn: str
    type: str
    name: str
    custom: bool
    inputs: Mapping[str, Any]
    options: ResourceOptions
    secrets: frozenset[str]
    id: str
    outputs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Recording:
    """Everything a program registered, in its order, and the stack's exports (secrets shown)."""

    resources: tuple[RecordedResource, ...]
    outputs: Mapping[str, Any]

    def of_type(self, token: str) -> tuple[RecordedResource, ...]:
        """Give the resources of one type, such as `aws:sqs/queue:Queue`."""
        return tuple(resource for resource in self.resources if resource.type == token)

    def named(self, token: str, name: str) -> RecordedResource:
        """Give the one resource of that type and name; KeyError when there is none."""
        for resource in self.of_type(token):
            if resource.name == name:
                return resource
        raise KeyError(f"{token} {name}; there are {[found.name for found in self.of_type(token)]}")

    def by_urn(self, urn: str) -> RecordedResource:
        """Give the resource with that URN; KeyError when there is none."""
        return {resource.urn: resource for resource in self.resources}[urn]


def record(
    root: Path,
    project: str,
    stack: str,
    config: Mapping[str, str],
    *,
    secret_keys: Collection[str] = (),
) -> Recording:
    """Run the program under `root` once; raises what the program raises, such as a rejected setting."""
    program = program_for(root, project, stack, config, secret_keys)
    recorder = _Recorder(region_of(program.config))
    run(program, recorder, dry_run=False)
    return Recording(tuple(recorder.resources), recorder.exports)


@dataclass(slots=True)
class _Recorder:
    region: str
    resources: list[RecordedResource] = field(default_factory=list)
    exports: Mapping[str, Any] = field(default_factory=dict)

    def register(self, registration: Registration) -> Registered:
        made = plausible(registration, self.region)
        inputs = registration.inputs
        self.resources.append(
            RecordedResource(
                urn=registration.urn,
                type=registration.type,
                name=registration.name,
                custom=registration.custom,
                inputs=reveal(inputs),
                options=registration.options,
                secrets=frozenset(key for key, value in inputs.items() if holds(value, Secret)),
                id=made.id,
                outputs=reveal(made.outputs),
            )
        )
        return made

    def read(self, token: str, physical_id: str) -> Registered:
        found = Registration(physical_id, token, physical_id, custom=True, inputs={"name": physical_id})
        return Registered(physical_id, plausible(found, self.region).outputs)

    def invoke(self, token: str, _arguments: Inputs) -> Mapping[str, Any]:
        return answer(token, self.region, ACCOUNT)

    def export(self, outputs: Inputs) -> None:
        self.exports = reveal(outputs)
