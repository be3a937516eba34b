"""What a backfill and a reconcile touch: the pipeline's tables, legacy's, and the control table."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from migration.aws.bulk.history_bulk import compared_in_bulk, folded_in_bulk
from migration.aws.tables.base_tables import BaseTables
from migration.aws.tables.checkpoint_table import CheckpointTable
from migration.aws.tables.fact_table import FactTable
from migration.aws.tables.legacy_event_table import LegacyEventTable
from migration.aws.tables.legacy_rows import LegacyRows
from migration.aws.tables.legacy_sink import MirrorSink
from migration.aws.transport.clock import SystemClock
from migration.aws.transport.metered import Writer
from migration.aws.transport.raw_dynamodb import beside
from migration.aws.transport.scan import MOST_CONNECTIONS, ReadPace
from migration.backfill.backfill import Backfill
from migration.backfill.copying_elsewhere import CopyingElsewhere
from migration.backfill.exported_fold import ExportedFold
from migration.backfill.one_machine import on_one_machine
from migration.backfill.pacer import Pacer
from migration.backfill.pacing import PaceLimits, WritePace
from migration.model.backfill import Engine
from migration.model.errors import UsageError
from migration.model.legacy.mapping import activity_mapper
from migration.repair.reconcile import Reconcile
from migration.wiring.elsewhere import reach, settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from migration.aws.stack.live_queue import LiveQueue
    from migration.aws.transport.clients import Clients
    from migration.backfill.attention import Attention
    from migration.backfill.in_parallel import InParallel
    from migration.model.clock import Clock
    from migration.model.legacy.layout import LegacyPlan
    from migration.plan.outputs import LegacyOutputs
    from migration.plan.plan import Plan
    from migration.wiring.elsewhere import BackfillElsewhere
    from migration.wiring.workspace import DeployedStack

THREADS: Final = 16
RECONCILE_WCU: Final = 200.0
GRACE_MINUTES: Final = 15.0  # longer than a client sends again


@dataclass(frozen=True)
class PipelinePorts:
    """What is written of the pipeline, and the control table; they are there in every phase but `legacy`.

    Attributes:
        settings: of the function that runs the live lane.
    """

    clients: Clients
    clock: Clock
    facts: FactTable
    bases: BaseTables
    checkpoints: CheckpointTable
    live: LiveQueue
    settings: Mapping[str, str]

    def pacer(self, ceiling: float, limits: PaceLimits) -> Pacer:
        """Make what holds one process's writes to a pace."""
        return Pacer(self.clock, self.live, WritePace.begin(ceiling), limits)


@dataclass(frozen=True)
class Moving(PipelinePorts):
    """Both sides of one migration."""

    events: LegacyEventTable
    layout: LegacyPlan
    legacy: LegacyOutputs
    reach_elsewhere: Callable[[], BackfillElsewhere] | None = None

    def elsewhere(self) -> BackfillElsewhere:
        """Reach the engine `aws`.

        Raises:
            UsageError: when the stack does not have it, or it is not made for this plan.
        """
        if self.reach_elsewhere is None:
            raise UsageError(
                "this stack does not have the engine aws",
                hint="set cutover:bulk_engine to true and deploy, or use --engine machine",
                next_command="cutover backfill start --engine machine",
            )
        return self.reach_elsewhere()

    def reconciling(self, pacer: Pacer, in_parallel: InParallel = map) -> Reconcile:
        """Put a reconcile together.

        Raises:
            UsageError: as `sink`.
        """
        return Reconcile(
            self.events, self.facts, self.sink(), self.checkpoints, compared_in_bulk, pacer, in_parallel
        )

    def backfilling(
        self, attention: Attention, in_parallel: InParallel, elsewhere: BackfillElsewhere | None = None
    ) -> Backfill:
        """Put a backfill together; `elsewhere` copies and folds for it, else this machine does."""
        if elsewhere is None:
            return on_one_machine(
                self.events, self.facts, self.bases, self.checkpoints, folded_in_bulk, attention, in_parallel
            )
        copying = CopyingElsewhere(
            elsewhere.workers, self.events, self.checkpoints, self.clock, attention.report
        )
        fold = ExportedFold(elsewhere.exports, self.bases, attention)
        return Backfill(
            copying.copy, fold.fold, self.bases, self.checkpoints, attention, Engine.AWS, in_parallel
        )

    def sink(self) -> MirrorSink:
        """Reach legacy's tables as the reverse mirror does.

        Raises:
            UsageError: when the plan's layout can be read only.
        """
        tables = LegacyRows(
            client=self.clients.dynamodb,
            events=self.events.table,
            program_progress=self.legacy.program_progress_table,
            employee_progress=self.legacy.employee_progress_table,
            layout=self.layout.written(),
        )
        return MirrorSink(tables, self.clock)


def pipeline_ports(stack: DeployedStack, migration: str) -> PipelinePorts:
    """Find the pipeline and the control table.

    Raises:
        UsageError: when they are not deployed.
    """
    tables, control = stack.pipeline_tables, stack.outputs.migration
    if tables is None or control is None:
        raise UsageError(
            f"phase {stack.outputs.phase} has no pipeline",
            hint="deploy it",
            next_command=stack.outputs.deploying("expand"),
        )
    clients, clock, names = stack.clients, SystemClock(), tables.outputs
    source = beside(clients.dynamodb, MOST_CONNECTIONS + THREADS, clock)
    writer, pace = Writer(source), ReadPace(None, clock)
    rows = (names.employee_progress_table, names.program_progress_table)
    # Asked of the function that runs the live lane, so that both place a row on the same shard.
    settings = settings_of(clients, names.aggregate_function)
    return PipelinePorts(
        clients,
        clock,
        FactTable(source, writer, names.facts_table, pace),
        BaseTables(source, writer, *rows, int(settings["BOARD_SHARDS"]), pace),
        CheckpointTable(clients.dynamodb, control.control_table, migration),
        tables.live,
        settings,
    )


def moving(stack: DeployedStack, plan: Plan, legacy: LegacyOutputs, pipeline: PipelinePorts) -> Moving:
    """Put legacy's side, as the plan names it, beside the pipeline's."""
    named = legacy.as_planned(plan.legacy)
    events = LegacyEventTable(
        pipeline.clients.dynamodb,
        pipeline.facts.source,
        named.events_table,
        activity_mapper(plan.legacy.events),
        pipeline.facts.pace,
    )
    elsewhere = partial(reach, stack, plan) if stack.outputs.bulk else None
    return Moving(
        pipeline.clients,
        pipeline.clock,
        pipeline.facts,
        pipeline.bases,
        pipeline.checkpoints,
        pipeline.live,
        pipeline.settings,
        events,
        plan.legacy,
        named,
        elsewhere,
    )


@contextmanager
def in_threads(count: int) -> Iterator[InParallel]:
    """Give a map over so many threads."""
    with ThreadPoolExecutor(count, thread_name_prefix="write") as pool:
        yield pool.map
