"""Legacy's tables as the reverse mirror writes them: an activity is applied once, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from migration.model.facts import StoredFact


@dataclass(frozen=True, slots=True)
class Applied:
    """Legacy's event and its totals hold it now."""


@dataclass(frozen=True, slots=True)
class AppliedBefore:
    """Legacy had the event; nothing was written."""


@dataclass(frozen=True, slots=True)
class NotApplied:
    """Legacy's tables did not take it; applying it again is safe."""

    reason: str


class LegacySink(Protocol):
    """Applies facts to legacy."""

    def apply(self, fact: StoredFact) -> Applied | AppliedBefore | NotApplied:
        """Write the event and add to the totals, unless the event is there and finished."""
        ...
