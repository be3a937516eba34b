"""Two rates compared while one keeps looking: rarely a false alarm, and a true one soon."""

from __future__ import annotations

import random
from math import exp, log, sqrt
from typing import TYPE_CHECKING, Any

import pytest

from migration.door.counts import Role
from migration.door.share import Share
from migration.guardrails.cohorts import History
from migration.guardrails.rates import ErrorRate, Latency, requests_needed
from migration.guardrails.sequential import log_e, log_mean
from migration.model.guardrails import Outcome
from tests.guarding_world import EPOCH, NOW, answers, door, guardrail, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from migration.door.counts import DoorCounts
    from migration.model.guardrails import GuardrailVerdict

ALPHA = 0.05
MARGIN = 0.01


def error_rate(counts: Sequence[DoorCounts], **changes: Any) -> GuardrailVerdict:
    return verdict(guardrail(ErrorRate, **changes), counts)


def latency(counts: Sequence[DoorCounts]) -> GuardrailVerdict:
    return verdict(guardrail(Latency), counts)


def stream(
    rng: random.Random, rates: tuple[float, float], count: int, share: float = 0.5
) -> Iterator[tuple[Share, Share]]:
    """Both sides' counts after each request."""
    hits, of = [0, 0], [0, 0]
    for _ in range(count):
        side = rng.random() < share
        of[side] += 1
        hits[side] += rng.random() < rates[side]
        yield Share(hits[1], of[1]), Share(hits[0], of[0])


def alarms(
    alarmed: Callable[[Share, Share], bool], rates: tuple[float, float], runs: int, count: int
) -> float:
    """Share of runs in which somebody who looks after every request is alarmed at least once."""
    rng = random.Random(20260301)
    return sum(any(alarmed(*look) for look in stream(rng, rates, count)) for _ in range(runs)) / runs


def by_e(pipeline: Share, legacy: Share) -> bool:
    return log_e(pipeline, legacy, MARGIN) >= log(1 / ALPHA)


def by_fixed_z(pipeline: Share, legacy: Share) -> bool:
    """What a test made for one look says; 1.645 is its one-sided 5 %."""
    if min(pipeline.of, legacy.of) < 20:
        return False
    spread = sum(one.rate * (1 - one.rate) / one.of for one in (pipeline, legacy))
    return spread > 0 and (pipeline.rate - legacy.rate - MARGIN) / sqrt(spread) > 1.645


# At the edge of what is allowed, where false alarms are likeliest: legacy's rate and the margin.
EDGES = [(0.0, 0.01), (0.05, 0.06), (0.3, 0.31)]


@pytest.mark.parametrize("rates", EDGES)
def test_looking_after_every_request_keeps_the_false_alarm_rate(rates: tuple[float, float]) -> None:
    assert alarms(by_e, rates, 100, 150) <= ALPHA


@pytest.mark.slow
@pytest.mark.parametrize("rates", EDGES)
def test_the_false_alarm_rate_holds_over_thousands_of_runs(rates: tuple[float, float]) -> None:
    assert alarms(by_e, rates, 2_000, 250) <= ALPHA


@pytest.mark.slow
def test_a_test_for_one_look_breaks_when_one_keeps_looking() -> None:
    """So the simulation can tell a valid test from one that is not."""
    assert alarms(by_fixed_z, (0.3, 0.31), 300, 1_000) > 3 * ALPHA


def test_the_expected_evidence_is_at_most_one() -> None:
    """Exact, not simulated: the mean of e over everything that eight requests of each side can come to."""
    for legacy_rate in (0.0, 0.02, 0.2, 0.5, 0.9):
        rate, count, mean = legacy_rate + MARGIN, 8, 0.0
        for hits in range(count + 1):
            for legacy_hits in range(count + 1):
                chance = binomial(hits, count, rate) * binomial(legacy_hits, count, legacy_rate)
                mean += chance * exp(log_e(Share(hits, count), Share(legacy_hits, count), MARGIN))
        assert mean <= 1


