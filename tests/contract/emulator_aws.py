"""What the contract tests of the local AWS share: typed clients, unique names, resources, and patience."""

from __future__ import annotations

import http.client
import io
import json
import zipfile
from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from tests import waiting
from tests.contract.engines import unique

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_pipes import EventBridgePipesClient
    from mypy_boto3_sqs import SQSClient

    from migration.local.emulator import Emulator

T = TypeVar("T")
ACCOUNT: Final = "000000000000"
ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/test"
ONE_ATTEMPT: Final = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=20)
_PATIENCE_S: Final = 20
_PROBE_S: Final = 0.02


def eventually(probe: Callable[[], T | None]) -> T:
    """Call until the answer is truthy, and return it."""
    return waiting.eventually(probe, _PATIENCE_S, _PROBE_S)


@dataclass(frozen=True)
class Clients:
    """Clients that never retry, so that a test sees every answer."""

    dynamodb: DynamoDBClient
    sqs: SQSClient
    pipes: EventBridgePipesClient
    functions: LambdaClient

    @classmethod
    def of(cls, emulator: Emulator) -> Clients:
        session = boto3.Session()
        there: Any = {**emulator.client_arguments, "config": ONE_ATTEMPT}
        return cls(
            session.client("dynamodb", **there),
            session.client("sqs", **there),
            session.client("pipes", **there),
            session.client("lambda", **there),
        )

    def table(self, *, stream: str = "NEW_IMAGE") -> str:
        """Make a table with the text key `id` and a stream."""
        name = unique("table")
        self.dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": stream},  # type: ignore[typeddict-item]  # tests pass AWS's words
        )
        return name

    def stream(self, table: str) -> str:
        return self.dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]

    def put(self, table: str, *ids: str, **attributes: str) -> None:
        texts = {name: {"S": text} for name, text in attributes.items()}
        for item_id in ids:
            self.dynamodb.put_item(TableName=table, Item={"id": {"S": item_id}, **texts})

    def queue(self, **attributes: str) -> tuple[str, str]:
        """Make a queue; return its URL and its ARN."""
        name = unique("queue")
        url = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]  # type: ignore[arg-type]  # plain texts
        return url, f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"

    def redriven_queue(self, receives: int = 1, **attributes: str) -> tuple[str, str, str]:
        """Make a queue with a dead-letter queue; return both URLs and the dead-letter queue's ARN."""
        dead_url, dead_arn = self.queue()
        policy = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": receives})
        url, _ = self.queue(RedrivePolicy=policy, **attributes)
        return url, dead_url, dead_arn

    def received(self, url: str, count: int) -> list[str]:
        """Receive and delete messages until there are `count`; return their bodies in order of arrival."""
        bodies: list[str] = []

        def enough() -> bool:
            messages = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            for message in messages:
                bodies.append(message["Body"])
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return len(bodies) >= count

        eventually(enough)
        return bodies

    def depth(self, url: str) -> int:
        """Count the messages in a queue, in flight or not."""
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(text) for text in attributes.values())

    def pipe(self, source: str, target: str, **parameters: Any) -> str:
        """Make a pipe from the start of a stream; `stream`, `filters` and `template` complete it."""
        name = unique("pipe")
        source_parameters: Any = {
            "DynamoDBStreamParameters": {"StartingPosition": "TRIM_HORIZON", **parameters.get("stream", {})},
            "FilterCriteria": {
                "Filters": [{"Pattern": json.dumps(one)} for one in parameters.get("filters", [])]
            },
        }
        self.pipes.create_pipe(
            Name=name,
            Source=source,
            Target=target,
            RoleArn=ROLE,
            SourceParameters=source_parameters,
            TargetParameters={"InputTemplate": parameters.get("template", "<$.dynamodb.NewImage.id.S>")},
        )
        return name

    def function(self, source: str, **settings: Any) -> str:
        """Make a function from the text of its one module."""
        name = unique("function")
        self.functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=ROLE,
            Handler="code.handler",
            Code={"ZipFile": zipped({"code.py": dedent(source)})},
            **settings,
        )
        return name

    def invoke(self, function: str, event: object = None, **options: str) -> Any:
        """Call a function and return what it returned, or its error."""
        answer = self.functions.invoke(FunctionName=function, Payload=json.dumps(event), **options)  # type: ignore[arg-type]  # a qualifier
        return json.loads(answer["Payload"].read())


def ask(url: str, method: str = "GET", body: str | None = None) -> tuple[int, str]:
    """Make one HTTP request; return the status and the body of the answer."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=_PATIENCE_S)
    try:
        path = parts._replace(scheme="", netloc="").geturl()
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def texts(prefix: str, numbers: Iterable[int]) -> list[str]:
    return [f"{prefix}{number}" for number in numbers]
