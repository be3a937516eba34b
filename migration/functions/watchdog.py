"""The watchdog's function, run every minute: looks at the guardrails until its time is nearly over."""

from __future__ import annotations

import os
import secrets
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from migration.aws.stack.notices import AwsNotices
from migration.aws.tables.control_plane_table import ControlPlaneTable
from migration.aws.transport.clients import connect, connect_notices, open_session
from migration.aws.transport.clock import SystemClock
from migration.aws.transport.hooks import PlanHooks
from migration.cutover.mover import Mover
from migration.cutover.watchdog import ToldOf, Watchdog
from migration.cutover.watching import Watch, WatchLimits
from migration.guardrails.plan import GuardrailsPlan
from migration.model.errors import IntegrityError
from migration.plan.hooks import HooksPlan
from migration.plan.outputs import StackOutputs
from migration.wiring.vital import vital_guardrails

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from migration.model.guardrails import Guardrails
    from migration.plan.outputs import MigrationOutputs, PipelineOutputs

# A look, the way back and its notices, where AWS is slow. It is no promise: a turn that is cut short by the
# function's timeout has done whole writes or none, and the next begins within a minute.
LAST_LOOK_MS: Final = 8_000
logger = Logger()
metrics = Metrics()


@metrics.log_metrics
def handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Watch for a turn; returns what it came to."""
    seen = watchdog(f"watchdog:{context.aws_request_id}").turn(
        lambda: context.get_remaining_time_in_millis() > LAST_LOOK_MS
    )
    metrics.add_metric("Looks", MetricUnit.Count, seen.looks)
    metrics.add_metric("LooksFailed", MetricUnit.Count, seen.failed)
    metrics.add_metric("RolledBack", MetricUnit.Count, int(bool(seen.rolled_back)))
    if seen.rolled_back:
        logger.warning("rolled back", why=seen.rolled_back)
    return asdict(seen)


def watchdog(by: str) -> Watchdog:
    """Make one turn's watchdog as the environment describes it."""
    env = os.environ
    _, between = sides()
    region, migration = env["AWS_REGION"], env["MIGRATION"]
    clock = SystemClock()
    plane = ControlPlaneTable(connect(region).dynamodb, between.control_table, migration)
    notices = AwsNotices(connect_notices(open_session(region)), between.notice_topic)
    mover = Mover(migration, plane, clock, lambda: secrets.token_hex(2), by, "", hooks(), notices)
    watch = Watch(WatchLimits(int(env["WATCH_LOOKS"])))
    times = (float(env["WATCH_INTERVAL_S"]), float(env["WATCH_GRACE_S"]))
    return Watchdog(plane, guardrails(), clock, mover, watch, *times, told())


@cache
def told() -> ToldOf:
    """Remember from turn to turn what people were told of."""
    return ToldOf()


@cache
def guardrails() -> Guardrails:
    """Make the process's set, which remembers from turn to turn what it saw."""
    pipeline, between = sides()
    return vital_guardrails(
        connect(os.environ["AWS_REGION"]),
        pipeline,
        between,
        migration=os.environ["MIGRATION"],
        limits=GuardrailsPlan.model_validate_json(os.environ["GUARDRAILS"]),
        clock=SystemClock(),
    )


def sides() -> tuple[PipelineOutputs, MigrationOutputs]:
    """Find what is watched among the stack's outputs.

    Raises:
        IntegrityError: when they are of a phase without both sides.
    """
    found = StackOutputs.model_validate_json(os.environ["STACK_OUTPUTS"])
    if found.pipeline is None or found.migration is None:
        raise IntegrityError(f"phase {found.phase} has nothing to watch", hint="deploy the stack again")
    return found.pipeline, found.migration


def hooks() -> PlanHooks:
    """Give the webhooks that are told of a way back; what is to be asked before is never asked."""
    plan = HooksPlan.model_validate_json(os.environ["HOOKS"])
    return PlanHooks(plan, Path.cwd(), os.environ)
