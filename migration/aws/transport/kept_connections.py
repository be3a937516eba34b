"""Connections to one endpoint, kept alive and shared by many threads: a request, and the bytes of the answer.

    send ──► (something else is done meanwhile) ──► answer

botocore's own session takes 250 microseconds to send a put and read its answer, a third of all that a
backfill's process does; the standard library's client takes 100. One attempt: nothing here sends again.
"""

from __future__ import annotations

import http.client
import select
import socket
import ssl
from collections import deque
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from botocore.exceptions import EndpointConnectionError, HTTPClientError
from botocore.httpsession import get_cert_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import Message

_TIMEOUT_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back."""

    status: int
    headers: Message
    content: bytes


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that is on the wire; its connection is nobody else's until it was answered or given up."""

    connection: http.client.HTTPConnection
    idle: deque[http.client.HTTPConnection]

    def answer(self, within_s: float = _TIMEOUT_S) -> Answered:
        """Wait for the answer, so long between two reads.

        Raises:
            HTTPClientError: when it did not come; the request may have been heard.
        """
        try:
            self.connection.sock.settimeout(within_s)
            response = self.connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.give_up()
            raise HTTPClientError(error=error) from error
        if not response.will_close:
            self.idle.append(self.connection)
        return Answered(response.status, response.headers, content)

    def give_up(self) -> None:
        """Do without the answer, and without the connection, on which it may still come."""
        self.connection.close()


class KeptConnections:
    """Posts to `/` of an endpoint; as many at once as there are threads that do."""

    def __init__(self, endpoint_url: str, most_idle: int, timeout_s: float = _TIMEOUT_S) -> None:
        """Connect when needed, and keep at most so many connections while nobody uses them.

        Connecting may take `timeout_s`, and so may sending.
        """
        self._url = endpoint_url
        self._timeout_s = timeout_s
        parts = urlsplit(endpoint_url)
        self._place = parts.netloc
        self._tls = _certificates() if parts.scheme == "https" else None
        self._idle: deque[http.client.HTTPConnection] = deque(maxlen=most_idle)

    def post(self, headers: Mapping[str, str], body: bytes) -> Answered:
        """Make one attempt.

        Raises:
            EndpointConnectionError: when nobody answers there.
            HTTPClientError: when the answer did not come; the request may have been heard.
        """
        return self.send(headers, body).answer(self._timeout_s)

    def send(self, headers: Mapping[str, str], body: bytes) -> Sent:
        """Put a request on the wire, and wait for nothing else.

        Raises:
            EndpointConnectionError: when nobody answers there.
            HTTPClientError: when it could not be sent; a part of it may have been heard.
        """
        connection = self._take()
        try:
            connection.request("POST", "/", body, headers)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise HTTPClientError(error=error) from error
        return Sent(connection, self._idle)

    def _take(self) -> http.client.HTTPConnection:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if not _hung_up(connection.sock):
                connection.sock.settimeout(self._timeout_s)
                return connection
            connection.close()
        return self._connect()

    def _connect(self) -> http.client.HTTPConnection:
        connection = (
            http.client.HTTPConnection(self._place, timeout=self._timeout_s)
            if self._tls is None
            else http.client.HTTPSConnection(self._place, timeout=self._timeout_s, context=self._tls)
        )
        try:
            connection.connect()
        except OSError as error:
            raise EndpointConnectionError(endpoint_url=self._url, error=error) from error
        # Head and body of a request may be sent apart: without this, the second waits 40 ms for the first's
        # receipt.
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


@cache
def _certificates() -> ssl.SSLContext:
    """Read whom to trust, once a process: it takes as long as a handshake."""
    return ssl.create_default_context(cafile=get_cert_path(verify=True))


def _hung_up(sock: socket.socket | None) -> bool:
    """Whether an idle connection was closed by the other end: then it is readable, and nothing is owed."""
    return sock is None or bool(select.select([sock], [], [], 0)[0])
