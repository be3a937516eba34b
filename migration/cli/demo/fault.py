"""What goes wrong in the demo: trouble that nobody may notice, and one fault that must be caught.

trouble   a share of the writes to legacy's program rows is refused, as if somebody's transaction held the row
          the first answers to the forward mirror come byte by byte, too slowly
fault     the pipe stops delivering facts to the queue: they are stored, and silently not folded
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rich.text import Text

from migration.cli.console import notes
from migration.cutover.course import PERCENT
from migration.local.emulator import Fault, Faults
from migration.local.emulator.holds import conflict
from migration.model.errors import IntegrityError
from migration.model.stages import Stage

if TYPE_CHECKING:
    from migration.cutover.looks import Look
    from migration.wiring.workspace import RunningStack

TOLD: Final = "the pipe stops delivering facts to the queue; nobody is told"
TROUBLE: Final = (
    "from here on a transaction holds legacy's program rows now and then, and the mirror's first answers drip"
)
_HELD: Final = 0.2  # of the writes to legacy's program rows
_DRIPPING: Final = 3  # answers; the door leaves the mirror alone after as many
_DRIP_MS: Final = 150


@dataclass(slots=True)
class Trouble:
    """Injected with the first stage that has a mirror; it ends with the migration."""

    stack: RunningStack
    begun: bool = field(default=False, init=False)

    def seen(self, look: Look) -> None:
        """Follow the run."""
        if self.begun or look.state.stage is Stage.OFF or self.stack.outputs.legacy is None:
            return
        self.begun = True
        rows = self.stack.outputs.legacy.program_progress_table
        faults = Faults(self.stack.endpoint)
        faults.inject(conflict("UpdateItem", contains=f'"{rows}"', probability=_HELD))
        faults.inject(
            Fault(
                service="dynamodb",
                operation="PutItem",
                contains='"lane": {"S": "live"}',
                kind="drip",
                latency_ms=_DRIP_MS,
                count=_DRIPPING,
            )
        )
        notes.print(Text.assemble(("⚡ trouble:", "bold yellow"), f" {TROUBLE}"), soft_wrap=True)

    def met(self) -> tuple[int, int]:
        """Count the writes that were refused, and the answers that dripped."""
        kinds = [one.kind for one in Faults(self.stack.endpoint).log() if one.service == "dynamodb"]
        return kinds.count("error"), kinds.count("drip")


@dataclass(slots=True)
class PlottedFault:
    """Injected once, when writes reach a share; taken out when the plot says so."""

    stack: RunningStack
    write_percent: int
    injected_at: float | None = field(default=None, init=False)
    injected: str = field(default="", init=False)
    caught_s: float | None = field(default=None, init=False)

    def seen(self, look: Look) -> None:
        """Follow the run: inject at the share, and take down when it was rolled back."""
        share = self.write_percent * PERCENT
        if self.injected_at is None and look.state.control.write_weight >= share:
            self._inject()
        went_back = look.state.stage is Stage.SHADOW
        if self.injected_at is not None and self.caught_s is None and went_back:
            self.caught_s = time.monotonic() - self.injected_at

    def remove(self) -> None:
        """Let the pipe deliver again."""
        Faults(self.stack.endpoint).withdraw(self.injected)

    def _inject(self) -> None:
        if self.stack.outputs.pipeline is None:
            raise IntegrityError("there is no pipe to break", hint="see docs/contracts.md")
        pipe = self.stack.outputs.pipeline.pipe
        fault = Fault(service="pipes", operation="Deliver", contains=f'"Name": "{pipe}"')
        self.injected = Faults(self.stack.endpoint).inject(fault)
        self.injected_at = time.monotonic()
        notes.print(Text.assemble(("⚡ fault injected:", "bold red"), f" {TOLD}"), soft_wrap=True)
