"""The reverse mirror's function: apply a batch of facts that the pipeline accepted to legacy's tables."""

from __future__ import annotations

import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from migration.aws.tables.legacy_folds import LegacyFolds
from migration.aws.tables.legacy_rows import LegacyRows
from migration.aws.tables.mirrored_fact import parse_mirrored
from migration.model.legacy.layout import read_layout
from pipeline.domain.aggregator import longest_wait_s
from pipeline.domain.delivery import deliver
from pipeline.stores.clients import dynamodb

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

# Three attempts of one call at the client's longest timeouts.
CALL_TIME_MS: Final = 12_000
# A call is mostly waiting; the client has connections for ten.
CALLS_AT_ONCE: Final = 8
logger = Logger()
metrics = Metrics()


@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Apply an SQS batch; returns the partial batch response that the event source mapping expects."""
    with ThreadPoolExecutor(CALLS_AT_ONCE) as calls:
        folds = LegacyFolds(
            tables(),
            wait=lambda attempt: time.sleep(random.uniform(0, longest_wait_s(attempt))),  # noqa: S311 - jitter
            has_time=lambda: context.get_remaining_time_in_millis() > CALL_TIME_MS,
            together=calls.map,
        )
        delivered = deliver(event["Records"], parse_mirrored, folds.fold)
    metrics.add_metric("MirroredBack", MetricUnit.Count, len(delivered.outcome.folded))
    metrics.add_metric("MirroredBefore", MetricUnit.Count, len(delivered.outcome.duplicates))
    metrics.add_metric("Failed", MetricUnit.Count, len(delivered.failed))
    for message, reason in delivered.failed.items():
        logger.warning("not mirrored back", message_id=message, reason=reason)
    return delivered.response


@cache
def tables() -> LegacyRows:
    """Return legacy's tables as the environment names and lays them out."""
    return LegacyRows(
        client=dynamodb(),
        events=os.environ["EVENTS_TABLE"],
        program_progress=os.environ["PROGRAM_PROGRESS_TABLE"],
        employee_progress=os.environ["EMPLOYEE_PROGRESS_TABLE"],
        layout=read_layout(os.environ["LEGACY_SHAPE"]).written(),
    )
