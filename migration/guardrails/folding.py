"""The guardrails of the pipeline's folding: `queue_age`, `pulse_age`, `facts_unfolded`, `dead_letters`.

facts ──► pipe ──► queue ──► aggregator ──► newest_folded_at
  │         │        │           └ every transaction fails: queue_age, while messages wait
  │         │        └ one message fails too often: dead_letters
  │         └ stopped, so the queue is empty: pulse_age
  └ the sample: this very fact is not folded: facts_unfolded, whatever the cause
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final, Protocol

from migration.guardrails.guardrail import FOLDING, Assessment, at_most, limit, seconds
from migration.guardrails.sampling import Sample
from migration.guardrails.standing import Standing
from migration.guardrails.vital import DoorEvidence, Vital
from migration.model.guardrails import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migration.door.counts import Witness
    from migration.guardrails.vital import VitalLook
    from migration.model.live_lane import LiveState

_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Checked:
    """Sampled facts that were looked up.

    Attributes:
        settled: identities that need no second look: folded, or no facts that the live lane folds.
        unfolded: facts that are not folded; their `at` is when they were ingested.
    """

    settled: frozenset[str]
    unfolded: tuple[Witness, ...]


class FoldingEvidence(DoorEvidence, Protocol):
    """How far the pipeline's folds are."""

    def lane(self) -> LiveState:
        """Read the live lane's queue and how far its folds are."""
        ...

    def check(self, witnesses: Sequence[Witness]) -> Checked:
        """Look up whether these facts are folded."""
        ...

    def dead(self) -> Mapping[str, int]:
        """Count the messages of each of the live lane's dead-letter queues, by what could not be done."""
        ...


@dataclass(slots=True)
class QueueAge(Vital[FoldingEvidence]):
    """While messages wait, something newer is folded, or they get fewer."""

    name: ClassVar = "queue_age"
    stages: ClassVar = FOLDING
    queue_age_s: float = seconds(5.0, "Seconds that messages may wait while nothing is folded")
    standing: Standing = field(default_factory=Standing, init=False)

    def _assess(self, look: VitalLook[FoldingEvidence]) -> Assessment:
        lane = look.once(look.evidence.lane)
        self.standing = self.standing.after(lane.queued, lane.newest_folded_at, look.now)
        age, most = self.standing.for_s(look.now), self.queue_age_s
        why = f"{lane.queued:,} messages wait or are worked on"
        if lane.queued:
            why += f", not fewer and nothing newer folded for {age:.1f} s; the limit is {most:g} s"
        return Assessment(at_most(age, most), why)


@dataclass(slots=True)
class PulseAge(Vital[FoldingEvidence]):
    """Something is folded every few minutes; a pulse comes every minute, so silence is no excuse."""

    name: ClassVar = "pulse_age"
    stages: ClassVar = FOLDING
    pulse_age_s: float = seconds(150.0, "Age of the newest folded fact or pulse")

    def _assess(self, look: VitalLook[FoldingEvidence]) -> Assessment:
        newest = look.once(look.evidence.lane).newest_folded_at
        if newest is None:
            return Assessment(Outcome.INCONCLUSIVE, "nothing was ever folded, not even a pulse")
        age, most = max(0.0, look.now - newest), self.pulse_age_s
        why = f"the newest folded fact came {age:.1f} s ago; a pulse comes every minute"
        return Assessment(at_most(age, most), f"{why}, the limit is {most:g} s")


@dataclass(slots=True)
class FactsUnfolded(Vital[FoldingEvidence]):
    """Every sampled fact is folded in time."""

    name: ClassVar = "facts_unfolded"
    stages: ClassVar = FOLDING
    lives_on_requests: ClassVar = True
    lag_s: float = seconds(10.0, "Seconds after which a fact must be folded")
    sample: Sample = field(default_factory=Sample, init=False)

    def _assess(self, look: VitalLook[FoldingEvidence]) -> Assessment:
        sample = self.sample.told(look.once(look.evidence.door), look.now)
        found = look.evidence.check(sample.due(self.lag_s, look.now))
        self.sample = sample = sample.checked(found.settled, look.now)
        checked = len(sample.settled) + len(found.unfolded)
        if found.unfolded:
            return Assessment(Outcome.FAIL, self._late(checked, found.unfolded, look.now))
        why = f"all {checked:,} sampled facts older than {self.lag_s:g} s are folded"
        outcome = Outcome.PASS if checked else Outcome.INCONCLUSIVE
        return Assessment(outcome, f"{why}; {len(sample.watched):,} are younger")

    def _late(self, checked: int, unfolded: Sequence[Witness], now: float) -> str:
        late = f"{len(unfolded):,} of {checked:,} sampled facts older than {self.lag_s:g} s are not folded"
        named = (
            f"{one.event_id} of {one.employee_id} ({now - one.at:.1f} s old)" for one in unfolded[:_NAMED]
        )
        return f"{late}: {', '.join(named)}"


def given_up() -> int:
    """Declare the limit that every guardrail of dead-letter queues shares."""
    return limit(0, "Messages that may have been given up", ge=0)


def assess_given_up(depths: Mapping[str, int], most: int) -> Assessment:
    """Hold what is in dead-letter queues against the limit; without a queue, nothing is known."""
    if not depths:
        return Assessment(Outcome.INCONCLUSIVE, "the stack exports no dead-letter queue")
    total = sum(depths.values())
    each = ", ".join(f"{name} {depth:,}" for name, depth in depths.items())
    why = f"{total:,} messages were given up ({each}); the limit is {most:,}"
    return Assessment(at_most(total, most), why)


@dataclass(slots=True)
class DeadLetters(Vital[FoldingEvidence]):
    """No message of the live lane was given up, over both of its dead-letter queues."""

    name: ClassVar = "dead_letters"
    stages: ClassVar = FOLDING
    dead_letters: int = given_up()

    def _assess(self, look: VitalLook[FoldingEvidence]) -> Assessment:
        return assess_given_up(look.evidence.dead(), self.dead_letters)


GUARDRAILS: Final = (QueueAge, PulseAge, FactsUnfolded, DeadLetters)
