"""What a repair touches, found in the running stack and the plan file."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from migration.aws.bulk.side_store import emptied_store
from migration.aws.transport.scan import ReadPace
from migration.backfill.pacing import PaceLimits
from migration.compare.verify.confirm import Patience
from migration.compare.verify.verify import Verification
from migration.model.journal_writer import JournalWriter
from migration.repair.repair import Repair
from migration.wiring.sources import both_sides

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migration.wiring.site import Site


@dataclass(frozen=True, slots=True)
class RepairOptions:
    """How a repair reads and writes.

    Attributes:
        pipeline_only: whether legacy is left out.
        segments, max_rcu, memory, patience: of the verifications, as `cutover verify` has them.
        max_wcu, grace: of the writes, as `cutover reconcile` has them.
    """

    pipeline_only: bool
    segments: int
    max_rcu: float | None
    memory: str
    patience: float
    max_wcu: float
    grace: float


@contextmanager
def repairing(
    site: Site,
    options: RepairOptions,
    on_read: Callable[[str, int, int], None],
    on_look: Callable[[str], None],
) -> Iterator[Repair]:
    """Get at everything; what was read is kept until the end of the repair, and not longer.

    Raises:
        UsageError: when there is no pipeline.
    """
    ports, stack = site.pipeline, site.stack
    legacy, pace = None if options.pipeline_only else site.plan.legacy, ReadPace(options.max_rcu, site.clock)
    tables = both_sides(stack.clients, site.outputs, legacy, pace, options.segments)
    pacer = ports.pacer(options.max_wcu, PaceLimits())
    patience = Patience(longest=timedelta(seconds=options.patience))
    with emptied_store(stack.home / "repair", options.memory) as store:
        yield Repair(
            Verification(tables, store, site.clock, "", patience, on_read=on_read, on_look=on_look),
            ports.folds,
            ports.facts,
            ports.bases,
            site.moving.reconciling(pacer) if tables.has_legacy else None,
            ports.checkpoints,
            JournalWriter(site.plane, site.clock, lambda: secrets.token_hex(2), site.by),
            pacer,
            horizon=timedelta(days=int(ports.settings["FOLD_HORIZON_DAYS"])),
            grace=timedelta(minutes=options.grace),
            ceiling=options.max_wcu,
        )
