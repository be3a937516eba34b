"""The demo's fault: the pipe stops delivering facts to the queue, at the moment that the plot asks for it.

No client notices, and no function reports an error: facts are stored, and silently not folded.
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


@dataclass(slots=True)
class PlottedFault:
    """Injected once, when writes reach a share; taken out when the plot says so."""

    stack: RunningStack
    write_percent: int
    injected_at: float | None = field(default=None, init=False)
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
        self._faults().clear()

    def _inject(self) -> None:
        if self.stack.outputs.pipeline is None:
            raise IntegrityError("there is no pipe to break", hint="see docs/contracts.md")
        pipe = self.stack.outputs.pipeline.pipe
        self._faults().inject(Fault(service="pipes", operation="Deliver", contains=f'"Name": "{pipe}"'))
        self.injected_at = time.monotonic()
        notes.print(Text.assemble(("⚡ fault injected:", "bold red"), f" {TOLD}"), soft_wrap=True)

    def _faults(self) -> Faults:
        return Faults(self.stack.endpoint)
