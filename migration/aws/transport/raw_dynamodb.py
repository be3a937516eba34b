"""DynamoDB without botocore's parser: a signed request, and the bytes of the answer.

botocore spends 50 microseconds on each item it parses; a typed decoder takes 2. And it spends 1,700 on a put,
which takes 200 here. So bulk readers and writers sign and send here, with botocore's own signer, and decode
for themselves. What is retried, and how long, is decided here; what an answer means is not.
"""

from __future__ import annotations

import json
import random
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError, NoCredentialsError

from migration.aws.transport.clients import open_session
from migration.aws.transport.clock import SystemClock
from migration.aws.transport.conflicts import refused_for_now
from migration.aws.transport.kept_connections import KeptConnections
from migration.aws.transport.signer import Signer

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient

    from migration.model.clock import Clock

MOST_ATTEMPTS: Final = 10
FIRST_PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 10.0
_SERVER_ERROR: Final = 500
_AGAIN: Final = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
    }
)


@dataclass(frozen=True, slots=True)
class RawDynamoDB:
    """Sends requests from many threads at once.

    Attributes:
        signer: whom to ask, and as whom.
        http: connections to there.
        clock: what waits between attempts.
        jitter: gives a number from 0 to 1, so that throttled readers do not come back together.
        check_crc: whether an answer must match DynamoDB's checksum.
    """

    signer: Signer
    http: KeptConnections
    clock: Clock
    jitter: Callable[[], float] = random.random
    check_crc: bool = True

    def call(self, operation: str, parameters: dict[str, Any]) -> bytes:
        """Make a request, again while DynamoDB is busy or unreachable.

        Raises:
            ClientError: when DynamoDB refuses, or is still busy after the last attempt.
            HTTPClientError: when it cannot be reached.
        """
        body = json.dumps(parameters, separators=(",", ":")).encode()
        for attempt in range(1, MOST_ATTEMPTS + 1):
            try:
                return self._once(operation, body)
            except (ClientError, HTTPClientError) as error:
                if attempt == MOST_ATTEMPTS or not _worth_another(error):
                    raise
            pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**attempt)
            self.clock.sleep(pause * self.jitter())
        raise AssertionError("the last attempt returns or raises")

    def _once(self, operation: str, body: bytes) -> bytes:
        answered = self.http.post(self.signer.headers(operation, body), body)
        content = answered.content
        checksum = answered.headers.get("x-amz-crc32")
        if self.check_crc and checksum is not None and int(checksum) != zlib.crc32(content):
            raise ConnectionClosedError(request=None, endpoint_url=self.signer.endpoint_url)
        if answered.status == 200:  # noqa: PLR2004 - OK
            return content
        raise ClientError(_parsed(answered.status, content), operation)


def beside(client: DynamoDBClient, connections: int, clock: Clock | None = None) -> RawDynamoDB:
    """Ask whom a client asks, keeping at most so many connections.

    Raises:
        NoCredentialsError: when there are none.
    """
    endpoint, region = client.meta.endpoint_url, client.meta.region_name
    # Only the local AWS is reached without TLS, and it takes any credentials.
    credentials = open_session(region, endpoint if endpoint.startswith("http:") else None).get_credentials()
    if credentials is None:
        raise NoCredentialsError
    signer = Signer(endpoint, region, credentials)
    return RawDynamoDB(signer, KeptConnections(endpoint, connections), clock or SystemClock())


def _parsed(status: int, content: bytes) -> Any:  # noqa: ANN401 - botocore's own shape of an error
    item: dict[str, Any] = {}
    try:
        fields = json.loads(content)
        code, message = fields.get("__type", ""), fields.get("message") or fields.get("Message", "")
        item = {name: fields[name] for name in ("CancellationReasons", "Item") if name in fields}
    except (ValueError, AttributeError):
        code, message = "", content[:200].decode(errors="replace")
    return {
        **item,
        "Error": {"Code": code.rpartition("#")[2] or str(status), "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }


def _worth_another(error: ClientError | HTTPClientError) -> bool:
    if isinstance(error, HTTPClientError):
        return True
    metadata = error.response.get("ResponseMetadata", {})
    status = metadata.get("HTTPStatusCode", 0)
    code = error.response.get("Error", {}).get("Code")
    return status >= _SERVER_ERROR or code in _AGAIN or refused_for_now(error.response)
