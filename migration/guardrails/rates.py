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
from operator import itemgetter, methodcaller
from typing import TYPE_CHECKING, ClassVar, Final

from migration.door.counts import BUCKETS, Role, edge_ms
from migration.door.share import Share
from migration.guardrails.cohorts import History, pulses_of
from migration.guardrails.guardrail import SERVING, Assessment, limit, share
from migration.guardrails.sequential import log_e, log_mean
from migration.guardrails.vital import DoorEvidence, Vital
from migration.model.guardrails import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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


@dataclass(frozen=True, slots=True)
class _Sign:
    """How bad answers are told from good ones, of the pipeline's and of legacy's, and how that is said."""

    of: Callable[[Answers], Share]
    said: str
    of_legacy: Callable[[Answers], Share]
    said_of_legacy: str


@dataclass(slots=True)
class _Compared(Vital[DoorEvidence]):
    """The pipeline answers as legacy does, in each role; pulses speak where clients are too few."""

    stages: ClassVar = SERVING
    lives_on_requests: ClassVar = True
    alpha: float = share(0.01, "Chance of a false alarm, of each rate and epoch")
    history: History = field(default_factory=History, init=False)  # of the looks at this epoch

    def _assess(self, look: VitalLook[DoorEvidence]) -> Assessment:
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

    @abstractmethod
    def _beside(self) -> tuple[_Test, Sequence[_Sign]]:
        """Tell how it is held against legacy: by the mean over these signs, as one test."""

    @abstractmethod
    def _alone(self) -> tuple[_Test, _Sign]:
        """Tell how it is judged where legacy answers nobody."""

    def _test(self, margin: float, bad: float) -> _Test:
        return _Test(margin, bad, log(_PARTS / self.alpha))

    def _of_clients(self, role: Role, cohorts: Sequence[Cohort]) -> Assessment | None:
        (test, sign), whole = self._alone(), cohorts[0]
        total = sign.of(whole.pipeline)
        if not total.of:
            return None
        if not sign.of(whole.legacy).of:
            evidence = log_mean(
                (one.log_weight, log_e(sign.of(one.pipeline), None, test.margin)) for one in cohorts
            )
            return _judged(f"{role}: {total} {sign.said}, legacy answers nobody", evidence, total, None, test)
        test, signs = self._beside()
        greatest, sign = max(
            ((_evidence(cohorts, one, test.margin), one) for one in signs), key=itemgetter(0)
        )
        total, other = sign.of(whole.pipeline), sign.of_legacy(whole.legacy)
        said = f"{role}: {total} {sign.said}, legacy's {other}{sign.said_of_legacy}"
        # The mean over the signs is an e-process, and at least the greatest divided by their number.
        return _judged(said, greatest - log(len(signs)), total, other, test)

    def _of_pulses(self, role: Role, pulses: Answers) -> Assessment | None:
        test, sign = self._alone()
        total = sign.of(pulses)
        if not total.of:
            return None
        evidence = log_e(total, None, test.margin)
        return _judged(f"{role} pulses: {total} {sign.said}", evidence, total, None, test)


def error_margin() -> float:
    """Declare the limit that both guardrails of errors share."""
    return share(0.01, "By how much an error rate may exceed what it is held against")


def error_rate() -> float:
    """Declare the other one."""
    return share(0.02, "Error rate, where there is nothing to hold it against")


@dataclass(slots=True)
class ErrorRate(_Compared):
    """The pipeline answers 5xx, or raises, no more often than legacy at the same time."""

    name: ClassVar = "error_rate"
    error_margin: float = error_margin()
    error_rate: float = error_rate()
    error_bad: float = share(0.2, "Excess of errors that must have been noticed before it passes")

    def __post_init__(self) -> None:
        margins = {"error_margin": self.error_margin, "error_rate": self.error_rate}
        _be_noticeable("error_bad", self.error_bad, margins)

    def _beside(self) -> tuple[_Test, Sequence[_Sign]]:
        return self._test(self.error_margin, self.error_bad), [_FAILED]

    def _alone(self) -> tuple[_Test, _Sign]:
        return self._test(self.error_rate, self.error_bad), _FAILED


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
        _be_noticeable("latency_bad", self.latency_bad, {"latency_margin": self.latency_margin})

    def _beside(self) -> tuple[_Test, Sequence[_Sign]]:
        """Compare at every threshold from `latency_from_ms` on."""
        steps = round(2 * log2(self.latency_factor))
        edges = range(max(steps, _first_edge(self.latency_from_ms)), BUCKETS - 1)
        return self._test(self.latency_margin, self.latency_bad), [
            _slow(edge, edge - steps) for edge in edges
        ]

    def _alone(self) -> tuple[_Test, _Sign]:
        edge = _first_edge(self.latency_ms)
        return self._test(self.latency_margin, self.latency_bad), _slow(edge, edge)


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


def _be_noticeable(key: str, bad: float, margins: Mapping[str, float]) -> None:
    for margin, allowed in margins.items():
        if bad <= allowed:
            raise ValueError(f"{key} must be greater than {margin}, or it would never be noticed")


def _failed(answers: Answers) -> Share:
    return answers.failed


_FAILED: Final = _Sign(_failed, "failed", _failed, "")


def _slow(edge: int, legacy_edge: int) -> _Sign:
    """Tell slow answers by where a bucket ends; legacy's by another."""
    took, legacy_took = f"took over {edge_ms(edge):,.0f} ms", f" over {edge_ms(legacy_edge):,.0f} ms"
    return _Sign(methodcaller("slower", edge), took, methodcaller("slower", legacy_edge), legacy_took)


def _evidence(cohorts: Sequence[Cohort], sign: _Sign, margin: float) -> float:
    return log_mean(
        (one.log_weight, log_e(sign.of(one.pipeline), sign.of_legacy(one.legacy), margin)) for one in cohorts
    )


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
