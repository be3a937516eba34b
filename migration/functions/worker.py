"""The segment worker's function: one turn at one segment, as Step Functions asks for it.

    {"run": 1, "segment": 3, "layout": {…}}  ─►  {"segment": 3, "done": false, "wait": false}

It is told how legacy's events are laid out, and nothing else: the run, its pace and a pause are in the
control table, and a turn begins where the segment's checkpoint is.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger

from migration.aws.stack.live_queue import LiveQueue
from migration.aws.tables.checkpoint_table import CheckpointTable
from migration.aws.tables.fact_puts import FactWriter
from migration.aws.tables.legacy_pages import LegacyPages
from migration.aws.transport.clients import connect_dynamodb, connect_sqs, open_session
from migration.aws.transport.clock import SystemClock
from migration.aws.transport.metered import Writer
from migration.aws.transport.raw_dynamodb import RawDynamoDB, beside
from migration.backfill.attention import Attention
from migration.backfill.copying import Copying
from migration.backfill.pacer import Pacer
from migration.backfill.pacing import WritePace
from migration.backfill.segment_worker import SegmentWorker
from migration.model.backfill import MAX_WCU
from migration.model.legacy.layout import LegacyEvents
from migration.model.legacy.mapping import activity_mapper

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.utilities.typing import LambdaContext
    from mypy_boto3_dynamodb import DynamoDBClient

    from migration.model.backfill import Job

THREADS: Final = 8  # writes under way at once: more than one function's share of the ceiling needs
# Between two looks at the time a function puts a page at most, in a sixth of this unless DynamoDB is slow.
TIME_TO_LEAVE_MS: Final = 60_000
PAGE_S: Final = 10.0  # how long a page may take to put: what is put again after a kill
FEWEST, MOST = 10, 1_000  # items of a page
logger = Logger()


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take a turn; returns whether another is needed, and whether it should wait."""
    run, segment = int(event["run"]), int(event["segment"])
    layout = LegacyEvents.model_validate(event["layout"])
    remaining_ms: Callable[[], int] = context.get_remaining_time_in_millis
    with ThreadPoolExecutor(THREADS, thread_name_prefix="put") as pool:
        attention = _attention(segment, remaining_ms)
        copying = Copying(
            _events(layout, attention.pacer), _world().facts, _world().checkpoints, attention, pool.map
        )
        turn = SegmentWorker(copying).turn(run, segment)
    logger.info("turn over", run=run, **asdict(turn), units=attention.pacer.units)
    return asdict(turn)


@dataclass(frozen=True)
class _World:
    """What stays the same between turns."""

    clock: SystemClock
    dynamodb: DynamoDBClient
    source: RawDynamoDB
    facts: FactWriter
    checkpoints: CheckpointTable
    live: LiveQueue


@cache
def _world() -> _World:
    named, clock = os.environ, SystemClock()
    session = open_session(named["AWS_REGION"])
    dynamodb, sqs = connect_dynamodb(session), connect_sqs(session)
    source = beside(dynamodb, THREADS + 1, clock)
    return _World(
        clock,
        dynamodb,
        source,
        FactWriter(Writer(source), named["FACTS_TABLE"]),
        CheckpointTable(dynamodb, named["CONTROL_TABLE"], named["MIGRATION"]),
        LiveQueue(dynamodb, sqs, named["QUEUE_URL"], named["PROGRAM_PROGRESS_TABLE"]),
    )


def _events(layout: LegacyEvents, pacer: Pacer) -> LegacyPages:
    world = _world()

    def page_items() -> int:
        return min(MOST, max(FEWEST, int(pacer.pace.rate * PAGE_S)))

    table = os.environ["EVENTS_TABLE"]
    return LegacyPages(world.dynamodb, world.source, table, activity_mapper(layout), page_items)


def _attention(segment: int, remaining_ms: Callable[[], int]) -> Attention:
    world, share = _world(), 1 / int(os.environ["WORKERS"])

    def stays(job: Job) -> bool:
        return not job.paused and remaining_ms() > TIME_TO_LEAVE_MS

    pacer = Pacer(world.clock, world.live, WritePace.begin(MAX_WCU * share))
    name = f"the function of segment {segment}"
    return Attention(
        name, world.clock, pacer, world.checkpoints, tell=logger.warning, stays=stays, share=share
    )
