"""The vital guardrails' look: made every second, by the run and by the watchdog, in every waiting state.

They read primary sources only, each cheap enough for that, and each once a look.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from migration.guardrails.guardrail import Guardrail

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from migration.door.counts import DoorCounts
    from migration.model.clock import Clock
    from migration.model.state import State

_Evidence_co = TypeVar("_Evidence_co", covariant=True)
_Asked_contra = TypeVar("_Asked_contra", contravariant=True)
_Read = TypeVar("_Read")


class DoorEvidence(Protocol):
    """What the front door tells. As of every evidence, a method raises RemoteError when AWS fails."""

    def door(self) -> Sequence[DoorCounts]:
        """Read what every instance of the front door told last."""
        ...


@dataclass(frozen=True)
class VitalLook(Generic[_Evidence_co]):
    """One look at a stack.

    Attributes:
        evidence: the stack's sources.
        state: the migration's, as the look began.
        clock: the time.
    """

    evidence: _Evidence_co
    state: State
    clock: Clock
    _read: dict[Callable[[], Any], Any] = field(default_factory=dict, init=False)

    @cached_property
    def now(self) -> float:
        """When its evidence is read, epoch seconds."""
        return self.clock.now()

    def once(self, source: Callable[[], _Read]) -> _Read:
        """Read a source that several guardrails ask for."""
        if source not in self._read:
            self._read[source] = source()
        found: _Read = self._read[source]
        return found


class Vital(Guardrail[VitalLook[_Asked_contra]], Generic[_Asked_contra]):
    """A guardrail that asks for this evidence every second."""

    __slots__ = ()
