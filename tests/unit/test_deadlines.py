"""Every wait in a client's request, or in a rollback's way, has a deadline for all of it."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import EndpointConnectionError, HTTPClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from migration.aws.stack import notices as aws_notices
from migration.aws.transport import kept_connections
from migration.aws.transport.clients import connect_notices, open_session
from migration.aws.transport.deadline import in_time, left_s
from migration.aws.transport.http import HttpSender, get
from migration.aws.transport.kept_connections import KeptConnections
from migration.cutover.notice import notice_of_move
from migration.door import control as control_module
from migration.door import counters as counters_module
from migration.door import wire as wire_module
from migration.door.control import FIRST_TIMEOUT_S, READ_TIMEOUT_S, CachedControl
from migration.door.counters import DoorCounters
from migration.door.counts import DoorCounts, Role
from migration.door.mirror import TIMEOUT_S, ForwardMirror, Mirrored
from migration.door.wire import DynamoWire, MissedError
from migration.load.sending import NoReply
from migration.model.errors import RemoteError
from migration.model.stages import Control, Stage
from pipeline.domain.activity import Activity
from tests.dripping import ALL_WAYS, IN_THE_BODY, dripping
from tests.unit.test_hooks import MOVE, hooks, script
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

ACTIVITY = Activity("ev-1", "emp-1", "prog-1", "task_completed", 5, "2026-03-01T09:30:00.000Z")
ANSWER = [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"]
LONG_S = 3.0  # what drips takes 5 s; a deadline that was kept on a busy machine is still told from that


@contextmanager
def soon() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < LONG_S


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://localhost:1")
    return monkeypatch


@pytest.mark.parametrize("pieces", ALL_WAYS.values(), ids=ALL_WAYS)
def test_a_mirror_that_drips_holds_no_request(endpoint: pytest.MonkeyPatch, pieces: Sequence[bytes]) -> None:
    with dripping(pieces) as url:
        endpoint.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
        mirror = ForwardMirror("facts", DynamoWire(TIMEOUT_S))
        with soon():
            mirror.begin(ACTIVITY, "2026-03-01T09:30:00.000Z")
            assert mirror.finish() is Mirrored.MISSED


@pytest.mark.parametrize("pieces", ALL_WAYS.values(), ids=ALL_WAYS)
def test_a_control_table_that_drips_holds_no_cold_door(
    endpoint: pytest.MonkeyPatch, pieces: Sequence[bytes]
) -> None:
    endpoint.setattr(control_module, "READ_TIMEOUT_S", 0.1)
    endpoint.setattr(control_module, "FIRST_TIMEOUT_S", 0.2)
    with dripping(pieces) as url:
        endpoint.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
        control = CachedControl("control", "m", DynamoWire(READ_TIMEOUT_S), Control(Stage.OFF))
        with soon():
            assert control.current().stage is Stage.OFF
        assert control.blind


class _Slow:
    """A wire on which every wait takes all that it may, on the clock of the test."""

    def __init__(self) -> None:
        self.at, self.tries = 0.0, 0

    def send(self, *_: object) -> None:
        self.tries += 1
        self.at += READ_TIMEOUT_S / 2

    def collect(self, within_s: float) -> Any:
        self.at += within_s
        raise MissedError("timeout")


def test_a_cold_doors_tries_have_one_deadline_together() -> None:
    slow = _Slow()
    control = CachedControl("control", "m", slow, Control(), lambda: slow.at)  # type: ignore[arg-type]
    control.current()
    assert slow.at <= FIRST_TIMEOUT_S <= 1.0
    assert slow.tries == 2
    control.current()
    assert slow.tries == 2, "a table that is down is asked once a second, counted from when it failed"


def test_counts_that_must_not_be_lost_hold_a_request_no_longer_than_others(
    endpoint: pytest.MonkeyPatch,
) -> None:
    with dripping(IN_THE_BODY) as url:
        endpoint.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
        endpoint.setenv("CONTROL_TABLE", "control")
        endpoint.setenv("MIGRATION", "m")
        endpoint.setenv("BAKED_CONTROL", '{"stage":"off"}')
        counted = DoorCounters("control", "m", DynamoWire(0.05), DoorCounts("i", Role.INGEST, 1, 0, 0))
        counted.mirrored(Mirrored.MISSED)
        with soon():
            counted.send()
        assert counted.untold


@pytest.mark.parametrize("pieces", ALL_WAYS.values(), ids=ALL_WAYS)
def test_a_webhook_that_drips_says_no_in_time(tmp_path: Path, pieces: Sequence[bytes]) -> None:
    with dripping(pieces) as url, soon():
        failure = hooks(tmp_path, {"post": url, "timeout_s": 0.1}).before(MOVE)
    assert failure is not None
    assert failure.why == "no answer in 0.1 s"


@pytest.mark.parametrize("pieces", ALL_WAYS.values(), ids=ALL_WAYS)
def test_a_bus_and_a_topic_that_drip_hold_no_rollback(
    endpoint: pytest.MonkeyPatch, pieces: Sequence[bytes]
) -> None:
    endpoint.setattr(aws_notices, "WITHIN_S", 0.1)
    with dripping(pieces) as url:
        told = aws_notices.AwsNotices(connect_notices(open_session("us-east-1", url), url), "arn:topic")
        with soon():
            failures = told.tell(notice_of_move(MOVE))
    assert failures == ["no answer to a notice in 0.1 s"] * 2


def test_an_odd_answer_to_a_notice_is_its_failure() -> None:
    clients = Mock()
    clients.events.put_events.return_value = {}
    clients.sns.publish.side_effect = RuntimeError("odd")
    failures = aws_notices.AwsNotices(clients, "arn:topic").tell(notice_of_move(MOVE))
    assert failures == [f"a notice could not be sent: {name}" for name in ("KeyError", "RuntimeError")]


def test_what_a_hook_started_and_let_go_holds_nobody(tmp_path: Path) -> None:
    text = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(20)"], start_new_session=True)
open("child", "w").write(str(child.pid))
"""
    with soon():
        failure = hooks(tmp_path, {"run": [script(tmp_path, text)], "timeout_s": 1}).before(MOVE)
    assert failure is not None
    assert failure.why == "no answer in 1 s"


