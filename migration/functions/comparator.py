"""The comparator's function: compare both sides' boards if the stage says so, and take it down."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from migration.aws.tables.compared_sides import TableNames, TableSides
from migration.aws.tables.comparison_table import ComparisonTable
from migration.aws.tables.control_plane_table import ControlPlaneTable
from migration.aws.transport.clients import connect
from migration.aws.transport.clock import SystemClock
from migration.compare.shadow.comparing import compare
from migration.compare.shadow.comparison import KEPT, Comparison, not_in
from migration.functions.serving import OwnHandlers
from migration.model.legacy.layout import read_layout

logger = Logger()
metrics = Metrics()


@metrics.log_metrics(raise_on_empty_metrics=False)
def handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Compare now; answers what was found, or why nothing was compared."""
    plane, comparisons = records()
    control = plane.state().control
    if (refused := not_in(control.stage)) is not None:
        return {"compared": False, "why": refused.why}
    found = compare(control, int(os.environ["BOARD_SIZE"]), sides(), OwnHandlers(), SystemClock())
    comparisons.add(found, datetime.now(UTC) + KEPT)
    _measure(found)
    return {"compared": True, "at": found.at, "judgement": found.judgement, "differences": dict(found.counts)}


def _measure(found: Comparison) -> None:
    for judgement, count in found.counts.items():
        name = "".join(part.capitalize() for part in judgement.split("_"))
        metrics.add_metric(f"Compared{name}", MetricUnit.Count, count)
    logger.info("compared", extra={"judgement": found.judgement, "differences": dict(found.counts)})


@cache
def sides() -> TableSides:
    """Return both sides' tables as the environment names and lays them out."""
    env = os.environ
    clients = connect(env["AWS_REGION"])
    names = TableNames(
        leaderboard=env["LEADERBOARD_TABLE"],
        legacy_events=env["LEGACY_EVENTS_TABLE"],
        legacy_employee_progress=env["LEGACY_EMPLOYEE_PROGRESS_TABLE"],
        snapshots=env["SNAPSHOTS_TABLE"],
        facts=env["FACTS_TABLE"],
        employee_progress=env["EMPLOYEE_PROGRESS_TABLE"],
        program_progress=env["PROGRAM_PROGRESS_TABLE"],
    )
    layout = read_layout(env["LEGACY_SHAPE"])
    return TableSides(clients.dynamodb, clients.sqs, names, env["QUEUE_URL"], layout)


@cache
def records() -> tuple[ControlPlaneTable, ComparisonTable]:
    """Return the migration's records in the control table."""
    client, env = sides().dynamodb, os.environ
    return (
        ControlPlaneTable(client, env["CONTROL_TABLE"], env["MIGRATION"]),
        ComparisonTable(client, env["CONTROL_TABLE"], env["MIGRATION"]),
    )
