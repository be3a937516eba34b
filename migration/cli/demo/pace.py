"""How slow this machine is: the demo's limits of seconds are stretched by it, and a failure is told for it.

Measured by what legacy's clients wait for half of their answers while its history is sent, against what they
wait on the two idle cores that the limits are for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Final

from migration.cutover.action import Action
from migration.cutover.looks import Waits
from migration.model.errors import GuardrailError, IntegrityError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migration.cutover.looks import Look
    from migration.load.report import LoadReport
    from migration.model.errors import CutoverError

REFERENCE_MS: Final = 40.0
LONGEST: Final = 5.0
SLOW: Final = 1.5  # times; less is noise


@dataclass(frozen=True, slots=True)
class Pace:
    """How many times slower this machine is than the one that the limits are for."""

    slower: float

    @classmethod
    def of(cls, reports: Sequence[LoadReport]) -> Pace:
        """Read it from the first load."""
        waited = [report.latency.p50_ms for report in reports if report.latency is not None]
        return cls(max(waited, default=0.0) / REFERENCE_MS)

    @property
    def stretch(self) -> float:
        """By what limits of seconds are stretched."""
        return min(LONGEST, self.slower) if self.slower >= SLOW else 1.0

    def seconds(self, limit_s: float) -> float:
        """Stretch a limit."""
        return round(limit_s * self.stretch, 1)

    def told(self) -> str:
        """Say it, where it matters."""
        if self.slower < SLOW:
            return ""
        times = f"This machine is {self.slower:.1f} times slower than the demo is made for"
        return f"{times}: its limits of seconds are {self.stretch:.1f} times as long."

    def failed(self, what: str) -> CutoverError:
        """Say why the demo cannot go on: the machine's fault, if it is slow, or ours."""
        if self.slower < SLOW:
            return IntegrityError(f"without a fault, {what}", hint="cutover journal has why")
        times = f"{self.slower:.1f} times slower than it is made for"
        return GuardrailError(
            f"this machine is too slow for the demo, {times}: {what}",
            hint="nothing is wrong with the data; end what else keeps the machine busy",
            next_command="cutover demo",
        )


@dataclass(slots=True)
class StepDeadline:
    """Gives a run up that stands before the same step for too long, whatever it does meanwhile.

    Raises, where it sees it, what `pace` says of it, with the last word of the guardrails.
    """

    pace: Pace
    most_s: float
    _at: tuple[int, str] = field(default=(-1, ""), init=False)
    _since: float = field(default=0.0, init=False)
    _why: str = field(default="no guardrail held it", init=False)

    def seen(self, look: Look) -> None:
        """Follow the run."""
        at = (look.state.epoch, look.step.name if look.step else "")
        if at != self._at or (look.step and look.step.action is Action.BACKFILL):
            self._at, self._since = at, monotonic()
        if look.hold is not None and look.hold.waits is Waits.GUARDRAIL:
            self._why = look.hold.why
        if monotonic() - self._since > self.most_s:
            raise self.pace.failed(f"{at[1] or 'the end'} was not reached in {self.most_s:g} s: {self._why}")
