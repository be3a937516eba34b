"""What a program asks for: one resource with its inputs and options, free of the SDK's wire format.

Also names the two sides of the seam: `Host` is what a deployment, or a recording, must answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migration.local.deployer.values import Inputs

STACK_TYPE: Final = "pulumi:pulumi:Stack"
PROVIDER_PREFIX: Final = "pulumi:providers:"


@dataclass(frozen=True, slots=True)
class ResourceOptions:
    """The resource options that change what is done; paths are camelCase, resources are URNs."""

    parent: str | None = None
    dependencies: tuple[str, ...] = ()
    protect: bool = False
    retain_on_delete: bool = False
    delete_before_replace: bool | None = None
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    provider: str | None = None


@dataclass(frozen=True, slots=True)
class Registration:
    """One resource of the program. A component has no AWS counterpart, so it is not `custom`."""

    urn: str
    type: str
    name: str
    custom: bool
    inputs: Inputs
    options: ResourceOptions = field(default_factory=ResourceOptions)
    secret_outputs: frozenset[str] = frozenset()

    @property
    def is_provider(self) -> bool:
        """Tell whether this configures a provider, which is nothing in AWS."""
        return self.type.startswith(PROVIDER_PREFIX)


@dataclass(frozen=True, slots=True)
class Registered:
    """What the program gets back. An empty `id` is one that is not known yet."""

    id: str = ""
    outputs: Inputs = field(default_factory=dict)


class Host(Protocol):
    """The engine's side: called once for each thing the program does, in order, one at a time."""

    def register(self, registration: Registration) -> Registered:
        """Bring a resource about, or say what it would be."""

    def read(self, token: str, physical_id: str) -> Registered:
        """Find a resource of that type which something else made."""

    def invoke(self, token: str, arguments: Inputs) -> Mapping[str, object]:
        """Answer a provider function, such as `aws:index/getRegion:getRegion`."""

    def export(self, outputs: Inputs) -> None:
        """Take the stack's outputs; called once, at the end."""


def make_urn(stack: str, project: str, parent: str, token: str, name: str) -> str:
    """Name a resource as Pulumi does: the types of its parents, but not the stack's, are part of the name."""
    parent_types = parent.split("::")[2] if parent else STACK_TYPE
    types = token if parent_types == STACK_TYPE else f"{parent_types}${token}"
    return f"urn:pulumi:{stack}::{project}::{types}::{name}"
