"""The boto3 clients of a deployment, bound to an endpoint on this machine.

Decides that nothing else is ever reached: the endpoint must be a loopback address, the credentials are made
up, proxies and configured endpoints are ignored.
"""

from __future__ import annotations

import ipaddress
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from migration.local.deployer.errors import EndpointRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_apigateway.client import APIGatewayClient
    from mypy_boto3_athena.client import AthenaClient
    from mypy_boto3_cloudwatch.client import CloudWatchClient
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_glue.client import GlueClient
    from mypy_boto3_iam.client import IAMClient
    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_logs.client import CloudWatchLogsClient
    from mypy_boto3_pipes.client import EventBridgePipesClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_scheduler.client import EventBridgeSchedulerClient
    from mypy_boto3_sns.client import SNSClient
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_stepfunctions.client import SFNClient

T = TypeVar("T")

_CONFIG: Final = Config(
    connect_timeout=2,
    read_timeout=30,
    retries={"mode": "standard", "total_max_attempts": 3},
    proxies={},
    s3={"addressing_style": "path"},  # the endpoint has no names below its own
)
_SERVICES: Final = {"lambda_": "lambda", "states": "stepfunctions"}  # clients with another name here
_ABSENT: Final = ("NotFound", "NonExistent", "NoSuch", "DoesNotExist")


class Aws:
    """One endpoint, one region; clients are made when first used."""

    apigateway: APIGatewayClient
    athena: AthenaClient
    cloudwatch: CloudWatchClient
    dynamodb: DynamoDBClient
    glue: GlueClient
    iam: IAMClient
    lambda_: LambdaClient
    logs: CloudWatchLogsClient
    pipes: EventBridgePipesClient
    s3: S3Client
    scheduler: EventBridgeSchedulerClient
    sns: SNSClient
    sqs: SQSClient
    states: SFNClient

    def __init__(self, endpoint: str, region: str) -> None:
        self.endpoint = loopback(endpoint)
        self.region = region

    @cached_property
    def _session(self) -> boto3.Session:
        made_up = "test"
        return boto3.Session(
            aws_access_key_id=made_up, aws_secret_access_key=made_up, region_name=self.region
        )

    @cached_property
    def account(self) -> str:
        """The account id that the endpoint answers as."""
        sts = self._session.client("sts", endpoint_url=self.endpoint, config=_CONFIG)
        return sts.get_caller_identity()["Account"]

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as annotated
        """Make a client when it is first asked for."""
        if name not in Aws.__annotations__:
            raise AttributeError(name)
        client = self._session.client(
            _SERVICES.get(name, name),
            endpoint_url=self.endpoint,
            config=_CONFIG,  # type: ignore[call-overload]
        )
        setattr(self, name, client)
        return client


def loopback(endpoint: str) -> str:
    """Give the endpoint back, without a slash at its end, if it is on this machine; refuse it otherwise."""
    host = urlsplit(endpoint).hostname or ""
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise EndpointRefusedError(endpoint)
    return endpoint.rstrip("/")


def found(call: Callable[[], T]) -> T | None:
    """Make a call that reads; None if AWS says there is no such thing."""
    try:
        return call()
    except ClientError as error:
        if is_absent(error):
            return None
        raise


def is_absent(error: ClientError) -> bool:
    """Tell whether an error says that what was asked for is not there."""
    return any(word in error.response["Error"]["Code"] for word in _ABSENT)
