"""A leg's queue and its consumer: no message comes back too early, or is given up too soon or in silence."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from migration.preflight.check import DEPLOY, broken, checked, held, judged, known

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.preflight.check import CheckResult
    from migration.preflight.deployed import Deployed, Leg, QueueMapping

TIMES_HIDDEN: Final = 6  # the function's timeout, as Lambda's documentation asks for
FEWEST_RECEIVES: Final = 5
_UNWINDOWED_BATCH: Final = 10


def check_queues(deployed: Deployed) -> Iterator[CheckResult]:
    """Check each leg."""
    for leg in deployed.legs:
        yield checked(f"{leg.name}_visibility", partial(_visibility, leg))
        yield checked(f"{leg.name}_receives", partial(_receives, leg))
        yield checked(f"{leg.name}_dead_letters", partial(_dead_letters, leg))
        yield checked(f"{leg.name}_mapping", partial(_mapping, leg))
        yield checked(f"{leg.name}_concurrency", partial(_concurrency, leg))


def _visibility(leg: Leg, name: str) -> CheckResult:
    queue, function = known(leg.queue), known(leg.function)
    window_s = max((one.window_s for one in known(leg.mappings)), default=0)
    due_s = TIMES_HIDDEN * function.timeout_s + window_s
    why = (
        f"a message is hidden for {queue.visibility_s} s; {TIMES_HIDDEN} x timeout {function.timeout_s} s"
        f" + window {window_s} s = {due_s} s"
    )
    if queue.visibility_s >= due_s:
        return held(name, why)
    return broken(
        name, f"{why}, so messages come back while they are worked on", f"raise queue_visibility_s; {DEPLOY}"
    )


def _receives(leg: Leg, name: str) -> CheckResult:
    receives = known(leg.queue).receives
    if receives is None:
        return broken(name, "the queue has no redrive policy: a poisoned message comes back for ever", DEPLOY)
    why = f"a message is given up after {receives} receives; {FEWEST_RECEIVES} at least are due"
    if receives >= FEWEST_RECEIVES:
        return held(name, why)
    return broken(
        name, f"{why}, or a moment of throttling gives up good ones", f"raise max_receive_count; {DEPLOY}"
    )


def _dead_letters(leg: Leg, name: str) -> CheckResult:
    queue, dead_letters = known(leg.queue), known(leg.dead_letters)
    problems = []
    if queue.dead_letters != dead_letters.arn:
        sent = queue.dead_letters or "nowhere"
        problems.append(f"{queue.arn} sends what it gives up to {sent}, and {dead_letters.arn} is watched")
    return judged(name, problems, f"{queue.arn} gives up to {dead_letters.arn}", DEPLOY)


def _mapping(leg: Leg, name: str) -> CheckResult:
    queue, function = known(leg.queue), known(leg.function)
    fed = [one for one in known(leg.mappings) if one.source == queue.arn]
    if len(fed) != 1:
        why = f"{function.name} is fed from {queue.arn} by {len(fed)} mappings; one is due"
        return broken(name, why, DEPLOY)
    problems = list(_mapping_problems(fed[0]))
    good = f"{function.name} is fed {fed[0].batch} messages at most, and reports failures one by one"
    return judged(name, problems, good, f"aws lambda update-event-source-mapping, or {DEPLOY}")


def _mapping_problems(mapping: QueueMapping) -> Iterator[str]:
    if mapping.state not in ("Enabled", "Enabling", "Creating"):
        yield f"the mapping is {mapping.state}"
    if not mapping.reports_failures:
        yield "without ReportBatchItemFailures one poisoned message gives up its whole batch"
    if mapping.batch > _UNWINDOWED_BATCH and mapping.window_s < 1:
        yield f"batches of {mapping.batch} need a window of 1 s at least, not {mapping.window_s} s"


def _concurrency(leg: Leg, name: str) -> CheckResult:
    function, limits = known(leg.function), [one.at_once for one in known(leg.mappings)]
    reserved = known(function.reserved)
    if not limits or None in limits:
        why = "the mapping has no maximum concurrency, so a burst takes as many invocations as it finds"
        return broken(name, why, f"set aggregate_max_concurrency or mirror_max_concurrency; {DEPLOY}")
    at_once = sum(limit for limit in limits if limit is not None)
    if reserved is not None and reserved < at_once:
        why = (
            f"{function.name} has {reserved} reserved and is fed {at_once} at once: each throttled invocation"
            " uses up a receive of its messages"
        )
        return broken(name, why, "reserve none: the mapping's maximum concurrency limits it")
    return held(name, f"{at_once} invocations at once at most; {reserved or 'none'} reserved")
