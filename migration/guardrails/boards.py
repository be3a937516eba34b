"""The guardrail of what readers see: `snapshot_age`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Protocol

from migration.guardrails.guardrail import FOLDING, Assessment, at_most, seconds
from migration.guardrails.vital import Vital
from migration.model.guardrails import Outcome
from migration.model.moments import moment_text
from migration.model.stages import Stage

if TYPE_CHECKING:
    from migration.guardrails.vital import VitalLook


class BoardEvidence(Protocol):
    """What boards are made."""

    def snapshot_at(self) -> float | None:
        """Tell when the newest global board was made; None before the first."""
        ...


@dataclass(slots=True)
class SnapshotAge(Vital[BoardEvidence]):
    """A new global board is made every minute or so."""

    name: ClassVar = "snapshot_age"
    stages: ClassVar = FOLDING - {Stage.DUALWRITE}
    snapshot_age_s: float = seconds(180.0, "Age of the newest snapshot")

    def _assess(self, look: VitalLook[BoardEvidence]) -> Assessment:
        made = look.evidence.snapshot_at()
        if made is None:
            return Assessment(Outcome.INCONCLUSIVE, "there is no snapshot yet")
        age, most = max(0.0, look.now - made), self.snapshot_age_s
        why = f"the newest snapshot, of {moment_text(made)}, is {age:.0f} s old; the limit is {most:g} s"
        return Assessment(at_most(age, most), why)


GUARDRAILS: Final = (SnapshotAge,)
