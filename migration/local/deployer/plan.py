"""What a deployment will do, as values: one step for each resource, and how the stack's outputs change."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from migration.local.deployer.differences import PropertyChange


class StepKind(StrEnum):
    """What happens to one resource."""

    SAME = "same"
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class ResourceStep:
    """One resource and what happens to it. `blocked`: it is protected, so a deployment would refuse."""

    kind: StepKind
    urn: str
    type: str
    name: str
    custom: bool = True
    changes: tuple[PropertyChange, ...] = ()
    note: str = ""
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class DeploymentPlan:
    """All steps in the order they would be taken, and the outputs that would change."""

    project: str
    stack: str
    steps: tuple[ResourceStep, ...]
    outputs: tuple[PropertyChange, ...] = ()

    @property
    def counts(self) -> dict[StepKind, int]:
        """How many AWS resources meet each fate, components left out; fates of none are left out too."""
        found = Counter(step.kind for step in self.steps if step.custom)
        return {kind: found[kind] for kind in StepKind if found[kind]}

    @property
    def changes_nothing(self) -> bool:
        """Tell whether deploying would do nothing at all."""
        return not self.outputs and all(step.kind is StepKind.SAME for step in self.steps)

    @property
    def blocked(self) -> tuple[ResourceStep, ...]:
        """The steps that protection forbids."""
        return tuple(step for step in self.steps if step.blocked)


@dataclass(frozen=True, slots=True)
class StepProgress:
    """A step of a running deployment, told when it starts and when it ends."""

    step: ResourceStep
    status: Literal["started", "done", "failed"]