@pytest.mark.parametrize("pieces", ALL_WAYS.values(), ids=ALL_WAYS)
def test_a_side_that_drips_holds_no_sender_and_no_reader(pieces: Sequence[bytes]) -> None:
    with dripping(pieces) as url, soon():
        sent = HttpSender(f"{url}/", 1, timedelta(seconds=0.1)).send(b"{}")
        assert sent == NoReply("timeout")
        with pytest.raises(RemoteError, match="timeout"):
            get(f"{url}/", timedelta(seconds=0.1))


@pytest.fixture
def hanging_names(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Names are not found until the test says so."""
    found, look_up = threading.Event(), socket.getaddrinfo

    def late(*arguments: Any, **named: Any) -> Any:
        found.wait(20)
        return look_up(*arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", late)
    yield found
    found.set()


def test_a_name_that_is_looked_up_for_ever_is_a_miss(
    endpoint: pytest.MonkeyPatch, hanging_names: threading.Event
) -> None:
    del endpoint, hanging_names
    mirror = ForwardMirror("facts", DynamoWire(0.05))
    with soon():
        mirror.begin(ACTIVITY, "")
        assert mirror.finish() is Mirrored.MISSED


def test_a_name_that_is_found_too_late_for_one_attempt_is_there_for_the_next(
    hanging_names: threading.Event,
) -> None:
    with dripping(ANSWER) as url:
        connections = KeptConnections(url, 1, 0.05)
        with soon(), pytest.raises(EndpointConnectionError):
            connections.send({}, b"{}")
        hanging_names.set()
        [late] = connections._late
        eventually(late.done, 5, 0.001)
        connections._timeout_s = 5
        assert connections.post({}, b"{}").status == 200
        assert not connections._late, "and the one after it looks again"


@contextmanager
def nobody_takes() -> Iterator[tuple[str, int]]:
    """An address that answers no connection: its queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.settimeout(0)
            one.connect_ex(full.getsockname())
        yield full.getsockname()
        for one in waiting:
            one.close()


def test_several_addresses_have_one_deadline_and_the_last_gets_its_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with nobody_takes() as silent, dripping(ANSWER) as url:
        there = ("127.0.0.1", int(url.rpartition(":")[2]))
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", one) for one in (silent, silent, there)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        with soon():
            assert KeptConnections(url, 1, 0.9).post({}, b"{}").status == 200
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found[:2])
        with soon(), pytest.raises(EndpointConnectionError):
            KeptConnections(url, 1, 0.1).post({}, b"{}")


def test_a_handshake_that_never_ends_is_a_miss() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, soon():
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(EndpointConnectionError):
            KeptConnections(url, 1, 0.1).send({}, b"{}")


def test_a_peer_that_does_not_read_holds_nobody_who_sends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, soon():
        connections = KeptConnections(f"http://127.0.0.1:{silent.getsockname()[1]}", 1, 0.1)
        with pytest.raises(HTTPClientError):
            connections.send({}, b"x" * 50_000_000)


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ssl.SSLContext]:
    """A server's side of TLS that the client's side trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    day = datetime.now(UTC)
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, day - timedelta(1), day + timedelta(1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "both.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    monkeypatch.setattr(kept_connections, "get_cert_path", lambda **_: str(path))
    kept_connections._certificates.cache_clear()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    yield context
    kept_connections._certificates.cache_clear()


@pytest.mark.parametrize("pieces", ALL_WAYS.values(), ids=ALL_WAYS)
def test_an_answer_that_drips_under_tls_holds_nobody(tls: ssl.SSLContext, pieces: Sequence[bytes]) -> None:
    with dripping(pieces, tls) as url, soon():
        sent = KeptConnections(url, 1, 2).send({}, b"{}")
        with pytest.raises(HTTPClientError):
            sent.answer(0.1)


def test_a_connection_that_was_made_ahead_is_the_one_that_is_used(tls: ssl.SSLContext) -> None:
    """A server sends tickets after a handshake: they are nobody's answer, and no end."""
    with dripping(ANSWER, tls) as url:
        connections = KeptConnections(url, 1, 5)
        connections.connect()
        [ahead] = connections._idle
        sent = connections.send({}, b"{}")
        assert sent.connection is ahead
        assert sent.answer(5).content == b"{}"


