"""The guardrails of the mirrors: `mirror_lag` (pipeline to legacy) and `mirror_misses` (legacy to pipeline).

A missed mirror may or may not have been stored: nobody knows until the tables are compared. So some misses
are inconclusive, which holds the next step until `cutover reconcile` has looked; too many are a failure. A
mirror of what legacy refused is one client's doing and no failure of the mirror's: it holds, and never fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migration.guardrails.limits import Guard
from migration.model.guardrails import Outcome
from migration.model.journal import EntryKind
from migration.model.moments import moment_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from migration.door.counts import DoorCounts
    from migration.guardrails.limits import Limits
    from migration.guardrails.standing import Standing
    from migration.model.guardrails import GuardrailVerdict
    from migration.model.journal import Entry

RECONCILED: Final = "reconciled_before"  # in the detail of a clean reconcile's journal entry, epoch seconds
_CLOCKS_APART_S: Final = 10.0
CONTRADICTED: Final = "MirrorContradicted"
MISSES: Final = frozenset({"MirrorMissed", "MirrorSkipped"})  # the door's outcomes that are no fact


def mirror_lag(standing: Standing, limits: Limits, now: float) -> GuardrailVerdict:
    """Judge how long the reverse mirror's queue has held messages without getting shorter."""
    age, limit = standing.for_s(now), limits.mirror_lag_s
    why = f"{standing.queued:,} facts are on their way to legacy"
    if standing.queued:
        why += f", and did not get fewer for {age:.1f} s; the limit is {limit:g} s"
    outcome = Outcome.PASS if age <= limit else Outcome.FAIL
    return limits.verdict(Guard.MIRROR_LAG, outcome, why, now)


def mirror_misses(
    counts: Sequence[DoorCounts], reconciled_before: float | None, limits: Limits, now: float
) -> GuardrailVerdict:
    """Judge the forward mirrors that were missed since the last clean reconcile.

    An instance counts its misses and remembers when the last one was. If that is newer than the reconcile,
    all of the instance's misses count: rather too many than too few.
    """
    after = float("-inf") if reconciled_before is None else reconciled_before
    open_misses = sum(
        count
        for one in counts
        if one.missed_at is not None and one.missed_at >= after
        for outcome, count in one.mirrored.items()
        if outcome in MISSES
    )
    contradicted = sum(
        one.mirrored.get(CONTRADICTED, 0)
        for one in counts
        if one.contradicted_at is not None and one.contradicted_at >= after
    )
    mirrors = sum(sum(one.mirrored.values()) for one in counts)
    since = "ever" if reconciled_before is None else f"since {moment_text(reconciled_before)}"
    why = f"{open_misses:,} of {mirrors:,} forward mirrors were missed and not reconciled {since}"
    limit = limits.mirror_misses
    if open_misses > limit:
        return limits.verdict(Guard.MIRROR_MISSES, Outcome.FAIL, f"{why}; the limit is {limit:,}", now)
    if open_misses:
        why += f"; up to {limit:,} are for `cutover reconcile` to settle"
    if contradicted:
        why += (
            f"; {contradicted:,} mirrored what legacy refused, an event id with other content: "
            "`cutover repair --apply` names and restates them, then `cutover reconcile`"
        )
    if open_misses or contradicted:
        return limits.verdict(Guard.MIRROR_MISSES, Outcome.INCONCLUSIVE, why, now)
    return limits.verdict(Guard.MIRROR_MISSES, Outcome.PASS, why, now)


def reconciled_detail(began: float) -> dict[str, float]:
    """Say in a journal entry what a clean reconcile settled.

    A door takes a miss down when legacy has stored the activity, so whatever was missed before legacy's
    events were read is among them.

    Args:
        began: when it began to read legacy's events, by its own clock; the doors' may be some seconds ahead.
    """
    return {RECONCILED: began - _CLOCKS_APART_S}


def reconciled_before(entries: Iterable[Entry]) -> float | None:
    """Find the last clean reconcile in journal entries: what was missed before then is settled."""
    moments = (
        entry.detail[RECONCILED]
        for entry in entries
        if entry.kind is EntryKind.REPAIRED and RECONCILED in entry.detail
    )
    return max(moments, default=None)
