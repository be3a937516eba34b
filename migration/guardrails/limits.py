"""The guardrails by name, in which stages each means something, and the limits that the plan gives them.

What is not looked at in a stage says nothing there: a mirror that is not running has no lag.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from migration.model.guardrails import GuardrailVerdict, Outcome
from migration.model.stages import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping


class Guard(StrEnum):
    """A guardrail, as the plan file names it."""

    QUEUE_AGE = "queue_age"
    PULSE_AGE = "pulse_age"
    FACTS_UNFOLDED = "facts_unfolded"
    DEAD_LETTERS = "dead_letters"
    MIRROR_LAG = "mirror_lag"
    MIRROR_MISSES = "mirror_misses"
    SNAPSHOT_AGE = "snapshot_age"
    ERROR_RATE = "error_rate"
    LATENCY = "latency"
    DOOR_SETTLED = "door_settled"
    FOLD_EQUALITY = "fold_equality"
    UNEXPLAINED = "unexplained"
    RANK_AGREEMENT = "rank_agreement"


PROOFS: Final = (Guard.FOLD_EQUALITY, Guard.UNEXPLAINED, Guard.RANK_AGREEMENT)
VITAL: Final = tuple(one for one in Guard if one not in PROOFS)

_FOLDING: Final = frozenset(set(Stage) - {Stage.OFF})
_MIRRORING: Final = _FOLDING - {Stage.COMPLETE}
_SERVING: Final = frozenset({Stage.LIVE, Stage.RAMPDOWN, Stage.COMPLETE})
STAGES: Final[Mapping[Guard, frozenset[Stage]]] = {
    Guard.QUEUE_AGE: _FOLDING,
    Guard.PULSE_AGE: _FOLDING,
    Guard.FACTS_UNFOLDED: _FOLDING,
    Guard.DEAD_LETTERS: _FOLDING,
    Guard.MIRROR_LAG: _SERVING - {Stage.COMPLETE},
    Guard.MIRROR_MISSES: _MIRRORING,
    Guard.SNAPSHOT_AGE: _FOLDING - {Stage.DUALWRITE},
    Guard.ERROR_RATE: _SERVING,
    Guard.LATENCY: _SERVING,
    Guard.DOOR_SETTLED: _FOLDING,
    Guard.FOLD_EQUALITY: _MIRRORING,
    Guard.UNEXPLAINED: _MIRRORING,
    Guard.RANK_AGREEMENT: _MIRRORING - {Stage.DUALWRITE},
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What each guardrail is held against; docs/guardrails.md tells what each key does.

    Attributes:
        queue_age_s: nothing may be folded for so long while messages wait.
        pulse_age_s: the newest folded fact may be so old; a pulse comes every minute.
        lag_s: a fact has to be folded so soon.
        dead_letters: messages that may have been given up.
        mirror_lag_s: the reverse mirror's queue may hold messages for so long without getting shorter.
        mirror_misses: forward mirrors that may be missed and not reconciled, before it fails.
        snapshot_age_s: the newest snapshot may be so old.
        alpha: how likely one false alarm is at most, however often and long one looks at one epoch.
        error_margin: share of requests by which the pipeline's errors may exceed legacy's.
        error_rate: share of errors that is too much where legacy answers nobody.
        error_bad: errors in excess that must have been noticed before silence counts as a pass.
        latency_margin: share of requests that may be slower than legacy allows.
        latency_factor: how many times as slow as legacy the pipeline may be.
        latency_from_ms: what is quicker than this is quick enough.
        latency_ms: what is slower than this is slow, where legacy answers nobody.
        latency_bad: slow requests in excess that must have been noticed before silence counts as a pass.
        door_settled_s: instances may route by an older epoch for so long after the first left it.
        door_seen_s: an instance that was not heard of for so long says nothing.
        rank_biased: rank-biased overlap of the pipeline's board with the truth, at least.
        dry: guardrails that only tell.
        off: guardrails that are not looked at.
    """

    queue_age_s: float
    pulse_age_s: float
    lag_s: float
    dead_letters: int
    mirror_lag_s: float
    mirror_misses: int
    snapshot_age_s: float
    alpha: float
    error_margin: float
    error_rate: float
    error_bad: float
    latency_margin: float
    latency_factor: float
    latency_from_ms: float
    latency_ms: float
    latency_bad: float
    door_settled_s: float
    door_seen_s: float
    rank_biased: float
    dry: frozenset[Guard] = frozenset()
    off: frozenset[Guard] = frozenset()

    def looks_at(self, guard: Guard, stage: Stage) -> bool:
        """Whether a guardrail is looked at in a stage."""
        return guard not in self.off and stage in STAGES[guard]

    def verdict(self, guard: Guard, outcome: Outcome, why: str, at: float) -> GuardrailVerdict:
        """Give a verdict on evidence that was read at `at`."""
        return GuardrailVerdict(guard.value, outcome, why, at, dry=guard in self.dry)
