"""What a policy is: a rule over declared resources that says which resource breaks it and what to do.

Rules are plain functions, so that tests, CrossGuard and the toolkit can all ask them. They never reach AWS.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

TABLE: Final = "aws:dynamodb/table:Table"
QUEUE: Final = "aws:sqs/queue:Queue"
FUNCTION: Final = "aws:lambda/function:Function"
MAPPING: Final = "aws:lambda/eventSourceMapping:EventSourceMapping"
PIPE: Final = "aws:pipes/pipe:Pipe"
SCHEDULE: Final = "aws:scheduler/schedule:Schedule"
BUCKET: Final = "aws:s3/bucket:Bucket"
STATE_MACHINE: Final = "aws:sfn/stateMachine:StateMachine"
WORKGROUP: Final = "aws:athena/workgroup:Workgroup"
STATEFUL: Final = frozenset({TABLE, QUEUE})


@dataclass(frozen=True)
class Declared:
    """A resource as the program declares it.

    Attributes:
        urn: its Pulumi name, which holds the stack's.
        type: its type token.
        name: its logical name.
        props: its inputs, with the outputs that are known (an ARN, a URL), in camelCase.
        protect: whether Pulumi refuses to delete it.
        deletes_first: whether a replacement would delete it before making the new one.
    """

    urn: str
    type: str
    name: str
    props: Mapping[str, Any]
    protect: bool = False
    deletes_first: bool = False

    @property
    def in_prod(self) -> bool:
        """Whether it belongs to the stack prod."""
        return self.urn.split(":")[2] == "prod"

    def get(self, *path: str) -> Any:  # noqa: ANN401 - properties are JSON of any shape
        """Read a nested property; None where any part of the path is missing."""
        value: Any = self.props
        for key in path:
            value = value.get(key) if value else None
        return value


@dataclass(frozen=True)
class Violation:
    """A broken rule: the resource's URN, and what is wrong with the remedy."""

    urn: str
    message: str


@dataclass(frozen=True)
class ResourceRule:
    """A rule that one resource alone can break; `check` gives what is wrong and the remedy."""

    name: str
    description: str
    check: Callable[[Declared], Iterable[str]]

    def violations(self, resources: Sequence[Declared]) -> Iterator[Violation]:
        """Apply the rule to each resource."""
        for resource in resources:
            for problem in self.check(resource):
                yield violation(resource, problem)


@dataclass(frozen=True)
class StackRule:
    """A rule about how resources belong together."""

    name: str
    description: str
    check: Callable[[Sequence[Declared]], Iterable[Violation]]

    def violations(self, resources: Sequence[Declared]) -> Iterator[Violation]:
        """Apply the rule to the stack."""
        yield from self.check(resources)


Rule = ResourceRule | StackRule


def violation(resource: Declared, problem: str) -> Violation:
    """Name the resource in front of the problem."""
    return Violation(resource.urn, f"{resource.type.rsplit(':', 1)[-1]} {resource.name}: {problem}")


def of_type(resources: Sequence[Declared], kind: str) -> list[Declared]:
    """Select the resources of one type."""
    return [resource for resource in resources if resource.type == kind]


def denies_plain(policy: Mapping[str, Any]) -> bool:
    """Whether a policy refuses requests without TLS."""
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    return any(
        one["Effect"] == "Deny" and one.get("Condition") == condition for one in policy.get("Statement", [])
    )


def parsed(text: str | None) -> dict[str, Any]:
    """Read a JSON property; empty where there is none."""
    found: dict[str, Any] = json.loads(text) if text else {}
    return found
