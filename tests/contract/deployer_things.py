"""What the deployer's tests share: an AWS that holds only things, remembers every call, and can fail at any.

It stands in for a service, so that the deployer's own behaviour is tested apart from any service's, and fast.
"""

from __future__ import annotations

import itertools
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migration.local.deployer.deployment import Deployment
from migration.local.deployer.plan import ResourceStep, StepKind
from migration.local.deployer.resources import TYPES
from migration.local.deployer.resources.handler import Handler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from migration.local.deployer.outputs import Outputs
    from migration.local.deployer.plan import StepProgress

PROGRAM = Path(__file__).parent / "programs" / "things"
NOWHERE = "http://127.0.0.1:9"  # things need no endpoint, and nothing listens here
Wanted = dict[str, Any]


class Killed(KeyboardInterrupt):
    """The process is interrupted here: nothing after it in the deployer runs."""


@dataclass
class Warehouse:
    """Where the things are. `calls` are the changes asked for, as `create a`, `update a`, `delete a`."""

    things: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    before: Callable[[str], None] = lambda _call: None
    after: Callable[[str], None] = lambda _call: None
    _serials: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def change(self, call: str, do: Callable[[], None]) -> None:
        """Make one change, or fail before or after it."""
        self.calls.append(call)
        self.before(call)
        do()
        self.after(call)

    def since(self, calls: int) -> list[str]:
        return self.calls[calls:]

    def next_serial(self) -> str:
        return f"serial-{next(self._serials)}"


class Thing(Handler):
    """A named thing with a serial number; its kind cannot change, and it is asked to `explode` to fail."""

    type = "test:index:Thing"
    replace_on = frozenset({"name", "kind"})
    warehouse: Warehouse

    def create(self, inputs: Mapping[str, Any]) -> str:
        name = inputs["name"]
        if name in self.warehouse.things:
            raise ValueError(f"{name} exists")

        def store() -> None:
            self.warehouse.things[name] = {**inputs, "serial": self.warehouse.next_serial()}

        self.warehouse.change(f"create {name}", store)
        return str(name)

    def read(self, physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        thing = self.warehouse.things.get(physical_id)
        return None if thing is None else {"serial": thing["serial"]}

    def update(self, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        serial = self.warehouse.things[physical_id]["serial"]
        changed = {**new, "serial": serial}
        self.warehouse.change(
            f"update {physical_id}", lambda: self.warehouse.things.update({physical_id: changed})
        )

    def delete(self, physical_id: str, inputs: Mapping[str, Any]) -> None:
        self.warehouse.change(
            f"delete {physical_id}", lambda: self.warehouse.things.pop(physical_id, {}).clear()
        )


@contextmanager
def yard_at(state_file: Path) -> Iterator[Yard]:
    """Make things deployable, with an empty warehouse."""
    Thing.warehouse = Warehouse()
    TYPES[Thing.type] = Thing
    try:
        yield Yard(state_file, Thing.warehouse)
    finally:
        TYPES.pop(Thing.type, None)


@dataclass
class Yard:
    """A stack of things: what is wanted goes in, what was done comes out."""

    state_file: Path
    warehouse: Warehouse
    stack: str = "test"

    def deployment(self, *wanted: Wanted, **config: str) -> Deployment:
        settings = {"things": json.dumps(wanted), **config}
        return Deployment(
            PROGRAM,
            "yard",
            self.stack,
            settings,
            NOWHERE,
            self.state_file,
            secret_keys={"password"} & {*config},
        )

    def up(self, *wanted: Wanted, **config: str) -> Outputs:
        return self.deployment(*wanted, **config).up()

    def steps(self, *wanted: Wanted, **config: str) -> list[str]:
        """Deploy, and tell the steps that did something."""
        done: list[ResourceStep] = []

        def remember(progress: StepProgress) -> None:
            if progress.status == "done":
                done.append(progress.step)

        self.deployment(*wanted, **config).up(remember)
        return told(done)

    def preview(self, *wanted: Wanted, **config: str) -> list[str]:
        return told(self.deployment(*wanted, **config).preview().steps)

    @property
    def state(self) -> dict[str, Any]:
        stored: dict[str, Any] = json.loads(self.state_file.read_text())
        return stored


def thing(name: str, **details: Any) -> Wanted:
    """Want a thing of that name, in AWS too, unless `inputs` say otherwise."""
    return {"name": name, **details, "inputs": {"name": name, **details.get("inputs", {})}}


def told(steps: Any) -> list[str]:
    return [f"{step.kind} {step.name}" for step in steps if step.kind is not StepKind.SAME]
