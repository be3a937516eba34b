"""Snapshot: the scheduled job that publishes every board."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from pipeline.domain.queue_depth import COUNTS, depth
from pipeline.snapshotter import Snapshotter
from pipeline.stores.boards import BoardReader
from pipeline.stores.clients import dynamodb, sqs
from pipeline.stores.errors import translated
from pipeline.stores.facts import FactTable
from pipeline.stores.snapshots import SnapshotTable

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
metrics = Metrics()


class IncompleteError(Exception):
    """Some boards were not published; the schedule's retry takes them all again."""


@metrics.log_metrics
def handler(_event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Take a snapshot; returns its version and how many boards it has."""
    moment = datetime.now(UTC)
    taken = _snapshotter().take(moment)
    metrics.add_metric("BoardsPublished", MetricUnit.Count, len(taken.published))
    metrics.add_metric("BoardsFailed", MetricUnit.Count, len(taken.failed))
    if taken.lag is not None:
        metrics.add_metric("SnapshotLagMs", MetricUnit.Milliseconds, taken.lag / timedelta(milliseconds=1))
    if taken.failed:
        logger.error("boards failed", failed=taken.failed)
        raise IncompleteError(
            f"{len(taken.failed)} of {len(taken.published) + len(taken.failed)} steps failed"
        )
    return {"version": moment.isoformat(), "boards": len(taken.published)}


def pending_messages() -> int:
    """Count, about, the messages that wait in the queue or are being folded, delayed ones among them.

    Raises:
        UnavailableError: when SQS does not answer.
    """
    with translated():
        found = sqs().get_queue_attributes(QueueUrl=os.environ["QUEUE_URL"], AttributeNames=[*COUNTS])
    return depth(found["Attributes"])


def _snapshotter() -> Snapshotter:
    env = os.environ
    client = dynamodb()
    return Snapshotter(
        facts=FactTable(client, env["FACTS_TABLE"]),
        reader=BoardReader(
            client, env["EMPLOYEE_PROGRESS_TABLE"], env["PROGRAM_PROGRESS_TABLE"], int(env["BOARD_SHARDS"])
        ),
        snapshots=SnapshotTable(client, env["SNAPSHOTS_TABLE"]),
        pending=pending_messages,
        size=int(env["BOARD_SIZE"]),
        ttl=timedelta(days=int(env["SNAPSHOT_TTL_DAYS"])),
    )
