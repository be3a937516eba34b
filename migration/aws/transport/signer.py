"""DynamoDB's own requests, signed: what is sent without botocore's client goes out with these headers.

The front door imports it, so it imports nothing but what the door's process has anyway.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

if TYPE_CHECKING:
    from botocore.credentials import Credentials


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for one endpoint.

    Attributes:
        endpoint_url, region, credentials: whom to ask, and as whom.
    """

    endpoint_url: str
    region: str
    credentials: Credentials

    def headers(self, operation: str, body: bytes) -> dict[str, str]:
        """Give the headers with which a body is a request of this operation; they hold for minutes."""
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
        }
        request = AWSRequest("POST", self.endpoint_url, headers, body)
        SigV4Auth(self.credentials.get_frozen_credentials(), "dynamodb", self.region).add_auth(request)
        return dict(request.headers.items())
