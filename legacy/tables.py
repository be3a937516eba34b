"""Legacy's DynamoDB tables, by the environment variable that names them."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import DynamoDBServiceResource, Table

# The SDK repeats by itself what was not answered in time, also an ADD that was applied: flaw L3 in README.md.
_CONFIG: Final = Config(
    connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2}
)


@cache
def dynamodb() -> DynamoDBServiceResource:
    """Return the process's connection to DynamoDB."""
    return boto3.resource("dynamodb", config=_CONFIG)


@cache
def table(variable: str) -> Table:
    """Return the table that an environment variable names."""
    return dynamodb().Table(os.environ[variable])