def binomial(hits: int, count: int, rate: float) -> float:
    ways = 1.0
    for place in range(hits):
        ways *= (count - place) / (place + 1)
    return float(ways * rate**hits * (1 - rate) ** (count - hits))


@pytest.mark.slow
def test_one_error_in_five_is_noticed_within_forty_requests_of_the_pipeline() -> None:
    rng = random.Random(7)
    needed = []
    for _ in range(200):
        for pipeline, legacy in stream(rng, (0.001, 0.2), 4_000, share=0.05):
            if log_e(pipeline, legacy, MARGIN) >= log(4 / 0.01):
                needed.append(pipeline.of)
                break
    assert len(needed) == 200
    assert sorted(needed)[100] <= 40
    assert sorted(needed)[190] <= 90


def watched(rng: random.Random, rates: Iterator[float], per_look: int = 10) -> int | None:
    """Look each second at a pipeline with these error rates beside a healthy legacy; when is the alarm?"""
    watching = guardrail(ErrorRate)
    hits = requests = 0
    for second, rate in enumerate(rates):
        hits += sum(rng.random() < rate for _ in range(per_look))
        requests += per_look
        counts = [door(answers(requests), answers(requests, hits))]
        if verdict(watching, counts, NOW + second).outcome is Outcome.FAIL:
            return second
    return None


@pytest.mark.slow
@pytest.mark.parametrize(("rate", "within_s"), [(1.0, 2), (0.5, 4), (0.2, 18)])
def test_good_requests_before_do_not_outweigh_a_fault_that_comes_late(rate: float, within_s: int) -> None:
    second = watched(random.Random(1), iter([0.0] * 600 + [rate] * 60))
    assert second is not None
    assert 600 <= second <= 600 + within_s


@pytest.mark.slow
def test_beginning_anew_again_and_again_keeps_the_false_alarm_rate() -> None:
    rng = random.Random(3)
    runs = 150
    limited = guardrail(ErrorRate)
    edge = limited.error_margin
    assert sum(watched(rng, iter([edge] * 120)) is not None for _ in range(runs)) / runs <= limited.alpha


def test_weights_of_a_mean_must_not_exceed_one() -> None:
    assert log_mean([(log(0.5), 0.0), (log(0.25), 0.0)]) == pytest.approx(log(0.75))
    assert History().cohorts([], Role.INGEST)[0].log_weight == log(0.5)
    assert sum(exp(-log(n * (n + 1))) for n in range(1, 10_000)) < 1


def test_no_errors_are_a_pass_once_one_in_five_would_have_shown() -> None:
    needed = requests_needed(0.2, Share(0, 1_000), 0.01, log(400))
    assert needed is not None
    few = error_rate([door(answers(1_000), answers(needed - 1))])
    enough = error_rate([door(answers(1_000), answers(needed))])
    assert (few.outcome, enough.outcome) == (Outcome.INCONCLUSIVE, Outcome.PASS)
    assert enough.why.startswith(f"ingest: 0 of {needed} failed, legacy's 0 of 1,000 (margin 1.0%); e = ")
    assert "alarm at 400" in enough.why


def test_low_traffic_is_inconclusive_even_when_the_first_request_fails() -> None:
    one_bad = error_rate([door(answers(100), answers(1, 1))])
    assert one_bad.outcome is Outcome.INCONCLUSIVE
    nobody = error_rate([door(answers(100))])
    assert (nobody.outcome, nobody.why) == (
        Outcome.INCONCLUSIVE,
        "the pipeline has answered nobody by this epoch",
    )


def test_errors_that_both_sides_have_are_not_the_pipelines() -> None:
    both = error_rate([door(answers(500, 100), answers(500, 104))])
    assert both.outcome is Outcome.PASS
    only = error_rate([door(answers(500, 2), answers(500, 104))])
    assert only.outcome is Outcome.FAIL


