"""What a repair touches, found in the running stack and the plan file."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from migration.aws.tables.control_plane_table import ControlPlaneTable
from migration.aws.tables.live_fold_tables import LiveFoldTables
from migration.aws.transport.scan import ReadPace
from migration.backfill.pacer import Pacer
from migration.backfill.pacing import Pace as WritePace
from migration.backfill.pacing import PaceLimits
from migration.cli.console import say
from migration.cli.progress import reading
from migration.compare.verify.confirm import Patience
from migration.model.journal import JournalWriter
from migration.plan.plan import plan_of
from migration.wiring.moving import aggregate_settings, moving, pipeline_ports, worker_name
from migration.wiring.sources import both_sides
from migration.wiring.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migration.repair.reconcile import Reconcile
    from migration.repair.repair import Repair
    from migration.wiring.moving import PipelinePorts


@dataclass(frozen=True, slots=True)
class RepairOptions:
    """How a repair reads and writes.

    Attributes:
        plan: the plan file.
        pipeline_only: whether legacy is left out.
        segments, max_rcu, memory, patience: of the verifications, as `cutover verify` has them.
        max_wcu, grace: of the writes, as `cutover reconcile` has them.
    """

    plan: Path | None
    pipeline_only: bool
    segments: int
    max_rcu: float | None
    memory: str
    patience: float
    max_wcu: float
    grace: float


@contextmanager
def repairing(options: RepairOptions) -> Iterator[Repair]:
    """Get at everything; what was read is kept until the end of the repair, and not longer.

    Raises:
        UsageError: when there is no pipeline.
    """
    from migration.aws.bulk.side_store import DuckDBStore  # noqa: PLC0415 - `--help` must not wait for it
    from migration.compare.verify.verify import Verification  # noqa: PLC0415 - as above
    from migration.repair.repair import Repair  # noqa: PLC0415 - as above

    workspace = Workspace.find()
    chosen = plan_of(workspace.root, options.plan)
    stack = workspace.deployed(chosen.stack)
    ports = pipeline_ports(stack, chosen.migration)
    legacy, pace = None if options.pipeline_only else chosen.legacy, ReadPace(options.max_rcu, ports.clock)
    tables = both_sides(stack.clients, stack.outputs, legacy, pace, options.segments)
    names, pacer = tables.pipeline.outputs, _pacer(ports, options)
    plane = ControlPlaneTable(ports.clients.dynamodb, ports.checkpoints.table, chosen.migration)
    settings = aggregate_settings(ports.clients, names)
    keeps = timedelta(days=int(settings["DEDUP_TTL_DAYS"]))
    store = DuckDBStore(stack.home / "repair", options.memory)
    try:
        with reading() as tell:
            patience = Patience(longest=timedelta(seconds=options.patience))
            yield Repair(
                Verification(tables, store, ports.clock, "", patience, on_read=tell, on_look=say),
                LiveFoldTables(ports.clients, names, ports.clock, ports.bases.board_shards, keeps),
                ports.facts,
                ports.bases,
                _reconcile(options, pacer) if tables.has_legacy else None,
                ports.checkpoints,
                JournalWriter(plane, ports.clock, lambda: secrets.token_hex(2), worker_name()),
                pacer,
                horizon=timedelta(days=int(settings["FOLD_HORIZON_DAYS"])),
                grace=timedelta(minutes=options.grace),
                ceiling=options.max_wcu,
            )
    finally:
        store.close(keep=False)


def _pacer(ports: PipelinePorts, options: RepairOptions) -> Pacer:
    return Pacer(ports.clock, ports.live, WritePace.begin(options.max_wcu), PaceLimits())


def _reconcile(options: RepairOptions, pacer: Pacer) -> Reconcile:
    return moving(options.plan).reconciling(pacer)
