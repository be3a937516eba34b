"""What AWS says of deployed things, one describe call or two each; nothing is written.

A thing that is not there, or a question that is refused, is a value: one gap must not hide the rest.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from botocore.exceptions import ClientError

from migration.aws.transport.clients import translated
from migration.preflight.deployed import Function, Missing, Pipe, Queue, QueueMapping, Table, Unread

if TYPE_CHECKING:
    from collections.abc import Callable

    from migration.aws.transport.clients import Clients, DescribingClients
    from migration.preflight.deployed import Read

T = TypeVar("T")
_ABSENT: Final = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "NotFoundException",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
        "TableNotFoundException",
    }
)
_UNANSWERED: Final = frozenset({"InvalidAction", "NotImplemented", "UnknownOperationException"})
_NO_CREDENTIALS: Final = frozenset(
    {"ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}
)
_QUEUE: Final = ("QueueArn", "VisibilityTimeout", "MessageRetentionPeriod", "RedrivePolicy")


def ask(what: str, question: Callable[[], T]) -> Read[T]:
    """Ask AWS about a thing; `what` names it.

    Raises:
        CredentialsError: when there are none, or they are not accepted.
        RemoteError: when AWS is not reached.
    """
    with translated(f"describing {what}"):
        try:
            return question()
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in _NO_CREDENTIALS:
                raise
            if code in _ABSENT:
                return Missing(what)
            return Unread(f"{what} could not be read: {error}", answered=code not in _UNANSWERED)


@dataclass(frozen=True, slots=True)
class Describe:
    """Describes things by their names."""

    clients: Clients
    more: DescribingClients

    def table(self, name: str) -> Read[Table]:
        """Describe a table, its expiry and its backups."""
        dynamodb = self.clients.dynamodb
        found = ask(f"table {name}", lambda: dynamodb.describe_table(TableName=name)["Table"])
        if isinstance(found, Missing | Unread):
            return found
        stream = found.get("StreamSpecification", {})
        enabled = stream.get("StreamEnabled", False)
        return Table(
            name,
            found.get("LatestStreamArn") if enabled else None,
            stream.get("StreamViewType") if enabled else None,
            ask(f"the expiry of table {name}", lambda: self._expires_by(name)),
            ask(f"the backups of table {name}", lambda: self._restorable(name)),
        )

    def pipe(self, name: str) -> Read[Pipe]:
        """Describe a pipe that reads a table's stream."""
        return ask(f"pipe {name}", lambda: _pipe(self.more.pipes.describe_pipe(Name=name)))

    def queue(self, url: str) -> Read[Queue]:
        """Describe a queue."""
        name = url.rpartition("/")[2]
        return ask(f"queue {name}", lambda: self._queue(url))

    def function(self, name: str) -> Read[Function]:
        """Describe a function."""
        functions = self.clients.functions

        def read() -> Function:
            found = functions.get_function_configuration(FunctionName=name)
            variables = found.get("Environment", {}).get("Variables", {})
            return Function(name, found["Handler"], found["Timeout"], variables, reserved)

        reserved = ask(
            f"the reserved concurrency of {name}",
            lambda: functions.get_function_concurrency(FunctionName=name.partition(":")[0]).get(
                "ReservedConcurrentExecutions"
            ),
        )
        return ask(f"function {name}", read)

    def mappings(self, function: str) -> Read[tuple[QueueMapping, ...]]:
        """List what a function is fed from."""

        def read() -> tuple[QueueMapping, ...]:
            pages = self.clients.functions.get_paginator("list_event_source_mappings").paginate(
                FunctionName=function
            )
            return tuple(_mapping(one) for page in pages for one in page["EventSourceMappings"])

        return ask(f"what feeds {function}", read)

    def readers(self, stream_arn: str) -> Read[tuple[str, ...]]:
        """Name the pipes and functions that read a stream."""

        def read() -> tuple[str, ...]:
            pipes = self.more.pipes.get_paginator("list_pipes").paginate(SourcePrefix=stream_arn)
            mappings = self.clients.functions.get_paginator("list_event_source_mappings").paginate(
                EventSourceArn=stream_arn
            )
            functions = [one["FunctionArn"] for page in mappings for one in page["EventSourceMappings"]]
            names = [one["Name"] for page in pipes for one in page["Pipes"] if one["Source"] == stream_arn]
            return (
                *(f"pipe {name}" for name in names),
                *(f"function {arn.rpartition(':')[2]}" for arn in functions),
            )

        return ask("what reads the fact table's stream", read)

    def _expires_by(self, table: str) -> str | None:
        found = self.clients.dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        going = found.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
        return found.get("AttributeName") if going else None

    def _restorable(self, table: str) -> bool:
        found = self.clients.dynamodb.describe_continuous_backups(TableName=table)
        recovery = found["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        return recovery.get("PointInTimeRecoveryStatus") == "ENABLED"

    def _queue(self, url: str) -> Queue:
        found = self.clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[*_QUEUE])["Attributes"]
        redrive = json.loads(found.get("RedrivePolicy", "{}"))
        receives = redrive.get("maxReceiveCount")
        return Queue(
            found["QueueArn"],
            int(found["VisibilityTimeout"]),
            int(found["MessageRetentionPeriod"]),
            None if receives is None else int(receives),
            redrive.get("deadLetterTargetArn"),
        )


def _pipe(found: Any) -> Pipe:  # noqa: ANN401 - a wire value
    source = found.get("SourceParameters", {})
    stream = source.get("DynamoDBStreamParameters", {})
    filters = source.get("FilterCriteria", {}).get("Filters", [])
    return Pipe(
        found["Name"],
        found["CurrentState"],
        found.get("StateReason", ""),
        found["Source"],
        found["Target"],
        tuple(one["Pattern"] for one in filters),
        stream.get("StartingPosition", ""),
        stream.get("MaximumRecordAgeInSeconds", -1),
        stream.get("DeadLetterConfig", {}).get("Arn"),
        found.get("TargetParameters", {}).get("InputTemplate", ""),
    )


def _mapping(found: Any) -> QueueMapping:  # noqa: ANN401 - a wire value
    return QueueMapping(
        found.get("EventSourceArn", ""),
        found["State"],
        "ReportBatchItemFailures" in found.get("FunctionResponseTypes", []),
        found.get("ScalingConfig", {}).get("MaximumConcurrency"),
        found["BatchSize"],
        found.get("MaximumBatchingWindowInSeconds", 0),
    )
