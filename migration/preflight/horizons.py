"""How long everything is kept, laid end to end: nothing that can come again is folded twice, or lost.

stored ──stream ≤ 24 h──► queue ──► dead-letter queue ──redriven──► queue ──► folded, or parked
│◄──────────── age: the fold's horizon ──────────────────────────────►│
dedup entry written ◄──── can come again for: queue + dead letters ──►│  the entry outlives horizon + both
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from migration.preflight.check import DEPLOY, CheckResult, broken, checked, held, judged, known
from migration.preflight.streams import STREAM_S, given_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.preflight.deployed import Deployed, Function, Leg

DAY_S: Final = 86_400
EXPIRY: Final = "expires_at"
RESTORABLE_STACKS: Final = frozenset({"staging", "prod"})
_HORIZON, _TTL = "FOLD_HORIZON_DAYS", "DEDUP_TTL_DAYS"


def check_horizons(deployed: Deployed) -> Iterator[CheckResult]:
    """Check each way, then what keeps a fact from folding twice, then what is never to go."""
    for leg in deployed.legs:
        yield checked(f"{leg.name}_stream_horizon", partial(_given_up, leg))
        yield checked(f"{leg.name}_retention", partial(_retention, leg))
    capture = next(leg for leg in deployed.legs if leg.name == "capture")
    yield checked("fold_horizon", partial(_fold_horizon, capture))
    yield checked("dedup_ttl", partial(_dedup_ttl, capture))
    yield checked("dedup_expiry", partial(_dedup_expiry, deployed))
    yield checked("facts_kept", partial(_facts_kept, deployed))
    yield checked("restorable", partial(_restorable, deployed))


def _given_up(leg: Leg, name: str) -> CheckResult:
    pipe = known(leg.pipe)
    good = f"{pipe.name} gives a record up after {pipe.record_age_s / 3600:g} h to {pipe.dead_letters}"
    return judged(name, list(given_up(leg)), f"{good}, before the stream drops it at 24 h", DEPLOY)


def _retention(leg: Leg, name: str) -> CheckResult:
    queue, dead_letters = known(leg.queue), known(leg.dead_letters)
    why = (
        f"the queue keeps {_days(queue.retention_s)}, its dead-letter queue {_days(dead_letters.retention_s)}"
    )
    if dead_letters.retention_s > queue.retention_s:
        return held(name, why)
    return broken(
        name,
        f"{why}; a dead letter keeps the age that it came with, so it may go before anybody sees it",
        f"keep dead letters for 14 days; {DEPLOY}",
    )


def _fold_horizon(leg: Leg, name: str) -> CheckResult:
    settings, kept_s = _settings(known(leg.function)), known(leg.dead_letters).retention_s
    if isinstance(settings, str):
        return broken(name, settings, DEPLOY)
    horizon_s, _ = settings
    why = (
        f"a message folds until the age of {_days(horizon_s)}; stream {_days(STREAM_S)} + dead letters"
        f" {_days(kept_s)} = {_days(STREAM_S + kept_s)}"
    )
    if horizon_s >= STREAM_S + kept_s:
        return held(name, why)
    return broken(
        name,
        f"{why}, so a late redrive is parked instead of folded",
        f"raise fold_horizon_days; {DEPLOY}",
        dry=True,
    )


def _dedup_ttl(leg: Leg, name: str) -> CheckResult:
    settings = _settings(known(leg.function))
    queue_s, kept_s = known(leg.queue).retention_s, known(leg.dead_letters).retention_s
    if isinstance(settings, str):
        return broken(name, settings, DEPLOY)
    horizon_s, ttl_s = settings
    due_s = horizon_s + queue_s + kept_s
    why = (
        f"a dedup entry is kept {_days(ttl_s)}; horizon {_days(horizon_s)} + queue {_days(queue_s)}"
        f" + dead letters {_days(kept_s)} = {_days(due_s)}"
    )
    if ttl_s > due_s:
        return held(name, why)
    return broken(
        name, f"{why}, so a redriven message may fold twice", f"raise dedup_ttl_days above it; {DEPLOY}"
    )


def _settings(function: Function) -> tuple[int, int] | str:
    try:
        horizon, ttl = (int(function.environment[name]) for name in (_HORIZON, _TTL))
    except (KeyError, ValueError):
        shown = {name: function.environment.get(name) for name in (_HORIZON, _TTL)}
        return f"{function.name} needs whole days in {_HORIZON} and {_TTL}; it has {shown}"
    return horizon * DAY_S, ttl * DAY_S


def _dedup_expiry(deployed: Deployed, name: str) -> CheckResult:
    table = known(deployed.dedup)
    by = known(table.expires_by)
    if by == EXPIRY:
        return held(name, f"entries of {table.name} go by {EXPIRY}")
    why = f"entries of {table.name} go by {by}, not {EXPIRY}" if by else f"entries of {table.name} never go"
    return broken(name, why, DEPLOY)


def _facts_kept(deployed: Deployed, name: str) -> CheckResult:
    kept = {table.name: known(table.expires_by) for table in map(known, (deployed.facts, *deployed.folds))}
    expiring = [f"{table} goes by {by}" for table, by in kept.items() if by]
    good = f"no item of {', '.join(kept)} expires"
    return judged(name, expiring, good, "switch that off with aws dynamodb update-time-to-live")


def _restorable(deployed: Deployed, name: str) -> CheckResult:
    tables = (deployed.facts, deployed.events.described)
    lacking = [table.name for table in map(known, tables) if not known(table.restorable)]
    problems = [f"{one} cannot be restored to an earlier second" for one in lacking]
    good = "facts and legacy's events can be restored to any second"
    wanted = deployed.stack in RESTORABLE_STACKS
    return judged(name, problems, good, f"switch pitr on; {DEPLOY}", dry=not wanted)


def _days(seconds: float) -> str:
    days = seconds / DAY_S
    return f"{days:g} d" if days == int(days) else f"{days:.2f} d"
