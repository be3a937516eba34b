"""What a backfill and a reconcile touch, found in the running stack and the plan file."""

from __future__ import annotations

import getpass
import os
import platform
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from migration.aws.tables.base_tables import BaseTables
from migration.aws.tables.checkpoint_table import CheckpointTable
from migration.aws.tables.fact_table import FactTable
from migration.aws.tables.legacy_event_table import LegacyEventTable
from migration.aws.tables.legacy_folds import LegacyFolds
from migration.aws.tables.legacy_sink import MirrorSink
from migration.aws.transport.clients import translated
from migration.aws.transport.clock import SystemClock
from migration.aws.transport.metered import Writer
from migration.aws.transport.raw_dynamodb import beside
from migration.aws.transport.scan import MOST_CONNECTIONS, ReadPace
from migration.backfill.pacer import Pacer
from migration.backfill.pacing import Pace as WritePace
from migration.backfill.pacing import PaceLimits
from migration.model.errors import UsageError
from migration.model.legacy.mapping import activity_mapper
from migration.plan.plan import plan_of
from migration.wiring.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from migration.aws.stack.live_queue import LiveQueue
    from migration.aws.transport.clients import Clients
    from migration.aws.transport.raw_dynamodb import RawDynamoDB
    from migration.backfill.history_exports import HistoryExports
    from migration.backfill.in_parallel import InParallel
    from migration.backfill.segment_workers import SegmentWorkers
    from migration.model.clock import Clock
    from migration.model.legacy.layout import LegacyPlan
    from migration.plan.outputs import LegacyOutputs, PipelineOutputs
    from migration.plan.plan import Plan
    from migration.repair.reconcile import Reconcile
    from migration.wiring.workspace import DeployedStack

THREADS: Final = 16
PLAN = Annotated[Path | None, typer.Option(help="Plan file. Default: cutover.toml, if there is one.")]
YES = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@dataclass(frozen=True)
class BackfillElsewhere:
    """What copies and folds for a backfill's engine `aws`.

    Attributes:
        workers: the functions that copy.
        exports: snapshots of the facts, and their folds.
        functions: how many copy at once.
    """

    workers: SegmentWorkers
    exports: HistoryExports
    functions: int


@dataclass(frozen=True)
class Moving:
    """One migration's ports, on AWS or the local AWS."""

    clients: Clients
    clock: Clock
    events: LegacyEventTable
    facts: FactTable
    bases: BaseTables
    checkpoints: CheckpointTable
    live: LiveQueue
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

    def pacer(self, ceiling: float, limits: PaceLimits) -> Pacer:
        """Make what holds one process's writes to a pace."""
        return Pacer(self.clock, self.live, WritePace.begin(ceiling), limits)

    def reconciling(self, pacer: Pacer, in_parallel: InParallel = map) -> Reconcile:
        """Put a reconcile together.

        Raises:
            UsageError: as `sink`.
        """
        from migration.aws.bulk.history_bulk import compared_in_bulk  # noqa: PLC0415 - `--help` must not wait
        from migration.repair.reconcile import Reconcile  # noqa: PLC0415 - as above

        return Reconcile(
            self.events, self.facts, self.sink(), self.checkpoints, compared_in_bulk, pacer, in_parallel
        )

    def sink(self) -> MirrorSink:
        """Reach legacy's tables as the reverse mirror does.

        Raises:
            UsageError: when the plan's layout can be read only.
        """
        tables = LegacyFolds(
            client=self.clients.dynamodb,
            events=self.events.table,
            program_progress=self.legacy.program_progress_table,
            employee_progress=self.legacy.employee_progress_table,
            layout=self.layout.written(),
        )
        return MirrorSink(tables, self.clock)


@dataclass(frozen=True)
class PipelinePorts:
    """What is written of the pipeline, and the control table; they are there in every phase but `legacy`."""

    clients: Clients
    clock: SystemClock
    source: RawDynamoDB
    facts: FactTable
    bases: BaseTables
    checkpoints: CheckpointTable
    live: LiveQueue


def moving(plan: Path | None) -> Moving:
    """Find both sides and the control table.

    Raises:
        UsageError: when one of them is missing.
    """
    workspace = Workspace.find()
    chosen = plan_of(workspace.root, plan)
    stack = workspace.deployed(chosen.stack)
    outputs, tables = stack.outputs, stack.pipeline_tables
    if outputs.legacy is None or tables is None or outputs.migration is None:
        raise outputs.one_sided("move")
    ports = pipeline_ports(stack, chosen.migration)
    legacy = outputs.legacy.as_planned(chosen.legacy)
    return Moving(
        ports.clients,
        ports.clock,
        LegacyEventTable(
            ports.clients.dynamodb,
            ports.source,
            legacy.events_table,
            activity_mapper(chosen.legacy.events),
            ports.facts.pace,
        ),
        ports.facts,
        ports.bases,
        ports.checkpoints,
        ports.live,
        chosen.legacy,
        legacy,
        partial(_reach, stack, chosen) if outputs.bulk else None,
    )


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
    board_shards = int(aggregate_settings(clients, names)["BOARD_SHARDS"])
    return PipelinePorts(
        clients,
        clock,
        source,
        FactTable(source, writer, names.facts_table, pace),
        BaseTables(source, writer, *rows, board_shards, pace),
        CheckpointTable(clients.dynamodb, control.control_table, migration),
        tables.live,
    )


def _reach(stack: DeployedStack, plan: Plan) -> BackfillElsewhere:
    from migration.wiring.elsewhere import reach  # noqa: PLC0415 - DuckDB is slow to import, and `--help` must not wait

    return reach(stack, plan)


@contextmanager
def in_threads(count: int) -> Iterator[InParallel]:
    """Give a map over so many threads."""
    with ThreadPoolExecutor(count, thread_name_prefix="write") as pool:
        yield pool.map


def worker_name() -> str:
    """Name this process for whoever looks at the job from another machine."""
    return f"{getpass.getuser()}@{platform.node()}:{os.getpid()}"


def aggregate_settings(clients: Clients, names: PipelineOutputs) -> Mapping[str, str]:
    """Ask the function that runs the live lane, so that both place a row on the same shard."""
    with translated(f"reading the settings of {names.aggregate_function}"):
        function = clients.functions.get_function_configuration(FunctionName=names.aggregate_function)
    return function["Environment"]["Variables"]
