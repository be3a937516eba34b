"""The one factory of the toolkit's AWS clients, and the one place where their errors are translated."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from migration.aws.transport.clock import AWS_TIME
from migration.aws.transport.conflicts import TryAgain
from migration.model.errors import CredentialsError, RemoteError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import boto3
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs.client import CloudWatchLogsClient
    from mypy_boto3_pipes import EventBridgePipesClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient

_CONFIG: Final = Config(
    connect_timeout=5,
    read_timeout=60,  # a function that is invoked answers when it is done
    retries={"mode": "standard", "total_max_attempts": 4},
)
_CONFLICTS_S: Final = 10.0  # a row that is hot, not one that is broken
# Nothing waits for a notice: one that cannot be delivered soon is noted instead.
_SOON: Final = Config(
    connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2}
)
_PROXIES: Final = ("HTTPS_PROXY", "HTTP_PROXY")
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_NOT_ALLOWED: Final = frozenset(
    {"AccessDeniedException", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}
)


@dataclass(frozen=True, slots=True)
class Clients:
    """AWS, as far as the toolkit uses it."""

    dynamodb: DynamoDBClient
    functions: LambdaClient
    sqs: SQSClient


@dataclass(frozen=True, slots=True)
class BulkClients:
    """What only the backfill's engine `aws` uses."""

    states: SFNClient
    athena: AthenaClient
    s3: S3Client


def connect(region: str, endpoint_url: str | None = None) -> Clients:
    """Make the clients; with an endpoint, for the local AWS, which takes any credentials."""
    session = open_session(region, endpoint_url)
    return Clients(
        dynamodb=connect_dynamodb(session, endpoint_url),
        functions=session.client("lambda", endpoint_url=endpoint_url, config=_CONFIG),
        sqs=connect_sqs(session, endpoint_url),
    )


def connect_bulk(region: str, endpoint_url: str | None = None) -> BulkClients:
    """Make the clients of the engine `aws`, as `connect`."""
    session = open_session(region, endpoint_url)
    return BulkClients(
        states=session.client("stepfunctions", endpoint_url=endpoint_url, config=_CONFIG),
        athena=session.client("athena", endpoint_url=endpoint_url, config=_CONFIG),
        s3=session.client("s3", endpoint_url=endpoint_url, config=_CONFIG.merge(_paths(endpoint_url))),
    )


@dataclass(frozen=True, slots=True)
class NoticeClients:
    """What only notices use."""

    events: EventBridgeClient
    sns: SNSClient


def connect_notices(session: boto3.Session, endpoint_url: str | None = None) -> NoticeClients:
    """Make the clients of notices."""
    return NoticeClients(
        events=session.client("events", endpoint_url=endpoint_url, config=_SOON),
        sns=session.client("sns", endpoint_url=endpoint_url, config=_SOON),
    )


def connect_logs(region: str, endpoint_url: str | None = None) -> CloudWatchLogsClient:
    """Make the client of functions' logs, as `connect`."""
    return open_session(region, endpoint_url).client("logs", endpoint_url=endpoint_url, config=_CONFIG)


@dataclass(frozen=True, slots=True)
class DescribingClients:
    """What only a look at the stack as it is deployed uses."""

    pipes: EventBridgePipesClient
    iam: IAMClient
    sts: STSClient


def connect_describing(region: str, endpoint_url: str | None = None) -> DescribingClients:
    """Make the clients of a look at the stack, as `connect`."""
    session = open_session(region, endpoint_url)
    return DescribingClients(
        pipes=session.client("pipes", endpoint_url=endpoint_url, config=_CONFIG),
        iam=session.client("iam", endpoint_url=endpoint_url, config=_CONFIG),
        sts=session.client("sts", endpoint_url=endpoint_url, config=_CONFIG),
    )


def connect_dynamodb(session: boto3.Session, endpoint_url: str | None = None) -> DynamoDBClient:
    """Make the one client that needs no others beside it, as in a function's cold start.

    What was refused for another's transaction is tried again, for a while.
    """
    client = session.client("dynamodb", endpoint_url=endpoint_url, config=_CONFIG)
    TryAgain(_CONFLICTS_S).attach(client.meta.events)
    return client


def connect_sqs(session: boto3.Session, endpoint_url: str | None = None) -> SQSClient:
    """Make the client of queues."""
    return session.client("sqs", endpoint_url=endpoint_url, config=_CONFIG)


def open_session(region: str, endpoint_url: str | None = None) -> boto3.Session:
    """Find the credentials of an account; the local AWS takes made-up ones. What is answered sets the clock.

    AWS is reached through the proxy that the environment names, what runs on this machine without it.
    """
    # 0.07 of the 0.9 s of `cutover --help`, which asks AWS nothing
    import boto3  # noqa: PLC0415
    import botocore.session  # noqa: PLC0415

    known = botocore.session.get_session()
    if urlsplit(endpoint_url or os.environ.get("AWS_ENDPOINT_URL", "")).hostname in _HERE:
        known.set_default_client_config(Config(proxies={}))
    key = "test" if endpoint_url else None
    session = boto3.Session(
        region_name=region or None, aws_access_key_id=key, aws_secret_access_key=key, botocore_session=known
    )
    AWS_TIME.listen(session.events)
    return session


def date_of(client: DynamoDBClient) -> None:
    """Have AWS answer anything at all: also what it refuses has its date."""
    with suppress(BotoCoreError, ClientError):
        client.describe_endpoints()


def _paths(endpoint_url: str | None) -> Config:
    """Put buckets in the path where the endpoint has no names below its own, as the local AWS."""
    return Config(s3={"addressing_style": "path" if endpoint_url else "auto"})


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn what boto3 raises into the toolkit's errors; `doing` completes "AWS failed while …".

    Raises:
        CredentialsError: when there are no credentials, or they are not accepted.
        RemoteError: for everything else.
    """
    try:
        yield
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise _credentials(doing, str(error)) from error
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _NOT_ALLOWED:
            raise _credentials(doing, str(error)) from error
        raise RemoteError(f"AWS failed while {doing}: {error}", hint="try again") from error
    except BotoCoreError as error:
        raise RemoteError(f"AWS was not reached while {doing}: {error}", hint=_out_of_reach()) from error


def _out_of_reach() -> str:
    """Say what to see to; a proxy that the environment names may be what does not answer."""
    named = [name for one in _PROXIES for name in (one, one.lower()) if os.environ.get(name)]
    if not named:
        return "see whether the stack is up"
    proxies = " and ".join(named)
    return f"the proxy in {proxies} is used: unset it, or set NO_PROXY=.amazonaws.com to go without"


def _credentials(doing: str, text: str) -> CredentialsError:
    return CredentialsError(
        f"AWS refused {doing}: {text}",
        hint="sign in to the account of the stack, or choose its profile with AWS_PROFILE",
        next_command="aws sts get-caller-identity",
    )