def test_where_legacy_answers_nobody_the_plans_own_limit_holds() -> None:
    assert error_rate([door(None, answers(500, 5))]).outcome is Outcome.PASS
    bad = error_rate([door(None, answers(500, 40))])
    assert bad.outcome is Outcome.FAIL
    assert "legacy answers nobody" in bad.why


def test_what_was_counted_by_another_epoch_is_no_evidence() -> None:
    counts = [door(answers(100), answers(100, 90), epoch=EPOCH - 1)]
    assert error_rate(counts).outcome is Outcome.INCONCLUSIVE


def test_one_role_that_fails_is_enough() -> None:
    counts = [
        door(answers(500), answers(500)),
        door(answers(500), answers(500, 250), "b", role=Role.SERVE),
    ]
    found = error_rate(counts)
    assert found.outcome is Outcome.FAIL
    assert "ingest: 0 of 500 failed" in found.why
    assert "serve: 250 of 500 failed" in found.why


@pytest.mark.parametrize(
    ("pulses", "outcome"), [(answers(60), Outcome.PASS), (answers(60, 30), Outcome.FAIL)]
)
def test_pulses_speak_where_clients_are_too_few(pulses: object, outcome: Outcome) -> None:
    found = error_rate([door(answers(9), answers(2), pulses=pulses)])
    assert found.outcome is outcome
    assert "ingest pulses: " in found.why


def test_pulses_of_one_role_say_nothing_about_the_other() -> None:
    counts = [door(answers(9), answers(2), role=Role.SERVE), door(instance="b", pulses=answers(200))]
    assert error_rate(counts).outcome is Outcome.INCONCLUSIVE


def test_slow_pulses_are_slow_whoever_is_quiet() -> None:
    slow = [door(pulses=answers(60, took={10.0: 20, 3000.0: 40}))]
    assert latency(slow).outcome is Outcome.FAIL
    quick = [door(pulses=answers(60))]
    assert latency(quick).outcome is Outcome.PASS


def test_pulses_do_not_excuse_clients() -> None:
    counts = [door(answers(500), answers(500, 250), pulses=answers(500))]
    assert error_rate(counts).outcome is Outcome.FAIL


def test_a_dry_guardrail_tells_and_counts_as_passed() -> None:
    found = error_rate([door(None, answers(50, 50))], dry=("error_rate",))
    assert (found.outcome, found.counted) == (Outcome.FAIL, Outcome.PASS)


@pytest.mark.parametrize(
    ("legacy", "pipeline", "outcome"),
    [
        ({20.0: 500}, {30.0: 500}, Outcome.PASS),  # slower, and still quick
        ({90.0: 500}, {140.0: 500}, Outcome.PASS),  # slower, within the factor
        ({50.0: 500}, {400.0: 500}, Outcome.FAIL),
        ({50.0: 500}, {50.0: 400, 3000.0: 100}, Outcome.FAIL),  # a slow fifth
        ({50.0: 400, 3000.0: 100}, {50.0: 400, 3000.0: 100}, Outcome.PASS),  # legacy's is as slow
        ({50.0: 500}, {400.0: 3}, Outcome.INCONCLUSIVE),
    ],
)
def test_latency_is_held_against_legacys_at_the_same_time(
    legacy: dict[float, int], pipeline: dict[float, int], outcome: Outcome
) -> None:
    counts = [door(answers(500, took=legacy), answers(500, took=pipeline))]
    found = latency(counts)
    assert found.outcome is outcome, found.why


def test_without_legacy_a_second_is_slow() -> None:
    slow = door(None, answers(100, took={10.0: 50, 2000.0: 50}))
    assert latency([slow]).outcome is Outcome.FAIL
    quick = door(None, answers(100, took={10.0: 100}))
    assert latency([quick]).outcome is Outcome.PASS
