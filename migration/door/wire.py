"""DynamoDB for the front door, on one warm connection: a request is sent now, and its answer collected later.

    send ──► (the other side's handler runs) ──► collect

A boto3 call in a thread would cost the client's request half again (the interpreter's lock); this costs a
signature and a system call. One attempt, short timeouts, never a retry: what is missed is reconciled.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError
from botocore.session import get_session

from migration.aws.transport.kept_connections import KeptConnections
from migration.aws.transport.signer import Signer

if TYPE_CHECKING:
    from migration.aws.transport.kept_connections import Sent

_OK: Final = 200
_SHORTEST_S: Final = 0.001  # 0 would not wait for what has come already


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
        self._region = os.environ["AWS_REGION"]
        endpoint = os.environ.get("AWS_ENDPOINT_URL_DYNAMODB") or os.environ.get("AWS_ENDPOINT_URL")
        self._url = (endpoint or f"https://dynamodb.{self._region}.amazonaws.com").rstrip("/")
        self._timeout_s = timeout_s
        self._sent: Sent | None = None

    def send(self, operation: str, parameters: dict[str, Any]) -> None:
        """Put a request on the wire without waiting for its answer; an answer still owed is done without.

        Raises:
            MissedError: when it could not be sent.
        """
        if self._sent is not None:
            self._sent.give_up()
            self._sent = None
        body = json.dumps(parameters).encode()
        try:
            self._sent = self._connections.send(self._signer.headers(operation, body), body)
        except BotoCoreError as error:
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
        except (BotoCoreError, ValueError, RecursionError) as error:
            raise MissedError(type(error).__name__) from error
        if not isinstance(body, dict):
            raise MissedError("NoObject")
        if answered.status == _OK:
            return WireAnswer(body, "")
        return WireAnswer(body, str(body.get("__type", answered.status)).rpartition("#")[2])

    @cached_property
    def _connections(self) -> KeptConnections:
        return KeptConnections(self._url, 1, self._timeout_s)

    @cached_property
    def _signer(self) -> Signer:
        credentials = get_session().get_credentials()
        if credentials is None:
            raise MissedError("NoCredentials")
        return Signer(self._url, self._region, credentials)
