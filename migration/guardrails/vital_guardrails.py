"""The vital guardrails: looked at every second, by the run and by the watchdog, in every waiting state.

One look reads each source once. What one look must remember for the next (since when a queue has stood, which
facts are watched, what was counted when) is kept here, so a set is made once and looked at again and again;
its first look alone can tell less.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from migration.guardrails.cohorts import History
from migration.guardrails.folding import dead_letters, facts_unfolded, pulse_age, queue_age, snapshot_age
from migration.guardrails.limits import VITAL, Guard
from migration.guardrails.mirrors import mirror_lag, mirror_misses, reconciled_before
from migration.guardrails.rates import error_rate, latency
from migration.guardrails.sampling import Sample
from migration.guardrails.settling import door_settled
from migration.guardrails.standing import Standing
from migration.model.errors import CutoverError
from migration.model.guardrails import GuardrailVerdict, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from migration.door.counts import DoorCounts
    from migration.guardrails.evidence import VitalEvidence
    from migration.guardrails.limits import Limits
    from migration.model.clock import Clock
    from migration.model.control_plane import ControlPlane
    from migration.model.live_lane import LiveState
    from migration.model.state import State


@dataclass(slots=True)
class Memory:
    """What looks remember."""

    folding: Standing = field(default_factory=Standing)
    mirroring: Standing = field(default_factory=Standing)
    sample: Sample = field(default_factory=Sample)
    history: History = field(default_factory=History)
    reconciled_before: float | None = None
    journal_read: str = ""


@dataclass(frozen=True, slots=True)
class VitalGuardrails:
    """One migration's vital guardrails, held against one plan's limits."""

    evidence: VitalEvidence
    plane: ControlPlane
    limits: Limits
    clock: Clock
    memory: Memory = field(default_factory=Memory)

    def look(self, state: State) -> Sequence[GuardrailVerdict]:
        """Look at every one that means something in the state's stage."""
        look = _Look(self, state)
        return [look.judge(guard) for guard in VITAL if self.limits.looks_at(guard, state.stage)]


@dataclass(frozen=True)
class _Look:
    guardrails: VitalGuardrails
    state: State

    def judge(self, guard: Guard) -> GuardrailVerdict:
        judges: Mapping[Guard, Callable[[], GuardrailVerdict]] = {
            Guard.QUEUE_AGE: self._queue_age,
            Guard.PULSE_AGE: lambda: pulse_age(self.lane.newest_folded_at, self.limits, self.now),
            Guard.FACTS_UNFOLDED: self._facts_unfolded,
            Guard.DEAD_LETTERS: lambda: dead_letters(self.evidence.dead(), self.limits, self.now),
            Guard.MIRROR_LAG: self._mirror_lag,
            Guard.MIRROR_MISSES: self._mirror_misses,
            Guard.SNAPSHOT_AGE: lambda: snapshot_age(self.evidence.snapshot_at(), self.limits, self.now),
            Guard.ERROR_RATE: lambda: error_rate(self.door, self.history, self.limits, self.now),
            Guard.LATENCY: lambda: latency(self.door, self.history, self.limits, self.now),
            Guard.DOOR_SETTLED: lambda: door_settled(self.door, self.state.epoch, self.limits, self.now),
        }
        try:
            return judges[guard]()
        except CutoverError as error:
            return self.limits.verdict(guard, Outcome.ERROR, str(error), self.now)

    def _queue_age(self) -> GuardrailVerdict:
        lane, memory = self.lane, self.memory
        memory.folding = memory.folding.after(lane.queued, lane.newest_folded_at, self.now)
        return queue_age(memory.folding, self.limits, self.now)

    def _facts_unfolded(self) -> GuardrailVerdict:
        sample = self.memory.sample.told(self.door, self.now)
        due = sample.due(self.limits.lag_s, self.now)
        checked = self.evidence.check(due)
        self.memory.sample = sample = sample.checked(checked.settled, self.now)
        seen = len(sample.settled) + len(checked.unfolded)
        pending = len(sample.watched) - len(checked.unfolded)
        return facts_unfolded(seen, checked.unfolded, pending, self.limits, self.now)

    def _mirror_lag(self) -> GuardrailVerdict:
        queued, memory = self.evidence.mirrored_back(), self.memory
        memory.mirroring = memory.mirroring.after(queued, None, self.now)
        return mirror_lag(memory.mirroring, self.limits, self.now)

    def _mirror_misses(self) -> GuardrailVerdict:
        memory = self.memory
        entries = list(self.guardrails.plane.journal(memory.journal_read))
        if entries:
            memory.journal_read = entries[-1].id
        found = reconciled_before(entries)
        if found is not None:
            memory.reconciled_before = max(found, memory.reconciled_before or found)
        return mirror_misses(self.door, memory.reconciled_before, self.limits, self.now)

    @cached_property
    def now(self) -> float:
        return self.guardrails.clock.now()

    @cached_property
    def door(self) -> Sequence[DoorCounts]:
        return self.evidence.door()

    @cached_property
    def lane(self) -> LiveState:
        return self.evidence.lane()

    @cached_property
    def history(self) -> History:
        """What was counted at earlier looks; this look's counts are remembered for the next."""
        was = self.memory.history
        current = was if was.epoch == self.state.epoch else History(self.state.epoch)
        self.memory.history = current.after(self.door, self.state.epoch, self.now)
        return current

    @property
    def evidence(self) -> VitalEvidence:
        return self.guardrails.evidence

    @property
    def limits(self) -> Limits:
        return self.guardrails.limits

    @property
    def memory(self) -> Memory:
        return self.guardrails.memory
