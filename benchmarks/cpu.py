"""What the aggregator computes for an activity: reading messages, coalescing, building transactions.

Three tables: reading alone, against Powertools' batch processor; all of it without the SDK; all of it with
everything that boto3 does up to the socket (checking, serialising, signing, parsing the answer).
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, cast

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.parser.models import SqsRecordModel
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from pydantic import AwareDatetime, BaseModel, Field, Json

from benchmarks.dynamodb import MeteredDynamoDB
from benchmarks.report import Report
from benchmarks.systems import Pipeline, messages, parse, running_pipeline
from benchmarks.timing import Timing, cpu_us, interleave
from benchmarks.workload import activities
from benchmarks.writes import side_name
from pipeline.domain.activity import MAX_POINTS
from pipeline.domain.delivery import read
from pipeline.stores.clients import dynamodb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from benchmarks.settings import Settings

    Records = list[dict[str, Any]]

COLUMNS = ("side", "us_per_activity", "low", "high", "ratio")
Text = Annotated[str, Field(min_length=1)]


class Message(BaseModel):
    """A queued fact as a pydantic model."""

    employee_id: Annotated[Text, Field(pattern=r"^[^\n]+$")]
    event_id: Text
    program_id: Text
    points: Annotated[int, Field(ge=0, le=MAX_POINTS)]
    ingested_at: AwareDatetime


class Record(SqsRecordModel):
    """An SQS record that carries one."""

    body: Json[Message]


class SilentClient:
    """Takes what the fold tables send, and answers at once."""

    def transact_write_items(self, **_request: object) -> dict[str, object]:
        """Commit nothing."""
        return {}

    def update_item(self, **_request: object) -> dict[str, object]:
        """Update nothing."""
        return {}


def run(settings: Settings) -> list[Report]:
    """Time reading, folding, and folding through boto3."""
    records = _records(settings)
    reading = interleave(
        {name: cpu_us(_bound(read, records), len(records)) for name, read in READERS.items()},
        settings.rounds,
    )
    folding = _time_folds(cast("DynamoDBClient", SilentClient()), records, settings)
    with _socketless() as client:
        sending = _time_folds(client, records, settings)
    return [
        _report("cpu_reading", "Reading messages", reading),
        _report("cpu_folding", "Reading, coalescing, building transactions; no SDK", folding),
        _report("cpu_sending", "The same, and boto3 up to the socket", sending),
    ]


def read_as_pipeline(records: Records) -> int:
    """Read as the aggregate handler does: every field checked, and the age."""
    facts, _ = read(records, parse)
    return len(facts)


def read_with_data_classes(records: Records) -> int:
    """Read with Powertools' batch processor and its data classes; JSON is decoded, nothing is checked."""
    processor = BatchProcessor(event_type=EventType.SQS)
    with processor(records, handler=lambda record: record.json_body):
        processor.process()
    return len(processor.success_messages)


def read_with_parser(records: Records) -> int:
    """Read with Powertools' batch processor and its parser: the same checks, by a pydantic model."""
    processor = BatchProcessor(event_type=EventType.SQS, model=Record)
    with processor(records, handler=lambda record: record.body):
        processor.process()
    return len(processor.success_messages)


READERS: dict[str, Callable[[Records], int]] = {
    "pipeline": read_as_pipeline,
    "Powertools batch, data classes (no checks)": read_with_data_classes,
    "Powertools batch and parser (pydantic)": read_with_parser,
}


def _records(settings: Settings) -> Records:
    store = MeteredDynamoDB()
    with running_pipeline(store) as pipeline:
        pipeline.ingest(activities(settings.timed_activities, settings.seed))
    return messages(store.tables["facts"].items.values())


def _time_folds(client: DynamoDBClient, records: Records, settings: Settings) -> dict[str, Timing]:
    return interleave(
        {
            side_name(size): cpu_us(_bound(Pipeline(client).aggregate, records, size), len(records))
            for size in settings.batch_sizes
        },
        settings.rounds,
    )


@contextmanager
def _socketless() -> Iterator[DynamoDBClient]:
    """Give the pipeline's own client, whose requests are answered where they would be sent."""
    dynamodb.cache_clear()
    client = dynamodb()
    hook: Any = _answer_empty  # what it returns is the answer, which the SDK's stubs do not know
    client.meta.events.register("before-send.dynamodb", hook)
    yield client
    dynamodb.cache_clear()


class _EmptyBody:
    def stream(self, **_options: object) -> Iterator[bytes]:
        yield b"{}"


def _answer_empty(request: Any, **_: object) -> AWSResponse:  # noqa: ANN401 - botocore's prepared request
    return AWSResponse(request.url, 200, HTTPHeaders(), _EmptyBody())


def _bound(work: Callable[..., object], *arguments: object) -> Callable[[], object]:
    return lambda: work(*arguments)


def _report(name: str, title: str, timings: dict[str, Timing]) -> Report:
    return Report(
        name,
        f"{title}: CPU per activity",
        COLUMNS,
        tuple((side, t.median, t.low, t.high, t.ratio) for side, t in timings.items()),
        (
            "Microseconds: median, lowest and highest round.",
            "Ratios are against the first row, round by round.",
        ),
    )
