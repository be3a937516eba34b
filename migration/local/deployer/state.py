"""What was deployed, in a JSON file that is written after every step, so that a killed deployment can go on.

Decides the file's form and the order of resources in it: a resource comes after all it depends on. Secrets
are in the file in clear, marked, and only its owner can read the file.
"""

from __future__ import annotations

import fcntl
import json
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Final

from migration.local.deployer.errors import StateError
from migration.local.deployer.values import Archive, Asset, Inputs, Secret, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

VERSION: Final = 1
_MARK: Final = "$cutover"  # the key that tells a special value from a plain map


@dataclass(frozen=True, slots=True)
class ResourceState:
    """One deployed resource. `condemned`: it was replaced, and the old one is still to be deleted."""

    urn: str
    type: str
    name: str
    custom: bool
    id: str = ""
    inputs: Inputs = field(default_factory=dict)
    outputs: Inputs = field(default_factory=dict)
    parent: str | None = None
    dependencies: tuple[str, ...] = ()
    protect: bool = False
    retain_on_delete: bool = False
    condemned: bool = False


@dataclass(slots=True)
class StackState:
    """A stack's resources and outputs. `pending` are creations that were begun and not seen to end."""

    project: str
    stack: str
    resources: list[ResourceState] = field(default_factory=list)
    pending: dict[str, ResourceState] = field(default_factory=dict)
    outputs: Inputs = field(default_factory=dict)
    _placed: int = 0

    def find(self, urn: str, aliases: Sequence[str] = ()) -> ResourceState | None:
        """Find a resource by its name, or by a name it used to have."""
        live = {resource.urn: resource for resource in self.resources if not resource.condemned}
        return next((live[name] for name in (urn, *aliases) if name in live), None)

    def put(self, resource: ResourceState, instead_of: ResourceState | None = None) -> None:
        """Place a resource after those placed before it, and drop the one it stands for."""
        if instead_of is not None:
            self.drop(instead_of)
        self.pending.pop(resource.urn, None)
        self.resources.insert(self._placed, resource)
        self._placed += 1

    def condemn(self, resource: ResourceState) -> None:
        """Keep a replaced resource until it is deleted."""
        self.resources[self.resources.index(resource)] = replace(resource, condemned=True)

    def drop(self, resource: ResourceState) -> None:
        """Forget a resource that no `put` placed in this run."""
        self.resources.remove(resource)

    def unplaced(self) -> list[ResourceState]:
        """Give the resources that no `put` placed: what the program no longer has, and the condemned."""
        return self.resources[self._placed :]


def deletion_order(resources: Sequence[ResourceState]) -> list[ResourceState]:
    """Order resources so that each is deleted before everything it depends on, newest first otherwise."""
    ordered: list[ResourceState] = []
    seen: set[int] = set()

    def visit(resource: ResourceState) -> None:
        if id(resource) in seen:
            return
        seen.add(id(resource))
        for other in reversed(resources):
            if resource.urn in (*other.dependencies, other.parent):
                visit(other)
        ordered.append(resource)

    for resource in reversed(resources):
        visit(resource)
    return ordered


class StateFile:
    """The file of one stack's state."""

    def __init__(self, path: Path, project: str, stack: str) -> None:
        self.path = path
        self._project = project
        self._stack = stack
        self._written: dict[int, tuple[ResourceState, str]] = {}

    def load(self) -> StackState:
        """Read the state; a stack without a file has nothing deployed."""
        if not self.path.exists():
            return StackState(self._project, self._stack)
        stored = json.loads(self.path.read_text(encoding="utf-8"))
        wanted = (VERSION, self._project, self._stack)
        owner = (stored.get("version"), stored.get("project"), stored.get("stack"))
        if owner != wanted:
            raise StateError(
                f"{self.path} holds (version, project, stack) {owner}, not {wanted}",
                hint="use another state file, or remove this one and reset the local AWS",
                next_command="cutover local reset",
            )
        return StackState(
            self._project,
            self._stack,
            resources=[_resource(item) for item in stored["resources"]],
            pending={item["urn"]: _resource(item) for item in stored["pending"]},
            outputs=_from_json(stored["outputs"]),
        )

    def save(self, state: StackState) -> None:
        """Write a new file and put it in place at once, so that a crash leaves the old or the new."""
        stored = {
            "version": json.dumps(VERSION),
            "project": json.dumps(state.project),
            "stack": json.dumps(state.stack),
            "resources": self._lines(state.resources),
            "pending": self._lines(state.pending.values()),
            "outputs": json.dumps(_to_json(state.outputs)),
        }
        text = ",\n".join(f'"{name}": {value}' for name, value in stored.items())
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".draft")
        draft.touch(mode=0o600)
        draft.write_text(f"{{\n{text}\n}}\n", encoding="utf-8")
        draft.replace(self.path)

    def _lines(self, resources: Iterable[ResourceState]) -> str:
        """Write one resource a line: easy to look through, and much faster to write than indented JSON."""
        lines = ",\n".join(map(self._line, resources))
        return f"[\n{lines}\n]" if lines else "[]"

    def _line(self, resource: ResourceState) -> str:
        """Write a resource once: all are in each of the hundreds of files of a deployment, and most stay."""
        known, line = self._written.get(id(resource), (None, ""))
        if known is not resource:
            line = json.dumps(_to_json(_fields(resource)))
            self._written[id(resource)] = (resource, line)
        return line

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from deploying the same stack; released by the system if this process dies."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise StateError(
                    f"another process is deploying stack {self._stack} ({self.path} is locked)",
                    hint="wait for it, or stop it",
                ) from None
            yield


def _fields(resource: ResourceState) -> dict[str, Any]:
    return {each.name: getattr(resource, each.name) for each in fields(resource)}


def _resource(stored: dict[str, Any]) -> ResourceState:
    values = {name: _from_json(value) for name, value in stored.items()}
    return ResourceState(**{**values, "dependencies": tuple(values["dependencies"])})


def _to_json(value: Value) -> Value:
    if isinstance(value, Secret):
        return {_MARK: "secret", "value": _to_json(value.value)}
    if isinstance(value, Archive | Asset):
        return {_MARK: type(value).__name__.lower(), "digest": value.digest}
    if isinstance(value, dict):
        return {key: _to_json(item) for key, item in value.items()}
    return [_to_json(item) for item in value] if isinstance(value, list | tuple) else value


def _from_json(value: Value) -> Value:
    if isinstance(value, list):
        return [_from_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    match value.get(_MARK):
        case "secret":
            return Secret(_from_json(value["value"]))
        case "archive":
            return Archive(digest=value["digest"])
        case "asset":
            return Asset(digest=value["digest"])
    return {key: _from_json(item) for key, item in value.items()}
