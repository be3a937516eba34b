"""DynamoDB for the front door, on one warm connection: a request is sent now, and its answer collected later.

    send ──► (the other side's handler runs) ──► collect

A boto3 call in a thread would cost the client's request half again (the interpreter's lock); this costs a
signature and a system call. One attempt, short deadlines, never a retry: what is missed is reconciled.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError
from botocore.session import get_session

from migration.aws.transport.clock import AWS_TIME, asked
from migration.aws.transport.deadline import in_time, left_s
from migration.aws.transport.kept_connections import KeptConnections
from migration.aws.transport.signer import Signer

if TYPE_CHECKING:
    from botocore.credentials import Credentials
    from botocore.session import Session

    from migration.aws.transport.kept_connections import Sent

_OK: Final = 200
_SHORTEST_S: Final = 0.02  # to read what has come already, whoever else wants the processor
# What the network, credentials and an answer that is none come to.
_TROUBLE: Final = (BotoCoreError, OSError, ValueError, RecursionError)


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
        """Connect lazily; connecting and sending take at most `timeout_s` together."""
        self._region = os.environ["AWS_REGION"]
        endpoint = os.environ.get("AWS_ENDPOINT_URL_DYNAMODB") or os.environ.get("AWS_ENDPOINT_URL")
        self._url = (endpoint or f"https://dynamodb.{self._region}.amazonaws.com").rstrip("/")
        self._timeout_s = timeout_s
        self._sent: Sent | None = None
        self._asked = asked()
        self._signer: Signer | None = None

    def connect(self) -> None:
        """Have the connection and the credentials ready for the first request.

        Raises:
            MissedError: when they are not to be had in time.
        """
        try:
            self._connections.connect()
            self._sign("GetItem", b"{}", time.monotonic() + self._timeout_s)
        except _TROUBLE as error:
            raise MissedError(type(error).__name__) from error

    def send(self, operation: str, parameters: dict[str, Any]) -> None:
        """Put a request on the wire without waiting for its answer; an answer still owed is done without.

        Raises:
            MissedError: when it could not be sent.
        """
        if self._sent is not None:
            self._sent.give_up()
            self._sent = None
        body = json.dumps(parameters).encode()
        until = time.monotonic() + self._timeout_s
        try:
            headers = self._sign(operation, body, until)
            self._asked = asked()
            self._sent = self._connections.send(headers, body, until)
        except _TROUBLE as error:
            raise MissedError(type(error).__name__) from error

    def collect(self, within_s: float) -> WireAnswer:
        """Wait for the answer of the last request.

        Raises:
            MissedError: when it did not come in time, or was no answer of DynamoDB.
        """
        sent, self._sent = self._sent, None
        if sent is None:
            raise MissedError("NotSent")
        try:
            answered = sent.answer(max(within_s, _SHORTEST_S))
            body = json.loads(answered.content or b"{}")
        except _TROUBLE as error:
            raise MissedError(type(error).__name__) from error
        if not isinstance(body, dict):
            raise MissedError("NoObject")
        AWS_TIME.dated(answered.headers.get("date", ""), self._asked)
        if answered.status == _OK:
            return WireAnswer(body, "")
        return WireAnswer(body, str(body.get("__type", answered.status)).rpartition("#")[2])

    @cached_property
    def _connections(self) -> KeptConnections:
        return KeptConnections(self._url, 1, self._timeout_s)

    def _sign(self, operation: str, body: bytes, until: float) -> dict[str, str]:
        """Sign, with credentials that may have to be fetched first, which waits as long as it likes."""
        if self._signer is None:
            credentials = in_time(_credentials, left_s(until))
            self._signer = Signer(self._url, self._region, credentials)
        elif getattr(self._signer.credentials, "refresh_needed", bool)():
            in_time(self._signer.credentials.get_frozen_credentials, left_s(until))
        return self._signer.headers(operation, body)


def _credentials() -> Credentials:
    found = _session().get_credentials()
    if found is None:
        raise MissedError("NoCredentials")
    return found


@cache
def _session() -> Session:
    """Return the process's session, which finds its credentials once."""
    return get_session()
