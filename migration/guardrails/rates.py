"""The guardrails `error_rate` and `latency`: the pipeline's answers held against legacy's at the same time.

    fail           the evidence that the pipeline is worse has reached 1/alpha
    pass           it has not, and a bad pipeline would have been noticed by now
    inconclusive   it has not, and even a bad pipeline would not have been noticed

Both roles, ingest and serve, are tested apart, because boards and activities do not take equally long; each
test has its part of alpha. Where legacy answers nobody (all traffic is the pipeline's), the plan's absolute
limit stands for it.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from math import ceil, exp, log, log2
from typing import TYPE_CHECKING, ClassVar, Final

from migration.door.counts import BUCKETS, Role, edge_ms
from migration.guardrails.cohorts import History, pulses_of
from migration.guardrails.guardrail import SERVING, Assessment, limit, share
from migration.guardrails.sequential import log_e, log_mean
from migration.guardrails.vital import DoorEvidence, Vital
from migration.model.guardrails import Outcome
from migration.model.share import Share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migration.door.counts import Answers
    from migration.guardrails.cohorts import Cohort
    from migration.guardrails.vital import VitalLook

_PARTS: Final = 2 * len(Role)  # of alpha: clients' requests and pulses, of each role
_ENOUGH: Final = 100_000  # requests; where so many would not do, none would
_LARGE: Final = 20.0  # ln e; above it only its size matters


@dataclass(frozen=True, slots=True)
class _Test:
    """Is the share above legacy's by more than `margin`? One that is so by `bad` must not go unnoticed."""

    margin: float
    bad: float
    threshold: float


@dataclass(slots=True)
class _Compared(Vital[DoorEvidence]):
    """The pipeline answers as legacy does, to clients and to pulses, in each role.

    Attributes:
        history: what was counted at earlier looks at this epoch.
    """

    stages: ClassVar = SERVING
    lives_on_requests: ClassVar = True
    alpha: float = share(0.01, "Chance of a false alarm, of each rate and epoch")
    history: History = field(default_factory=History, init=False)

    def assess(self, look: VitalLook[DoorEvidence]) -> Assessment:
        """Take the worse of the roles that anybody asked; pulses speak where clients are too few."""
        counts, epoch = look.once(look.evidence.door), look.state.epoch
        was = self.history if self.history.epoch == epoch else History(epoch)
        self.history = was.after(counts, epoch, look.now)
        roles = [
            _with_pulses(
                self._of_clients(role, was.cohorts(counts, role)),
                self._of_pulses(role, pulses_of(counts, role, epoch)),
            )
            for role in Role
        ]
        found = [one for one in roles if one is not None]
        outcome = max((one.outcome for one in found), key=list(Outcome).index, default=Outcome.INCONCLUSIVE)
        why = "; and ".join(one.why for one in found)
        return Assessment(outcome, why or "the pipeline has answered nobody by this epoch")

    @property
    def _threshold(self) -> float:
        return log(_PARTS / self.alpha)

    @abstractmethod
    def _of_clients(self, role: Role, cohorts: Sequence[Cohort]) -> Assessment | None:
        """Assess what clients got of the pipeline; None when nobody asked."""

    @abstractmethod
    def _of_pulses(self, role: Role, pulses: Answers) -> Assessment | None:
        """Assess what pulses got of it; None when none was sent."""


@dataclass(slots=True)
class ErrorRate(_Compared):
    """The pipeline answers 5xx, or raises, no more often than legacy at the same time."""

    name: ClassVar = "error_rate"
    error_margin: float = share(0.01, "By how much the pipeline's error rate may exceed legacy's")
    error_rate: float = share(0.02, "Error rate, where legacy answers nobody")
    error_bad: float = share(0.2, "Excess of errors that must have been noticed before it passes")

    def __post_init__(self) -> None:
        """Refuse limits under which nothing bad would ever be noticed."""
        _be_noticeable(
            "error_bad", self.error_bad, error_margin=self.error_margin, error_rate=self.error_rate
        )

    def _of_clients(self, role: Role, cohorts: Sequence[Cohort]) -> Assessment | None:
        total, other = cohorts[0].pipeline.failed, cohorts[0].legacy.failed
        if not total.of:
            return None
        if not other.of:
            test = self._test(self.error_rate)
            evidence = log_mean(
                (one.log_weight, log_e(one.pipeline.failed, None, test.margin)) for one in cohorts
            )
            return _judged(f"{role}: {total} failed, legacy answers nobody", evidence, total, None, test)
        test = self._test(self.error_margin)
        evidence = log_mean(
            (one.log_weight, log_e(one.pipeline.failed, one.legacy.failed, test.margin)) for one in cohorts
        )
        return _judged(f"{role}: {total} failed, legacy's {other}", evidence, total, other, test)

    def _of_pulses(self, role: Role, pulses: Answers) -> Assessment | None:
        failed = pulses.failed
        return _alone(f"{role} pulses: {failed} failed", failed, self._test(self.error_rate))

    def _test(self, margin: float) -> _Test:
        return _Test(margin, self.error_bad, self._threshold)


