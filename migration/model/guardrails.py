"""Guardrails: conditions that must hold before and while traffic moves, and what a look at one comes to.

Verdicts are ordered best to worst, and the worst wins. *Inconclusive* is not *failed*: there was too
little to judge by. *Error* is neither: it could not be measured. A dry guardrail is looked at and shown, and
counts as passed whatever it says.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from migration.model.state import State

# Tells when a move has taken effect, not how the pipeline does.
DOOR_SETTLED: Final = "door_settled"
# What a reconcile settles, so it holds none.
MIRROR_MISSES: Final = "mirror_misses"


class Outcome(StrEnum):
    """What a look at a guardrail came to, best first."""

    PASS = "pass"  # noqa: S105 - no password
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    FAIL = "fail"


_ORDER: Final = list(Outcome)


@dataclass(frozen=True, slots=True)
class GuardrailVerdict:
    """One look at one guardrail.

    Attributes:
        name: which, in the words of the plan file's `[guardrails]`.
        outcome: what it came to.
        why: the arithmetic, in words: what was measured, and what it was held against.
        observed_at: when its evidence was read, epoch seconds.
        dry: whether it only tells.
        rolls_back: whether going back helps against what it finds; else a failure holds, and people are told.
    """

    name: str
    outcome: Outcome
    why: str
    observed_at: float
    dry: bool = False
    rolls_back: bool = True

    @property
    def counted(self) -> Outcome:
        """What it counts as."""
        return Outcome.PASS if self.dry else self.outcome


class Guardrails(Protocol):
    """A set of guardrails. A look never raises for what one of them meets: that is its verdict `error`."""

    def look(self, state: State) -> Sequence[GuardrailVerdict]:
        """Look at every one of them now, as the state asks for it; each look reads primary sources.

        Two sets are made of this: the *vital* ones, cheap enough for every second and for the watchdog, and
        the *proofs* (everything folded again, every key compared), which are looked at before each step.
        """
        ...


def worst(verdicts: Iterable[GuardrailVerdict]) -> Outcome:
    """Give the worst of what they count as; nothing to hold is a pass."""
    return max((one.counted for one in verdicts), key=_ORDER.index, default=Outcome.PASS)


def verdict_detail(verdicts: Iterable[GuardrailVerdict]) -> list[dict[str, Any]]:
    """Write verdicts as a journal entry's detail has them."""
    return [asdict(one) for one in verdicts]
