"""Connections that are kept: reused, replaced when the other end hung up, never asked twice by themselves."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import EndpointConnectionError, HTTPClientError

from migration.aws.transport.kept_connections import KeptConnections

if TYPE_CHECKING:
    from collections.abc import Iterator

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx-amz-crc32: 7\r\n\r\n{}"
LAST = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n{}"


@dataclass
class Server:
    """Answers each connection's requests with a script, then hangs up."""

    scripts: list[list[bytes]]
    requests: list[bytes] = field(default_factory=list)
    hung_up: list[threading.Event] = field(default_factory=list)
    url: str = ""

    def run(self, listener: socket.socket) -> None:
        for script, hung_up in zip(self.scripts, self.hung_up, strict=True):
            connection, _ = listener.accept()
            with connection:
                for answer in script:
                    self.requests.append(connection.recv(65_536))
                    while b"{body}" not in self.requests[-1]:
                        self.requests[-1] += connection.recv(65_536)
                    connection.sendall(answer)
            hung_up.set()


@contextmanager
def serving(*scripts: list[bytes]) -> Iterator[Server]:
    server = Server(list(scripts), hung_up=[threading.Event() for _ in scripts])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=server.run, args=(listener,), daemon=True)
        thread.start()
        yield server
        thread.join(5)
        assert not thread.is_alive()


def test_a_request_goes_out_as_it_was_signed_and_its_answer_comes_back() -> None:
    with serving([OK]) as server:
        answered = KeptConnections(server.url, 1).post({"Authorization": "signed"}, b"{body}")
    assert (answered.status, answered.content, answered.headers["x-amz-crc32"]) == (200, b"{}", "7")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST / HTTP/1.1\r\n")
    assert b"\r\nAuthorization: signed" in head
    assert b"\r\nContent-Length: 6" in head
    assert body == b"{body}"


def test_a_connection_is_used_again_and_does_not_wait_for_the_receipt_of_a_head() -> None:
    """Otherwise each request takes 40 ms, whatever DynamoDB does."""
    with serving([OK, OK, OK]) as server:
        connections = KeptConnections(server.url, 1)
        for _ in range(3):
            assert connections.post({}, b"{body}").status == 200
            [kept] = connections._idle
            assert kept.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        kept.close()
    assert len(server.requests) == 3


def test_a_connection_that_the_other_end_closed_meanwhile_is_replaced() -> None:
    with serving([OK], [OK]) as server:
        connections = KeptConnections(server.url, 1)
        connections.post({}, b"{body}")
        assert server.hung_up[0].wait(5)
        assert connections.post({}, b"{body}").status == 200


def test_a_connection_that_the_other_end_will_close_is_not_kept() -> None:
    with serving([LAST], [OK]) as server:
        connections = KeptConnections(server.url, 1)
        assert connections.post({}, b"{body}").status == 400
        assert not connections._idle
        assert connections.post({}, b"{body}").status == 200


@pytest.mark.parametrize("answer", [CUT, b"no http at all\r\n\r\n", b""])
def test_an_answer_that_does_not_come_is_an_error_and_the_request_is_not_sent_again(answer: bytes) -> None:
    with serving([answer]) as server:
        connections = KeptConnections(server.url, 1)
        with pytest.raises(HTTPClientError):
            connections.post({}, b"{body}")
        assert not connections._idle
    assert len(server.requests) == 1


def test_nobody_there_is_another_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(EndpointConnectionError, match=str(port)):
        KeptConnections(f"http://127.0.0.1:{port}", 1).post({}, b"{body}")


def test_something_else_can_be_done_between_a_request_and_its_answer() -> None:
    with serving([OK, OK]) as server:
        connections = KeptConnections(server.url, 1)
        sent = connections.send({}, b"{body}")
        assert not connections._idle, "nobody else may use it meanwhile"
        assert sent.answer(5).status == 200
        assert connections.send({}, b"{body}").answer(5).status == 200
    assert len(server.requests) == 2


def test_an_answer_that_nobody_waits_for_is_never_taken_for_another_requests() -> None:
    late = b"HTTP/1.1 500 Late\r\nContent-Length: 2\r\n\r\n{}"
    with serving([late], [OK]) as server:
        connections = KeptConnections(server.url, 1)
        connections.send({}, b"{body}").give_up()
        assert connections.post({}, b"{body}").status == 200


def test_an_answer_that_is_late_costs_the_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        connections = KeptConnections(f"http://127.0.0.1:{silent.getsockname()[1]}", 1)
        sent = connections.send({}, b"{body}")
        with pytest.raises(HTTPClientError, match="timed out"):
            sent.answer(0.01)
        assert not connections._idle
        assert sent.connection.sock is None
