"""Looking at guardrails. Each look reads primary sources; nothing is cached behind the caller's back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migration.model.guardrails import GuardrailVerdict
    from migration.model.state import State


class Guardrails(Protocol):
    """A set of guardrails. A look never raises for what one of them meets: that is its verdict `error`."""

    def look(self, state: State) -> Sequence[GuardrailVerdict]:
        """Look at every one of them now, as the state asks for it.

        Two sets are made of this: the *vital* ones, cheap enough for every second and for the watchdog, and
        the *proofs* (everything folded again, every key compared), which are looked at before each step.
        """
        ...
