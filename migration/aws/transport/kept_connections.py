"""Connections to one endpoint, kept alive and shared by many threads: a request, and the bytes of the answer.

    send ──► (something else is done meanwhile) ──► answer

botocore's own session takes 250 microseconds to send a put and read its answer, a third of all that a
backfill's process does; the standard library's client takes 100. One attempt: nothing here sends again.
Every deadline is for all of it: the name, each of its addresses, the handshake, every byte of the answer.
A connection that is made too late for one attempt is there for the next.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections import deque
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from botocore.exceptions import EndpointConnectionError, HTTPClientError
from botocore.httpsession import get_cert_path

from migration.aws.transport.deadline import begun, left_s

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Future
    from email.message import Message

    _Plain = socket.socket
else:
    _Plain = object

_TIMEOUT_S: Final = 300.0  # a page of a megabyte over a slow line
_QUIET_S: Final = 20.0  # of it without a byte
_HANDSHAKE_S: Final = 10.0  # at most; nobody need wait for it


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back."""

    status: int
    headers: Message
    content: bytes


class _Connection(http.client.HTTPConnection):
    """One whose socket is one of the two below."""

    sock: Any


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that is on the wire; its connection is nobody else's until it was answered or given up."""

    connection: _Connection
    idle: deque[_Connection]

    def answer(self, within_s: float = _TIMEOUT_S) -> Answered:
        """Wait for the whole answer, so long at most.

        Raises:
            HTTPClientError: when it did not come; the request may have been heard.
        """
        try:
            self.connection.sock.until = time.monotonic() + within_s
            response = self.connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException, ValueError) as error:
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

        Connecting and sending may take `timeout_s` together.
        """
        self._url = endpoint_url
        self._timeout_s = timeout_s
        parts = urlsplit(endpoint_url)
        self._host, self._place = parts.hostname or "", parts.netloc
        self._tls = _certificates() if parts.scheme == "https" else None
        self._port = parts.port or (http.client.HTTPS_PORT if self._tls else http.client.HTTP_PORT)
        self._idle: deque[_Connection] = deque(maxlen=most_idle)
        self._late: deque[Future[_Connection]] = deque(maxlen=most_idle)

    def post(self, headers: Mapping[str, str], body: bytes) -> Answered:
        """Make one attempt.

        Raises:
            EndpointConnectionError: when nobody answers there.
            HTTPClientError: when the answer did not come; the request may have been heard.
        """
        until = time.monotonic() + self._timeout_s
        return self.send(headers, body, until).answer(until - time.monotonic())

    def send(self, headers: Mapping[str, str], body: bytes, until: float | None = None) -> Sent:
        """Put a request on the wire, and wait for nothing else.

        Args:
            headers: of the request.
            body: of the request.
            until: when it must be out, of the monotonic clock; else in `timeout_s`.

        Raises:
            EndpointConnectionError: when nobody answers there.
            HTTPClientError: when it could not be sent; a part of it may have been heard.
        """
        connection = self._take(until or time.monotonic() + self._timeout_s)
        try:
            connection.request("POST", "/", body, headers)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise HTTPClientError(error=error) from error
        return Sent(connection, self._idle)

    def connect(self) -> None:
        """Have a connection ready for the first request.

        Raises:
            EndpointConnectionError: when nobody answers there.
        """
        self._idle.append(self._connect(time.monotonic() + self._timeout_s))

    def _take(self, until: float) -> _Connection:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if _is_usable(connection):
                connection.sock.until = until
                return connection
        return self._connect(until)

    def _connect(self, until: float) -> _Connection:
        """Connect, and wait for it until then; it goes on meanwhile, for whoever comes next."""
        connecting = self._late_one() or begun(self._reach)
        try:
            connection = connecting.result(left_s(until))
        except OSError as error:
            if not connecting.done():
                self._late.append(connecting)
            raise EndpointConnectionError(endpoint_url=self._url, error=error) from error
        connection.sock.until = until
        return connection

    def _late_one(self) -> Future[_Connection] | None:
        """Take up what an attempt before did not wait for, unless it came to nothing."""
        while self._late:
            try:
                late = self._late.popleft()
            except IndexError:  # another thread was faster
                break
            if not late.done() or (late.exception() is None and _is_usable(late.result())):
                return late
        return None

    def _reach(self) -> _Connection:
        """Try the addresses in turn, each so long that the others get as much."""
        addresses = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        until = time.monotonic() + self._timeout_s
        failure: OSError = TimeoutError("no address")
        for number, (family, kind, protocol, _, address) in enumerate(addresses):
            sock = _PlainSocket(family, kind, protocol)
            try:
                sock.settimeout(left_s(until) / (len(addresses) - number))
                sock.connect(address)
                # Head and body of a request may be sent apart: without this, the second waits 40 ms for the
                # first's receipt.
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.settimeout(_HANDSHAKE_S)
                reached: Any = self._tls.wrap_socket(sock, server_hostname=self._host) if self._tls else sock
            except OSError as error:
                sock.close()
                failure = error
            else:
                connection = _Connection(self._place)
                connection.sock = reached
                return connection
        raise failure


class _Bounded(_Plain):
    """A socket whose every wait ends at one moment, however often the other end sends a byte."""

    until: float = float("inf")

    def recv_into(self, *where: Any) -> int:  # noqa: ANN401 - as the socket takes it
        """Wait for the next bytes."""
        self._hurry()
        return super().recv_into(*where)

    def send(self, *what: Any) -> int:  # noqa: ANN401
        """Send what goes out now."""
        self._hurry()
        return super().send(*what)

    def sendall(self, *what: Any) -> None:  # noqa: ANN401
        """Send all of it; a plain socket counts in total, and one with TLS sends by and by."""
        self._hurry()
        super().sendall(*what)

    def _hurry(self) -> None:
        self.settimeout(min(left_s(self.until), _QUIET_S))


class _PlainSocket(_Bounded, socket.socket):
    """One without TLS."""


class _TlsSocket(_Bounded, ssl.SSLSocket):
    """One with."""


@cache
def _certificates() -> ssl.SSLContext:
    """Read whom to trust, once a process: it takes as long as a handshake."""
    context = ssl.create_default_context(cafile=get_cert_path(verify=True))
    context.sslsocket_class = _TlsSocket
    return context


def _is_usable(connection: _Connection) -> bool:
    """Whether an idle connection was not closed by the other end: then there would be an end to read.

    What a server sends by itself after a handshake, for the next one, is no such thing. One that was closed
    is closed here too.
    """
    try:
        connection.sock.settimeout(0)
        connection.sock.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        pass
    connection.close()
    return False
