"""The demo's faults, each at the moment that the plot asks for it.

In dualwrite the forward mirror's answers drip in, byte by byte: the door must not wait for them. Later the
pipe stops delivering facts to the queue. No client notices, and no function reports an error: facts are
stored, and silently not folded.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rich.text import Text

from migration.cli.console import notes
from migration.cutover.course import PERCENT
from migration.local.emulator import Fault, Faults
from migration.model.errors import IntegrityError
from migration.model.stages import Stage

if TYPE_CHECKING:
    from migration.cutover.looks import Look
    from migration.wiring.workspace import RunningStack

TOLD: Final = "the pipe stops delivering facts to the queue; nobody is told"
DRIP_MS: Final = 50
DRIPS_S: Final = 3.0
DRIP_TOLD: Final = f"the forward mirror's answers drip in, a byte each {DRIP_MS} ms, for {DRIPS_S:g} s"
# Only the door's forward mirror writes a fact of legacy's in these words.
DRIP: Final = Fault(
    service="dynamodb",
    operation="PutItem",
    contains='"side": {"S": "legacy"}',
    kind="drip",
    latency_ms=DRIP_MS,
)


@dataclass(slots=True)
class Injected:
    """A fault that is injected once, told, and taken out."""

    faults: Faults
    fault: Fault
    told: str
    at: float | None = field(default=None, init=False)
    _id: str = field(default="", init=False)

    def begin(self) -> None:
        """Inject it, the first time."""
        if self.at is not None:
            return
        self._id = self.faults.inject(self.fault)
        self.at = time.monotonic()
        notes.print(Text.assemble(("⚡ fault injected:", "bold red"), f" {self.told}"), soft_wrap=True)

    def end(self) -> None:
        """Take it out, if it is in."""
        if self._id:
            self.faults.withdraw(self._id)
            self._id = ""

    @property
    def age_s(self) -> float:
        """Since when it was injected; 0 before."""
        return 0.0 if self.at is None else time.monotonic() - self.at


@dataclass(slots=True)
class PlottedFaults:
    """A mirror that drips in dualwrite, and a pipe that stops when writes reach a share."""

    stack: RunningStack
    write_percent: int
    drip: Injected = field(init=False)
    pipe: Injected = field(init=False)
    caught_s: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if self.stack.outputs.pipeline is None:
            raise IntegrityError("there is no pipe to break", hint="see docs/contracts.md")
        faults, pipe = Faults(self.stack.endpoint), self.stack.outputs.pipeline.pipe
        self.drip = Injected(faults, DRIP, DRIP_TOLD)
        fault = Fault(service="pipes", operation="Deliver", contains=f'"Name": "{pipe}"')
        self.pipe = Injected(faults, fault, TOLD)

    def seen(self, look: Look) -> None:
        """Follow the run: inject what its stage asks for, and take down when it was rolled back."""
        if look.state.stage is Stage.DUALWRITE:
            self.drip.begin()
        if self.drip.age_s >= DRIPS_S or look.state.stage not in (Stage.OFF, Stage.DUALWRITE):
            self.drip.end()
        if look.state.control.write_weight >= self.write_percent * PERCENT:
            self.pipe.begin()
        if self.pipe.at is not None and self.caught_s is None and look.state.stage is Stage.SHADOW:
            self.caught_s = self.pipe.age_s
