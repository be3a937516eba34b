"""The guardrails of the pipeline's folding: `queue_age`, `pulse_age`, `facts_unfolded`, `dead_letters`.

facts ──► pipe ──► queue ──► aggregator ──► newest_folded_at
  │         │        │           └ every transaction fails: queue_age, while messages wait
  │         │        └ one message fails too often: dead_letters
  │         └ stopped, so the queue is empty: pulse_age
  └ the sample: this very fact is not folded: facts_unfolded, whatever the cause
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migration.guardrails.limits import Guard
from migration.model.guardrails import Outcome
from migration.model.moments import moment_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migration.door.counts import Witness
    from migration.guardrails.limits import Limits
    from migration.guardrails.standing import Standing
    from migration.model.guardrails import GuardrailVerdict

_NAMED: Final = 3


def queue_age(standing: Standing, limits: Limits, now: float) -> GuardrailVerdict:
    """Judge how long nothing was folded while messages waited."""
    age, limit = standing.for_s(now), limits.queue_age_s
    why = f"{standing.queued:,} messages wait or are worked on"
    if standing.queued:
        why += f", not fewer and nothing newer folded for {age:.1f} s; the limit is {limit:g} s"
    return limits.verdict(Guard.QUEUE_AGE, _at_most(age, limit), why, now)


def pulse_age(newest_folded_at: float | None, limits: Limits, now: float) -> GuardrailVerdict:
    """Judge how old the newest folded fact is; a pulse comes every minute, so silence is no excuse."""
    if newest_folded_at is None:
        why = "nothing was ever folded, not even a pulse"
        return limits.verdict(Guard.PULSE_AGE, Outcome.INCONCLUSIVE, why, now)
    age, limit = max(0.0, now - newest_folded_at), limits.pulse_age_s
    why = f"the newest folded fact came {age:.1f} s ago; a pulse comes every minute, the limit is {limit:g} s"
    return limits.verdict(Guard.PULSE_AGE, _at_most(age, limit), why, now)


def facts_unfolded(
    checked: int, unfolded: Sequence[Witness], pending: int, limits: Limits, now: float
) -> GuardrailVerdict:
    """Judge the sampled facts that are older than the lag limit.

    Args:
        checked: sampled facts of the last minute that were due, folded or not.
        unfolded: those among them that are not folded; their `at` is when they were ingested.
        pending: sampled facts that are younger than the limit.
        limits: the plan's.
        now: epoch seconds.
    """
    limit = limits.lag_s
    if unfolded:
        named = ", ".join(
            f"{one.event_id} of {one.employee_id} ({now - one.at:.1f} s old)" for one in unfolded[:_NAMED]
        )
        why = f"{len(unfolded):,} of {checked:,} sampled facts older than {limit:g} s are not folded: {named}"
        return limits.verdict(Guard.FACTS_UNFOLDED, Outcome.FAIL, why, now)
    why = f"all {checked:,} sampled facts older than {limit:g} s are folded; {pending:,} are younger"
    outcome = Outcome.PASS if checked else Outcome.INCONCLUSIVE
    return limits.verdict(Guard.FACTS_UNFOLDED, outcome, why, now)


def dead_letters(depths: Mapping[str, int], limits: Limits, now: float) -> GuardrailVerdict:
    """Judge how many messages were given up, over all dead-letter queues."""
    total = sum(depths.values())
    each = ", ".join(f"{name} {depth:,}" for name, depth in depths.items())
    why = f"{total:,} messages were given up ({each}); the limit is {limits.dead_letters:,}"
    return limits.verdict(Guard.DEAD_LETTERS, _at_most(total, limits.dead_letters), why, now)


def snapshot_age(generated_at: float | None, limits: Limits, now: float) -> GuardrailVerdict:
    """Judge how old the newest global board is."""
    if generated_at is None:
        return limits.verdict(Guard.SNAPSHOT_AGE, Outcome.INCONCLUSIVE, "there is no snapshot yet", now)
    age, limit = max(0.0, now - generated_at), limits.snapshot_age_s
    why = f"the newest snapshot, of {moment_text(generated_at)}, is {age:.0f} s old; the limit is {limit:g} s"
    return limits.verdict(Guard.SNAPSHOT_AGE, _at_most(age, limit), why, now)


def _at_most(measured: float, limit: float) -> Outcome:
    return Outcome.PASS if measured <= limit else Outcome.FAIL
