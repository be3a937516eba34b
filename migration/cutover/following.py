"""Keeping the traffic switch where the state says: after a move, after a crash, and when somebody turns it.

    read the switch ─► read the state ─► the same? ─► yes: it follows
          ▲                               │ no
          └──── apply, unless it changed ◄┘

The order is the fence (ports/traffic_switch): a state that was moved on from meanwhile cannot be applied any
more. It decides nothing about which state it shall be; it never writes one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from migration.cutover.looks import Hold, Waits
from migration.cutover.moves import control_words
from migration.cutover.traffic_switch import Foreign
from migration.model.errors import ConflictError, RemoteError
from migration.model.guardrails import Outcome

if TYPE_CHECKING:
    from migration.cutover.traffic_switch import TrafficSwitch
    from migration.model.clock import Clock
    from migration.model.control_plane import ControlPlane
    from migration.model.stages import Control

LOOK_AGAIN_S: Final = 5.0  # at a switch that followed: somebody may have turned it by hand
TRIES: Final = 5  # a race is lost to somebody who applied the same state, or a newer one


@dataclass(slots=True)
class Following:
    """One process's care for one migration's switch."""

    switch: TrafficSwitch
    plane: ControlPlane
    clock: Clock
    _followed: int = field(default=-1, init=False)
    _seen_at: float = field(default=0.0, init=False)

    def see(self, epoch: int) -> Hold | None:
        """See that traffic goes as the state says, and make it; None when it does, else why it does not.

        Args:
            epoch: of the state as the caller read it; what followed it a moment ago is not looked at again.
        """
        if self._followed == epoch and self.clock.elapsed() - self._seen_at < LOOK_AGAIN_S:
            return None
        try:
            return self._follow()
        except RemoteError as error:
            return _held(f"whether traffic follows the state is not known: {error}", Outcome.ERROR)

    def check(self, control: Control) -> None:
        """See it for a command that ends now.

        Raises:
            ConflictError, RemoteError: when traffic does not follow the state.
        """
        held = self.see(control.epoch)
        if held is not None:
            kind = RemoteError if held.outcome is Outcome.ERROR else ConflictError
            raise kind(
                f"the state is {control_words(control)}, and doors obey it; {held.why}",
                hint="give the same command again; docs/traffic-switches.md says what else helps",
                next_command="cutover status",
            )

    def _follow(self) -> Hold | None:
        for _ in range(TRIES):
            seen = self.switch.read()
            if isinstance(seen, Foreign):
                return _held(seen.why, Outcome.FAIL)
            control = self.plane.state().control
            if seen.newest > control.epoch:
                return _held(
                    f"it follows epoch {seen.newest}, and the state is at epoch {control.epoch} only: "
                    "see `cutover doctor`; or forget that history, and empty the aliases' descriptions",
                    Outcome.FAIL,
                )
            if seen.follow(control):
                self._followed, self._seen_at = control.epoch, self.clock.elapsed()
                return None
            self.switch.apply(control, seen)
        return _held(f"others set it as well, {TRIES} times; it is tried again", Outcome.INCONCLUSIVE)


def _held(why: str, outcome: Outcome) -> Hold:
    return Hold(Waits.GUARDRAIL, f"traffic does not follow the state: {why}", outcome)
