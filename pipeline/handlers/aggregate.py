"""Aggregate: fold a batch of queued facts, and answer which messages must come again.

A message older than the dedup horizon is never folded, because nobody could tell whether it was before: like
the unprocessable, it ends in the dead-letter queue.
"""

from __future__ import annotations

import os
import random
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from pipeline.domain.aggregator import Aggregator, longest_wait_s
from pipeline.domain.delivery import Delivered, deliver
from pipeline.domain.queued_fact import QueuedFact, UnfoldableMessageError, parse_message
from pipeline.stores.clients import dynamodb
from pipeline.stores.folds import FoldTables, dedup_expiry

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

# Three attempts of one call at the client's longest timeouts.
TRANSACTION_TIME_MS: Final = 12_000
logger = Logger()
metrics = Metrics()


@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Fold an SQS batch; returns the partial batch response that the event source mapping expects."""
    moment = now()
    aggregator = Aggregator(
        _tables(moment),
        wait=lambda attempt: time.sleep(random.uniform(0, longest_wait_s(attempt))),  # noqa: S311 - jitter
        has_time=lambda: context.get_remaining_time_in_millis() > TRANSACTION_TIME_MS,
    )
    horizon = moment - timedelta(days=int(os.environ["FOLD_HORIZON_DAYS"]))
    delivered = deliver(event["Records"], lambda body: parse_within(body, horizon), aggregator.fold)
    _report(delivered, moment)
    return delivered.response


def now() -> datetime:
    """Read the clock; the only place that aggregate does."""
    return datetime.now(UTC)


def parse_within(body: str, horizon: datetime) -> QueuedFact:
    """Read a message that is not older than the dedup horizon.

    Raises:
        UnfoldableMessageError: when it is malformed or too old.
    """
    fact = parse_message(body)
    if datetime.fromisoformat(fact.ingested_at) < horizon:
        raise UnfoldableMessageError("older than the dedup horizon; verify decides")
    return fact


def _tables(moment: datetime) -> FoldTables:
    shards = int(os.environ["PROGRAM_SHARDS"])
    return FoldTables(
        client=dynamodb(),
        dedup=os.environ["DEDUP_TABLE"],
        employee_progress=os.environ["EMPLOYEE_PROGRESS_TABLE"],
        program_progress=os.environ["PROGRAM_PROGRESS_TABLE"],
        board_shards=int(os.environ["BOARD_SHARDS"]),
        program_shard=random.randrange(shards),  # noqa: S311 - spreads load, guards nothing
        expires_at=dedup_expiry(moment, int(os.environ["DEDUP_TTL_DAYS"])),
    )


def _report(delivered: Delivered, moment: datetime) -> None:
    outcome = delivered.outcome
    metrics.add_metric("Folded", MetricUnit.Count, len(outcome.folded))
    metrics.add_metric("Duplicates", MetricUnit.Count, len(outcome.duplicates))
    metrics.add_metric("Failed", MetricUnit.Count, len(delivered.failed))
    metrics.add_metric("Transactions", MetricUnit.Count, outcome.transactions)
    ingested = (datetime.fromisoformat(fact.ingested_at) for fact in delivered.facts.values())
    lag = moment - min(ingested, default=moment)
    metrics.add_metric("LagMs", MetricUnit.Milliseconds, lag / timedelta(milliseconds=1))
    for message, reason in delivered.failed.items():
        logger.warning("not folded", message_id=message, reason=reason)