def test_a_handshake_that_is_too_slow_for_one_attempt_is_there_for_the_next(tls: ssl.SSLContext) -> None:
    shakes_hands = threading.Event()
    with dripping(ANSWER, tls, shakes_hands) as url:
        connections = KeptConnections(url, 1, 0.05)
        for _ in range(3):
            with soon(), pytest.raises(EndpointConnectionError):
                connections.send({}, b"{}")
            assert len(connections._late) == 1, "one is waited for, not one for each"
        shakes_hands.set()
        eventually(connections._late[0].done, 5, 0.001)
        assert connections.send({}, b"{}").answer(5).status == 200


def test_a_late_connection_that_came_to_nothing_is_made_anew() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        connections = KeptConnections(url, 1, 0.05)
        for _ in range(2):
            with soon(), pytest.raises(EndpointConnectionError):
                connections.send({}, b"{}")
            [late] = connections._late
            silent.accept()[0].close()
            eventually(late.done, 5, 0.001)
            assert late.exception() is not None


def test_counts_are_told_over_a_handshake_that_takes_longer_than_they_may(
    endpoint: pytest.MonkeyPatch, tls: ssl.SSLContext
) -> None:
    shakes_hands, at = threading.Event(), [0.0]
    endpoint.setattr(counters_module, "control", lambda: CachedControl("control", "m", Mock(), Control()))
    with dripping(ANSWER, tls, shakes_hands) as url:
        endpoint.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
        endpoint.setenv("AWS_ACCESS_KEY_ID", "a")
        endpoint.setenv("AWS_SECRET_ACCESS_KEY", "b")
        wire = DynamoWire(0.05)
        counted = DoorCounters("control", "m", wire, DoorCounts("i", Role.INGEST, 1, 0, 0))
        counted.elapsed = lambda: at[0]
        counted.mirrored(Mirrored.MISSED)
        counted.send()
        assert counted.untold
        shakes_hands.set()
        eventually(wire._connections._late[0].done, 5, 0.001)
        at[0] += 5  # the breaker
        endpoint.setattr(counters_module, "TIMEOUT_S", 5)
        counted.send()
        assert not counted.untold


def test_certificates_are_read_once_a_process(tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    del tls
    made: list[str] = []
    make = ssl.create_default_context

    def count(**named: Any) -> ssl.SSLContext:
        made.append(named["cafile"])
        return make(**named)

    monkeypatch.setattr(ssl, "create_default_context", count)
    for _ in range(3):
        KeptConnections("https://localhost:1", 1)
    assert len(made) == 1


class _Refreshed:
    """Credentials that have to be fetched again, from somebody who does not answer."""

    refreshes = 0

    def refresh_needed(self) -> bool:
        return True

    def get_frozen_credentials(self) -> Any:
        type(self).refreshes += 1
        time.sleep(5)


def test_credentials_that_do_not_come_are_a_miss(endpoint: pytest.MonkeyPatch) -> None:
    with dripping(ANSWER) as url:
        endpoint.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
        wire = DynamoWire(0.1)
        wire.connect()
        assert wire._signer is not None
        object.__setattr__(wire._signer, "credentials", _Refreshed())
        with soon(), pytest.raises(MissedError, match="TimeoutError"):
            wire.send("GetItem", {})
        endpoint.setattr(wire_module, "_credentials", lambda: time.sleep(5))
        with soon(), pytest.raises(MissedError, match="TimeoutError"):
            DynamoWire(0.1).send("GetItem", {})


def test_what_a_call_raises_is_raised_where_it_is_waited_for() -> None:
    def fail() -> None:
        raise KeyError("why")

    with pytest.raises(KeyError, match="why"):
        in_time(fail, 5)
    assert in_time(lambda: 7, 5) == 7
    with pytest.raises(TimeoutError):
        left_s(time.monotonic() - 1)


def test_a_call_that_hangs_keeps_no_process_from_ending() -> None:
    code = "import time\nfrom migration.aws.transport.deadline import begun\nbegun(lambda: time.sleep(60))"
    with soon():
        subprocess.run([sys.executable, "-c", code], check=True)
