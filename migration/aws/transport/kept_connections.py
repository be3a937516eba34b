"""Connections to one endpoint, kept alive and shared by many threads: a request, and the bytes of the answer.

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
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from botocore.exceptions import EndpointConnectionError, HTTPClientError
from botocore.httpsession import get_cert_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import Message

_TIMEOUT_S: Final = 20  # to connect, and between two reads


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back."""

    status: int
    headers: Message
    content: bytes


class KeptConnections:
    """Posts to `/` of an endpoint; as many at once as there are threads that do."""

    def __init__(self, endpoint_url: str, most_idle: int) -> None:
        """Connect when needed, and keep at most so many connections while nobody uses them."""
        self._url = endpoint_url
        parts = urlsplit(endpoint_url)
        self._place = parts.netloc
        tls = parts.scheme == "https"
        self._tls = ssl.create_default_context(cafile=get_cert_path(verify=True)) if tls else None
        self._idle: deque[http.client.HTTPConnection] = deque(maxlen=most_idle)

    def post(self, headers: Mapping[str, str], body: bytes) -> Answered:
        """Make one attempt.

        Raises:
            EndpointConnectionError: when nobody answers there.
            HTTPClientError: when the answer did not come; the request may have been heard.
        """
        connection = self._take()
        try:
            connection.request("POST", "/", body, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise HTTPClientError(error=error) from error
        if not response.will_close:
            self._idle.append(connection)
        return Answered(response.status, response.headers, content)

    def _take(self) -> http.client.HTTPConnection:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if not _hung_up(connection.sock):
                return connection
            connection.close()
        return self._connect()

    def _connect(self) -> http.client.HTTPConnection:
        connection = (
            http.client.HTTPConnection(self._place, timeout=_TIMEOUT_S)
            if self._tls is None
            else http.client.HTTPSConnection(self._place, timeout=_TIMEOUT_S, context=self._tls)
        )
        try:
            connection.connect()
        except OSError as error:
            raise EndpointConnectionError(endpoint_url=self._url, error=error) from error
        # Head and body of a request may be sent apart: without this, the second waits 40 ms for the first's
        # receipt.
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def _hung_up(sock: socket.socket | None) -> bool:
    """Whether an idle connection was closed by the other end: then it is readable, and nothing is owed."""
    return sock is None or bool(select.select([sock], [], [], 0)[0])
