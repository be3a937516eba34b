"""The local AWS is started, found, reset and stopped without leaving or hitting anything by mistake."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from migration.local.emulator import Emulator, Fault, launcher
from migration.local.emulator.home import Home, HomeInUseError
from migration.model.errors import ConflictError, RemoteError, UsageError
from tests.contract.emulator_aws import Clients, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home whose local AWS is stopped after the test, if one runs."""
    yield tmp_path / "aws"
    with suppress(UsageError):
        Emulator.attach(tmp_path / "aws").stop()


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process of somebody else, which must live."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    assert process.poll() is None
    process.kill()
    process.communicate()


def members(group: int) -> list[int]:
    """List the live processes of a process group."""
    table = subprocess.run(["/bin/ps", "-eo", "pid,pgid,stat"], capture_output=True, text=True, check=True)
    rows = [line.split() for line in table.stdout.splitlines()[1:]]
    return [int(pid) for pid, pgid, state in rows if int(pgid) == group and not state.startswith("Z")]


def test_start_attach_and_stop(home: Path) -> None:
    started = Emulator.start(home)
    assert started.endpoint == f"http://localhost:{started.port}"
    assert started.is_running()
    Clients.of(started).queue()

    attached = Emulator.attach(home)
    assert attached == started
    assert attached.is_running()
    attached.stop()
    assert not attached.is_running()
    assert not started.is_running()
    attached.stop()
    with pytest.raises(UsageError, match="no local AWS runs"):
        Emulator.attach(home)


def test_stop_leaves_no_process_and_no_temporary_file(home: Path) -> None:
    emulator = Emulator.start(home)
    aws = Clients.of(emulator)
    aws.invoke(aws.function("def handler(event, context):\n    return 1"))
    assert len(members(emulator.pid)) == 2
    emulator.stop()
    eventually(lambda: not members(emulator.pid))
    assert sorted(path.name for path in home.iterdir()) == ["emulator.lock", "emulator.log"]


def test_a_server_that_does_not_listen_to_a_signal_is_ended_with_its_handlers(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "_LAST_GRACE", launcher._LAST_GRACE / 20)
    emulator = Emulator.start(home)
    aws = Clients.of(emulator)
    aws.invoke(aws.function("def handler(event, context):\n    return 1"))
    os.kill(emulator.pid, signal.SIGSTOP)
    emulator.stop()
    eventually(lambda: not members(emulator.pid))


def test_one_home_runs_one_local_aws(home: Path) -> None:
    emulator = Emulator.start(home)
    with pytest.raises(HomeInUseError, match="already runs"):
        Emulator.start(home)
    assert emulator.is_running()
    emulator.stop()
    assert Emulator.start(home).is_running()
    assert not emulator.is_running()


def test_a_taken_port_is_refused_and_a_free_one_is_used(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConflictError, match=f"port {port} is taken"):
            Emulator.start(home, port)
        assert not (home / "tmp").exists()
    assert Emulator.start(home, port).port == port


def test_a_state_that_a_dead_server_left_is_not_believed(
    home: Path, stranger: subprocess.Popen[bytes]
) -> None:
    home.mkdir()
    (home / "emulator.json").write_text(json.dumps({"pid": stranger.pid, "port": 1}))
    (home / "emulator.lock").touch()
    (home / "tmp").mkdir()
    (home / "tmp" / "left").touch()
    with pytest.raises(UsageError, match="no local AWS runs"):
        Emulator.attach(home)
    Emulator(home, 1, stranger.pid).stop()
    emulator = Emulator.start(home)
    assert emulator.pid != stranger.pid
    assert not (home / "tmp" / "left").exists()


def test_a_killed_server_is_noticed_and_replaced(home: Path) -> None:
    killed = Emulator.start(home)
    os.kill(killed.pid, signal.SIGKILL)
    eventually(lambda: not killed.is_running())
    replaced = Emulator.start(home)
    assert replaced.is_running()
    assert not killed.is_running()
    killed.stop()
    assert replaced.is_running()


@pytest.mark.parametrize("detached", [True, False])
def test_a_local_aws_outlives_who_started_it_only_when_detached(home: Path, *, detached: bool) -> None:
    starter = """
import os, pathlib, sys
from migration.local.emulator import Emulator
Emulator.start(pathlib.Path(sys.argv[1]), detached=sys.argv[2] == "True")
os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", starter, str(home), str(detached)], cwd=ROOT, check=False)
    if detached:
        assert Emulator.attach(home).is_running()
    else:
        assert Home(home).wait_until_free(timedelta(seconds=20))


def test_a_server_that_does_not_come_up_says_why(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(RemoteError, match="did not come up") as failure:
        Emulator.start(home)
    assert str(home / "emulator.log") in failure.value.hint
    with pytest.raises(UsageError):
        Emulator.attach(home)


def test_reset_forgets_resources_and_faults_and_keeps_the_port(home: Path) -> None:
    emulator = Emulator.start(home)
    aws = Clients.of(emulator)
    table, (url, arn) = aws.table(), aws.queue()
    aws.pipe(aws.stream(table), arn)
    aws.put(table, "before")
    assert aws.received(url, 1) == ["before"]
    aws.invoke(aws.function("def handler(event, context):\n    return 1"))
    emulator.faults.inject(Fault(service="dynamodb"))

    emulator.reset()
    assert emulator.is_running()
    assert aws.dynamodb.list_tables()["TableNames"] == []
    assert aws.sqs.list_queues().get("QueueUrls", []) == []
    assert aws.pipes.list_pipes()["Pipes"] == []
    assert emulator.faults.log() == []
    eventually(lambda: members(emulator.pid) == [emulator.pid])

    table, (url, arn) = aws.table(), aws.queue()
    aws.pipe(aws.stream(table), arn)
    aws.put(table, "after")
    assert aws.received(url, 1) == ["after"]


def test_it_listens_on_the_loopback_address_only(home: Path) -> None:
    emulator = Emulator.start(home)
    addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in addresses - {"127.0.0.1"}:
        with socket.socket() as client:
            assert client.connect_ex((str(address), emulator.port)) != 0
    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", emulator.port)) == 0
