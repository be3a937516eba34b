"""Which settings exclude each other: fine one by one, but together they would lose or double activities.

Each line names the setting to change, what it must be and why, and what it got.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cutover_infra.settings import (
    DEAD_LETTER_RETENTION,
    NAMESPACE,
    QUEUE_RETENTION,
    Auth,
    FrontKind,
    Stack,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cutover_infra.settings import Settings

_LARGEST_UNWINDOWED_BATCH: Final = 10
_LAST_LOOK_S: Final = 8  # as the watchdog's handler keeps it back


def contradictions(s: Settings) -> Iterator[str]:
    """Name every contradiction in a stack's settings, a line each."""
    yield from _front(s)
    yield from _redelivery(s)
    yield from _timing(s)
    yield from _watching(s)
    if s.bulk_engine and not s.pitr and s.stack is not Stack.PROD:
        yield _line("pitr", "must be true with bulk_engine, since only then facts can be exported", s.pitr)
    if s.stack is Stack.PROD:
        yield from _prod(s)


def _front(s: Settings) -> Iterator[str]:
    if s.front is FrontKind.FUNCTION_URL and s.auth is Auth.API_KEY:
        yield _line("auth", "must be none or iam with front function_url, which has no keys", s.auth)


def _redelivery(s: Settings) -> Iterator[str]:
    hidden_s = 6 * s.aggregate_timeout_s + s.aggregate_window_s
    if s.queue_visibility_s < hidden_s:
        rule = (
            f"must be at least {hidden_s} (6 x aggregate_timeout_s + aggregate_window_s), or messages return"
            " while they are being folded"
        )
        yield _line("queue_visibility_s", rule, s.queue_visibility_s)
    days = s.fold_horizon_days + (QUEUE_RETENTION + DEAD_LETTER_RETENTION).days
    if s.dedup_ttl_days <= days:
        rule = (
            f"must be more than {days} (fold_horizon_days + {QUEUE_RETENTION.days} in the queue +"
            f" {DEAD_LETTER_RETENTION.days} in its dead-letter queue), or a redriven message folds twice"
        )
        yield _line("dedup_ttl_days", rule, s.dedup_ttl_days)


def _timing(s: Settings) -> Iterator[str]:
    largest, name = max(
        (s.aggregate_batch_size, "aggregate_batch_size"), (s.mirror_batch_size, "mirror_batch_size")
    )
    if largest > _LARGEST_UNWINDOWED_BATCH and s.aggregate_window_s < 1:
        rule = f"must be at least 1 with a {name} over {_LARGEST_UNWINDOWED_BATCH}"
        yield _line("aggregate_window_s", rule, s.aggregate_window_s)
    interval_s = 60 * s.snapshot_minutes
    if s.stale_after_s <= interval_s:
        rule = (
            f"must be more than {interval_s} (snapshot_minutes), or boards are stale before the next snapshot"
        )
        yield _line("stale_after_s", rule, s.stale_after_s)


def _watching(s: Settings) -> Iterator[str]:
    needed_s = s.watchdog_grace_s + s.watchdog_looks * s.watchdog_interval_s + _LAST_LOOK_S
    if s.watchdog_timeout_s < needed_s:
        rule = (
            f"must be at least {needed_s} (watchdog_grace_s + watchdog_looks x watchdog_interval_s +"
            f" {_LAST_LOOK_S} for the last look), or no run of the watchdog lives to act"
        )
        yield _line("watchdog_timeout_s", rule, s.watchdog_timeout_s)


def _prod(s: Settings) -> Iterator[str]:
    if s.front is not FrontKind.API_GATEWAY:
        yield _line("front", "must be api_gateway in prod, since it throttles", s.front)
    if s.auth is Auth.NONE:
        yield _line("auth", "must be iam or api_key in prod", s.auth)
    if s.cors_origin == "*":
        yield _line("cors_origin", "must name one origin in prod", s.cors_origin)
    if not s.pitr:
        yield _line("pitr", "must be true in prod", s.pitr)
    if not s.protection:
        yield _line("protection", "must be true in prod", s.protection)


def _line(key: str, rule: str, got: object) -> str:
    return f"{NAMESPACE}:{key} {rule}; got {str(got)!r}"
