"""The guardrail `legacy_errors`: harm that the migration does to legacy, which no other comparison shows.

While both answer, the pipeline is held against legacy, so a legacy made worse would let it pass. Here legacy
is held against itself: against what it came to before the reverse mirror began, as far as this process has
seen that, or else against the plan's limit. Going back would move clients onto the side that is harmed, so a
failure holds and is told, and never rolls back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log
from typing import TYPE_CHECKING, ClassVar, Final

from migration.door.counts import NOTHING, Answers, Role
from migration.door.share import Share
from migration.guardrails.cohorts import History
from migration.guardrails.guardrail import MIRRORING, SERVING, Assessment
from migration.guardrails.rates import error_margin, error_rate
from migration.guardrails.sequential import log_e, log_mean
from migration.guardrails.vital import DoorEvidence, Vital
from migration.model.guardrails import Outcome

if TYPE_CHECKING:
    from migration.guardrails.vital import VitalLook

_ALPHA: Final = 0.01  # chance of a false alarm, of each epoch
_THRESHOLD: Final = log(len(Role) / _ALPHA)


@dataclass(slots=True)
class LegacyErrors(Vital[DoorEvidence]):
    """Legacy answers 5xx, or raises, no more often than before the reverse mirror began."""

    name: ClassVar = "legacy_errors"
    stages: ClassVar = MIRRORING
    rolls_back: ClassVar = False
    error_margin: float = error_margin()
    error_rate: float = error_rate()
    history: History = field(default_factory=History, init=False)
    before: dict[Role, Answers] = field(default_factory=dict, init=False)

    def _assess(self, look: VitalLook[DoorEvidence]) -> Assessment:
        counts, epoch = look.once(look.evidence.door), look.state.epoch
        self.history = self.history.after(counts, epoch, look.now)
        if not any(one.epoch == epoch for one in counts):
            return Assessment(Outcome.INCONCLUSIVE, "no door has told of anything by this epoch")
        cohorts = {role: self.history.cohorts(counts, role) for role in Role}
        mirrors = look.state.stage in SERVING
        outcome, said = Outcome.PASS, []
        for role, ones in cohorts.items():
            now = ones[0].legacy.failed
            if not now.of:
                continue
            was = self.before.get(role, NOTHING).failed if mirrors else Share(0, 0)
            held, margin = (was, self.error_margin) if was.of else (None, self.error_rate)
            evidence = log_mean((one.log_weight, log_e(one.legacy.failed, held, margin)) for one in ones)
            against = f"{was} before the reverse mirror began" if held else "the plan's limit"
            said.append(f"{role}: legacy failed {now}, held against {against} (margin {margin:.1%})")
            if evidence >= _THRESHOLD:
                outcome = Outcome.FAIL
        if outcome is Outcome.PASS and not mirrors:
            self.before = {role: ones[0].legacy for role, ones in cohorts.items()}
        return Assessment(outcome, "; and ".join(said) or "legacy answers nobody by this epoch")


GUARDRAILS: Final = (LegacyErrors,)
