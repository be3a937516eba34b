"""The work of a run between its moves: the backfill and the reconcile, as their own commands do them."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from migration.backfill.attention import Attention
from migration.backfill.pacing import PaceLimits
from migration.cutover.action import Action
from migration.model.backfill import BackfillPhase, Wish
from migration.model.cause import Cause
from migration.model.wording import counted
from migration.repair.differing import TimeWindow
from migration.wiring.moving import GRACE_MINUTES, RECONCILE_WCU, THREADS, in_threads
from migration.wiring.process import worker_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from migration.backfill.attention import OnProgress
    from migration.repair.differing import Reconciliation
    from migration.wiring.moving import Moving

SEGMENTS: Final = 4
NAMED: Final = 5  # events in words


def work_of(
    world: Moving, max_wcu: float, report: Callable[[OnProgress], None], settled: Callable[[float], None]
) -> Mapping[Action, Callable[[], str]]:
    """Name what a run does for steps that move no traffic; `settled` hears when a clean reconcile began."""
    return {
        Action.BACKFILL: lambda: backfilled(world, max_wcu, report),
        Action.RECONCILE: lambda: reconciled(world, settled),
    }


def backfilled(world: Moving, max_wcu: float, report: Callable[[OnProgress], None]) -> str:
    """Have all history copied, folded and installed, by a run that began after mirroring did."""
    there = world.checkpoints.job()
    again = there is not None and there.phase is BackfillPhase.INSTALLED
    # One that is under way keeps the ceiling that its operator gave it.
    ceiling = max_wcu if there is None or again else there.max_wcu
    pacer = world.pacer(ceiling, PaceLimits())
    with in_threads(THREADS) as in_parallel:
        attention = Attention(worker_name(), world.clock, pacer, world.checkpoints, report)
        engine = world.backfilling(attention, in_parallel)
        job = engine.start(Wish(SEGMENTS, ceiling, again=again))
    return f"{job.history.events:,} facts of history are folded and installed, {pacer.units:,.0f} write units"


def reconciled(world: Moving, settled: Callable[[float], None]) -> str:
    """Compare both sides' activities one by one, and re-drive what a mirror missed."""
    began = world.clock.now()
    with in_threads(THREADS) as in_parallel:
        job = world.reconciling(world.pacer(RECONCILE_WCU, PaceLimits()), in_parallel)
        findings = job.look(TimeWindow(None, None), timedelta(minutes=GRACE_MINUTES))
        done = list(job.act(findings, RECONCILE_WCU))
    outcomes = Counter(one.outcome for one in done)
    if not (findings.more or findings.misfits or any(outcome.open for outcome in outcomes)):
        settled(began)
    compared = f"{findings.events:,} legacy events and {findings.facts:,} facts compared"
    if not outcomes:
        return f"{compared}: nothing differs"
    return f"{compared}: {counted(sorted(outcomes.items()))}{_disputed(done)}"


def _disputed(done: Sequence[Reconciliation]) -> str:
    """Name the events that both sides have with other content, and what settles it."""
    names = [
        " ".join(one.decision.pair.activity.identity) for one in done if one.decision.kind is Cause.ALTERED
    ]
    if not names:
        return ""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return (
        f"; other content on the two sides: {', '.join(names[:NAMED])}{more}; "
        "`cutover repair --apply` settles it, and no proof passes before"
    )
