"""Reaching what copies and folds for a backfill's engine `aws`: the stack's functions, and its exports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migration.aws.bulk.athena_exports import AthenaExports
from migration.aws.stack.step_functions import StepFunctions
from migration.aws.transport.clients import connect_bulk, translated
from migration.aws.transport.clock import SystemClock
from migration.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migration.aws.transport.clients import Clients
    from migration.backfill.history_exports import HistoryExports
    from migration.backfill.segment_workers import SegmentWorkers
    from migration.plan.plan import Plan
    from migration.wiring.workspace import DeployedStack


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


def reach(stack: DeployedStack, plan: Plan) -> BackfillElsewhere:
    """Reach the engine of a stack that has it.

    Raises:
        UsageError: when it is not made for this plan.
    """
    outputs = stack.outputs
    if outputs.bulk is None or outputs.pipeline is None or outputs.legacy is None:
        raise AssertionError("asked for only where there is one")
    if plan.legacy.events.table not in {None, outputs.legacy.events_table}:
        raise UsageError(
            f"the stack's functions may read {outputs.legacy.events_table}, and the plan names another table",
            hint="copy from that one with --engine machine",
            next_command="cutover backfill start --engine machine",
        )
    names, clients = outputs.bulk, connect_bulk(outputs.region, stack.endpoint)
    layout = plan.legacy.events.model_dump(exclude_unset=True)
    exports = AthenaExports(
        dynamodb=stack.clients.dynamodb,
        athena=clients.athena,
        s3=clients.s3,
        clock=SystemClock(),
        table=outputs.pipeline.facts_table,
        migration=plan.migration,
        bucket=names.exports_bucket,
        workgroup=names.athena_workgroup,
        database=names.athena_database,
    )
    return BackfillElsewhere(
        StepFunctions(clients.states, names.state_machine, plan.migration, layout),
        exports,
        int(settings_of(stack.clients, names.worker_function)["WORKERS"]),
    )


def settings_of(clients: Clients, function: str) -> Mapping[str, str]:
    """Ask a function itself how it is set."""
    with translated(f"reading the settings of {function}"):
        found = clients.functions.get_function_configuration(FunctionName=function)
    return found["Environment"]["Variables"]
