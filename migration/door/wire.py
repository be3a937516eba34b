"""DynamoDB's wire protocol on one warm connection, so that a request can be sent now and collected later.

    send ──► (the other side's handler runs) ──► collect

A boto3 call in a thread would cost the client's request half again (the interpreter's lock); this costs a
signature and a system call. One attempt, short timeouts, never a retry: what is missed is reconciled.
"""

from __future__ import annotations

import http.client
import json
import os
import select
import socket
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.session import get_session

if TYPE_CHECKING:
    from botocore.credentials import Credentials

_OK: Final = 200


class MissedError(Exception):
    """No usable answer in time; what was sent may or may not have been applied."""


@dataclass(frozen=True, slots=True)
class WireAnswer:
    """What DynamoDB answered: the decoded body, and its error type ('' for success)."""

    body: dict[str, Any]
    error: str


class DynamoWire:
    """One connection to DynamoDB, used by one request at a time."""

    def __init__(self, timeout_s: float) -> None:
        """Connect lazily; every wait is at most `timeout_s`."""
        region = os.environ["AWS_REGION"]
        endpoint = os.environ.get("AWS_ENDPOINT_URL_DYNAMODB") or os.environ.get("AWS_ENDPOINT_URL")
        self._url = (endpoint or f"https://dynamodb.{region}.amazonaws.com").rstrip("/")
        self._region = region
        self._timeout_s = timeout_s
        self._connection: http.client.HTTPConnection | None = None

    def send(self, operation: str, parameters: dict[str, Any]) -> None:
        """Put a request on the wire without waiting for its answer.

        Raises:
            MissedError: when it could not be sent.
        """
        request = AWSRequest(
            "POST",
            f"{self._url}/",
            headers={
                "Content-Type": "application/x-amz-json-1.0",
                "X-Amz-Target": f"DynamoDB_20120810.{operation}",
            },
            data=json.dumps(parameters).encode(),
        )
        SigV4Auth(self._credentials.get_frozen_credentials(), "dynamodb", self._region).add_auth(request)
        try:
            self._open().request("POST", "/", body=request.data, headers=dict(request.headers.items()))
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise MissedError(type(error).__name__) from error

    def collect(self, within_s: float) -> WireAnswer:
        """Wait for the answer of the last request.

        Raises:
            MissedError: when it did not come in time, or was no answer of DynamoDB.
        """
        connection = self._connection
        if connection is None or connection.sock is None:
            raise MissedError("NotSent")
        try:
            connection.sock.settimeout(max(within_s, 0.001))
            response = connection.getresponse()
            body = json.loads(response.read() or b"{}")
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise MissedError(type(error).__name__) from error
        if response.status == _OK:
            return WireAnswer(body, "")
        return WireAnswer(body, str(body.get("__type", response.status)).rpartition("#")[2])

    def close(self) -> None:
        """Drop the connection; the next request makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @cached_property
    def _credentials(self) -> Credentials:
        credentials = get_session().get_credentials()
        if credentials is None:
            raise MissedError("NoCredentials")
        return credentials

    def _open(self) -> http.client.HTTPConnection:
        if self._connection is not None and _hung_up(self._connection.sock):
            self.close()
        if self._connection is None:
            parts = urlsplit(self._url)
            kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
            self._connection = kind(parts.netloc, timeout=self._timeout_s)
            self._connection.connect()
            self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection.sock.settimeout(self._timeout_s)
        return self._connection


def _hung_up(sock: socket.socket | None) -> bool:
    """Whether an idle connection was closed by the other end: then it is readable, and nothing is owed."""
    return sock is None or bool(select.select([sock], [], [], 0)[0])