@dataclass(slots=True)
class Latency(_Compared):
    """The pipeline is slow no more often than legacy at the same time, whatever slow is."""

    name: ClassVar = "latency"
    latency_margin: float = share(0.05, "Share of requests that may be slower than legacy allows")
    latency_factor: float = limit(2.0, "Times as slow as legacy that the pipeline may be", ge=1, le=64)
    latency_from_ms: float = limit(
        100.0, "Milliseconds below which anything is quick enough", ge=1, le=10_000
    )
    latency_ms: float = limit(
        1000.0, "Milliseconds that are slow, where legacy answers nobody", ge=1, le=10_000
    )
    latency_bad: float = share(0.3, "Excess of slow requests that must have been noticed before it passes")

    def __post_init__(self) -> None:
        """Refuse limits under which nothing bad would ever be noticed."""
        _be_noticeable("latency_bad", self.latency_bad, latency_margin=self.latency_margin)

    def _of_clients(self, role: Role, cohorts: Sequence[Cohort]) -> Assessment | None:
        if not cohorts[0].pipeline.timed:
            return None
        return self._beside(role, cohorts) if cohorts[0].legacy.timed else self._unequalled(role, cohorts)

    def _unequalled(self, role: Role, cohorts: Sequence[Cohort]) -> Assessment:
        """Hold the pipeline against what is slow in itself."""
        edge = _first_edge(self.latency_ms)
        evidence = _slower(cohorts, edge, None, self.latency_margin)
        total = cohorts[0].pipeline.slower(edge)
        said = f"{role}: {total} took over {edge_ms(edge):,.0f} ms, legacy answers nobody"
        return _judged(said, evidence, total, None, self._test)

    def _beside(self, role: Role, cohorts: Sequence[Cohort]) -> Assessment:
        """Hold it against legacy, at every threshold from `latency_from_ms` on."""
        steps = round(2 * log2(self.latency_factor))
        edges = range(max(steps, _first_edge(self.latency_from_ms)), BUCKETS - 1)
        greatest, edge = max(
            (_slower(cohorts, edge, edge - steps, self.latency_margin), -edge) for edge in edges
        )
        edge = -edge
        total, other = cohorts[0].pipeline.slower(edge), cohorts[0].legacy.slower(edge - steps)
        said = f"{role}: {total} took over {edge_ms(edge):,.0f} ms, legacy's {other} over "
        said += f"{edge_ms(edge - steps):,.0f} ms"
        # The mean over the thresholds is an e-process, and at least the greatest divided by their number.
        return _judged(said, greatest - log(len(edges)), total, other, self._test)

    def _of_pulses(self, role: Role, pulses: Answers) -> Assessment | None:
        edge = _first_edge(self.latency_ms)
        slow = pulses.slower(edge)
        return _alone(f"{role} pulses: {slow} took over {edge_ms(edge):,.0f} ms", slow, self._test)

    @property
    def _test(self) -> _Test:
        return _Test(self.latency_margin, self.latency_bad, self._threshold)


def requests_needed(bad: float, legacy: Share | None, margin: float, threshold: float) -> int | None:
    """Tell how many requests, a share `bad` of them hits, would raise the alarm; None if no number would.

    Args:
        bad: share that must not go unnoticed.
        legacy: what legacy came to; None where it answers nobody.
        margin: as in the test.
        threshold: ln e that raises the alarm.
    """

    def noticed(count: int) -> bool:
        return log_e(Share(ceil(bad * count), count), legacy, margin) >= threshold

    low, high = 0, _ENOUGH
    if not noticed(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if noticed(middle) else (middle, high)
    return high


def _be_noticeable(key: str, bad: float, **margins: float) -> None:
    for margin, allowed in margins.items():
        if bad <= allowed:
            raise ValueError(f"{key} must be greater than {margin}, or it would never be noticed")


def _slower(cohorts: Sequence[Cohort], edge: int, legacy_edge: int | None, margin: float) -> float:
    def evidence(one: Cohort) -> float:
        legacy = None if legacy_edge is None else one.legacy.slower(legacy_edge)
        return log_e(one.pipeline.slower(edge), legacy, margin)

    return log_mean((one.log_weight, evidence(one)) for one in cohorts)


def _first_edge(elapsed_ms: float) -> int:
    """The first bucket that ends at this time or later."""
    return min(BUCKETS - 2, max(0, ceil(2 * log2(elapsed_ms))))


def _judged(said: str, evidence: float, total: Share, other: Share | None, test: _Test) -> Assessment:
    said = f"{said} (margin {test.margin:.1%}); e = {_e_text(evidence)}, alarm at {exp(test.threshold):,.0f}"
    if evidence >= test.threshold:
        return Assessment(Outcome.FAIL, said)
    bad = min(1.0, test.bad + (other.rate if other else 0.0))
    needed = requests_needed(bad, other, test.margin, test.threshold)
    if needed is None:
        return Assessment(Outcome.INCONCLUSIVE, f"{said}; too few of legacy's to tell")
    would = f"were it {bad:.0%}, {needed:,} requests would tell"
    if total.of >= needed:
        return Assessment(Outcome.PASS, f"{said}; {would}")
    return Assessment(Outcome.INCONCLUSIVE, f"{said}; too few: {would}")


def _alone(said: str, pulses: Share, test: _Test) -> Assessment | None:
    return _judged(said, log_e(pulses, None, test.margin), pulses, None, test) if pulses.of else None


def _with_pulses(clients: Assessment | None, pulsed: Assessment | None) -> Assessment | None:
    """Let pulses that are enough stand in for clients who are too few; those that fail always count."""
    if clients is None or pulsed is None:
        return clients or pulsed
    why = f"{clients.why}; and {pulsed.why}"
    if pulsed.outcome is Outcome.FAIL or clients.outcome is Outcome.INCONCLUSIVE:
        return Assessment(pulsed.outcome, why)
    return Assessment(clients.outcome, why)


def _e_text(evidence: float) -> str:
    return f"{exp(evidence):,.2g}" if evidence < _LARGE else f"10^{evidence / log(10):.0f}"


GUARDRAILS: Final = (ErrorRate, Latency)
