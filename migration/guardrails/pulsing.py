"""Guardrails that send pulses while clients are too quiet to tell anything, at the pace of the looks.

It decides when a pulse is worth sending: as long as a guardrail that lives on requests is inconclusive.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from migration.guardrails.registry import VITAL
from migration.model.errors import CutoverError
from migration.model.guardrails import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future

    from migration.guardrails.prober import Prober
    from migration.model.guardrails import Guardrails, GuardrailVerdict
    from migration.model.state import State

LIVE_ON_REQUESTS: Final = frozenset(one.name for one in VITAL if one.lives_on_requests)


@dataclass(slots=True)
class PulsingGuardrails:
    """A set that makes its own evidence where there is none.

    A look never waits for a pulse: the next look finds what the door counted of it.

    Attributes:
        guardrails: the set.
        probers: of each of the door's functions.
    """

    guardrails: Guardrails
    probers: Sequence[Prober]
    _pool: ThreadPoolExecutor = field(init=False)
    _under_way: list[Future[None]] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        """Give every prober a thread of its own."""
        self._pool = ThreadPoolExecutor(max(1, len(self.probers)), thread_name_prefix="pulse")

    def look(self, state: State) -> Sequence[GuardrailVerdict]:
        """Look, and send a pulse through every function if somebody's silence is all that was seen."""
        verdicts = self.guardrails.look(state)
        quiet = any(one.name in LIVE_ON_REQUESTS and one.outcome is Outcome.INCONCLUSIVE for one in verdicts)
        if quiet and all(one.done() for one in self._under_way):
            self._under_way = [self._pool.submit(_send, prober) for prober in self.probers]
        return verdicts


def _send(prober: Prober) -> None:
    """Send one; a door that cannot be asked shows in the guardrails, which stay inconclusive."""
    try:
        prober.pulse()
    except CutoverError:
        return
