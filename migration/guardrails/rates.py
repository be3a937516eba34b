"""The guardrails `error_rate` and `latency`: the pipeline's answers held against legacy's at the same time.

    fail           the evidence that the pipeline is worse has reached 1/alpha
    pass           it has not, and a bad pipeline would have been noticed by now
    inconclusive   it has not, and even a bad pipeline would not have been noticed

Both roles, ingest and serve, are tested apart, because boards and activities do not take equally long; each
test has its part of alpha. Where legacy answers nobody (all traffic is the pipeline's), the plan's absolute
limit stands for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, exp, log, log2
from typing import TYPE_CHECKING, Final

from migration.door.counts import BUCKETS, Role, edge_ms
from migration.guardrails.cohorts import pulses_of
from migration.guardrails.limits import Guard
from migration.guardrails.sequential import log_e, log_mean
from migration.model.guardrails import Outcome
from migration.model.share import Share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migration.door.counts import DoorCounts
    from migration.guardrails.cohorts import Cohort, History
    from migration.guardrails.limits import Limits
    from migration.model.guardrails import GuardrailVerdict

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
class _Found:
    outcome: Outcome
    why: str


def error_rate(
    counts: Sequence[DoorCounts], history: History, limits: Limits, now: float
) -> GuardrailVerdict:
    """Judge the shares of 5xx answers and exceptions; pulses speak where clients are too few."""
    test = _Test(limits.error_rate, limits.error_bad, log(_PARTS / limits.alpha))

    def of_role(role: Role) -> _Found | None:
        pulses = pulses_of(counts, role, history.epoch).failed
        pulsed = _alone(f"{role} pulses: {pulses} failed", pulses, test)
        return _with_pulses(_errors(history.cohorts(counts, role), role, limits, test.threshold), pulsed)

    return _verdict(Guard.ERROR_RATE, [of_role(role) for role in Role], limits, now)


def latency(counts: Sequence[DoorCounts], history: History, limits: Limits, now: float) -> GuardrailVerdict:
    """Judge the shares of slow answers, at every threshold from `latency_from_ms` on, and pulses' alike."""
    test = _Test(limits.latency_margin, limits.latency_bad, log(_PARTS / limits.alpha))
    edge = _first_edge(limits.latency_ms)

    def of_role(role: Role) -> _Found | None:
        pulses = pulses_of(counts, role, history.epoch).slower(edge)
        pulsed = _alone(f"{role} pulses: {pulses} took over {edge_ms(edge):,.0f} ms", pulses, test)
        return _with_pulses(_slowness(history.cohorts(counts, role), role, limits, test.threshold), pulsed)

    return _verdict(Guard.LATENCY, [of_role(role) for role in Role], limits, now)


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


def _errors(cohorts: Sequence[Cohort], role: Role, limits: Limits, threshold: float) -> _Found | None:
    total, other = cohorts[0].pipeline.failed, cohorts[0].legacy.failed
    if not total.of:
        return None
    if not other.of:
        test = _Test(limits.error_rate, limits.error_bad, threshold)
        evidence = log_mean(
            (one.log_weight, log_e(one.pipeline.failed, None, test.margin)) for one in cohorts
        )
        return _judged(f"{role}: {total} failed, legacy answers nobody", evidence, total, None, test)
    test = _Test(limits.error_margin, limits.error_bad, threshold)
    evidence = log_mean(
        (one.log_weight, log_e(one.pipeline.failed, one.legacy.failed, test.margin)) for one in cohorts
    )
    return _judged(f"{role}: {total} failed, legacy's {other}", evidence, total, other, test)


def _slowness(cohorts: Sequence[Cohort], role: Role, limits: Limits, threshold: float) -> _Found | None:
    if not cohorts[0].pipeline.timed:
        return None
    test = _Test(limits.latency_margin, limits.latency_bad, threshold)
    if not cohorts[0].legacy.timed:
        edge = _first_edge(limits.latency_ms)
        evidence, total = _slower(cohorts, edge, None, test.margin), cohorts[0].pipeline.slower(edge)
        said = f"{role}: {total} took over {edge_ms(edge):,.0f} ms, legacy answers nobody"
        return _judged(said, evidence, total, None, test)
    steps = round(2 * log2(limits.latency_factor))
    edges = range(max(steps, _first_edge(limits.latency_from_ms)), BUCKETS - 1)
    greatest, edge = max((_slower(cohorts, edge, edge - steps, test.margin), -edge) for edge in edges)
    edge = -edge
    total, other = cohorts[0].pipeline.slower(edge), cohorts[0].legacy.slower(edge - steps)
    said = f"{role}: {total} took over {edge_ms(edge):,.0f} ms, legacy's {other} over "
    said += f"{edge_ms(edge - steps):,.0f} ms"
    # The mean over the thresholds is an e-process, and at least the greatest divided by their number.
    return _judged(said, greatest - log(len(edges)), total, other, test)


def _slower(cohorts: Sequence[Cohort], edge: int, legacy_edge: int | None, margin: float) -> float:
    def evidence(one: Cohort) -> float:
        legacy = None if legacy_edge is None else one.legacy.slower(legacy_edge)
        return log_e(one.pipeline.slower(edge), legacy, margin)

    return log_mean((one.log_weight, evidence(one)) for one in cohorts)


def _first_edge(elapsed_ms: float) -> int:
    """The first bucket that ends at this time or later."""
    return min(BUCKETS - 2, max(0, ceil(2 * log2(elapsed_ms))))


def _judged(said: str, evidence: float, total: Share, other: Share | None, test: _Test) -> _Found:
    said = f"{said} (margin {test.margin:.1%}); e = {_e_text(evidence)}, alarm at {exp(test.threshold):,.0f}"
    if evidence >= test.threshold:
        return _Found(Outcome.FAIL, said)
    bad = min(1.0, test.bad + (other.rate if other else 0.0))
    needed = requests_needed(bad, other, test.margin, test.threshold)
    if needed is None:
        return _Found(Outcome.INCONCLUSIVE, f"{said}; too few of legacy's to tell")
    would = f"were it {bad:.0%}, {needed:,} requests would tell"
    if total.of >= needed:
        return _Found(Outcome.PASS, f"{said}; {would}")
    return _Found(Outcome.INCONCLUSIVE, f"{said}; too few: {would}")


def _alone(said: str, pulses: Share, test: _Test) -> _Found | None:
    return _judged(said, log_e(pulses, None, test.margin), pulses, None, test) if pulses.of else None


def _with_pulses(clients: _Found | None, pulsed: _Found | None) -> _Found | None:
    """Let pulses that are enough stand in for clients who are too few; those that fail always count."""
    if clients is None or pulsed is None:
        return clients or pulsed
    why = f"{clients.why}; and {pulsed.why}"
    if pulsed.outcome is Outcome.FAIL or clients.outcome is Outcome.INCONCLUSIVE:
        return _Found(pulsed.outcome, why)
    return _Found(clients.outcome, why)


def _verdict(guard: Guard, roles: Sequence[_Found | None], limits: Limits, now: float) -> GuardrailVerdict:
    """Take the worse of the roles that anybody asked."""
    found = [one for one in roles if one is not None]
    outcome = max((one.outcome for one in found), key=list(Outcome).index, default=Outcome.INCONCLUSIVE)
    why = "; and ".join(one.why for one in found)
    return limits.verdict(guard, outcome, why or "the pipeline has answered nobody by this epoch", now)


def _e_text(evidence: float) -> str:
    return f"{exp(evidence):,.2g}" if evidence < _LARGE else f"10^{evidence / log(10):.0f}"
