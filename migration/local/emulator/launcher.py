"""Starting, finding and stopping the local AWS: one server process per home, detached from the terminal.

Decides the server's environment, which is clean: nothing of the caller's reaches it or the handlers that it
runs, so neither real credentials nor a real endpoint can. It never signals a process that it has not proved
to be its own.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final, Self, TypedDict
from urllib.parse import urlsplit

from migration.local.emulator.faults import Faults
from migration.local.emulator.home import Home
from migration.model.errors import ConflictError, RemoteError, UsageError

REGION: Final = "us-east-1"
_HOST: Final = "127.0.0.1"
_ROOT: Final = Path(__file__).parents[3]
_PATIENCE: Final = timedelta(seconds=30)
_LAST_GRACE: Final = timedelta(seconds=5)
_PROBE_S: Final = 0.02
_HEALTH: Final = "/_ministack/health"
_RESET: Final = "/_ministack/reset"


class ClientArguments(TypedDict):
    """What a boto3 client needs: `boto3.client("sqs", **emulator.client_arguments)`."""

    endpoint_url: str
    region_name: str
    aws_access_key_id: str
    aws_secret_access_key: str


@dataclass(frozen=True, slots=True)
class Emulator:
    """A local AWS that answered when this value was made."""

    home: Path
    port: int
    pid: int
    _child: subprocess.Popen[bytes] | None = field(default=None, repr=False, compare=False)

    @classmethod
    def start(cls, home: Path, port: int = 0, *, detached: bool = True) -> Self:
        """Start a local AWS on 127.0.0.1 and wait until it answers; port 0 takes a free one.

        Detached, it lives until it is stopped; else until then or until this process ends, however it ends.

        Raises:
            HomeInUseError: one already runs in this home.
            ConflictError: something else listens on the port.
            RemoteError: it did not come up; the text ends with the end of its log.
        """
        place = Home(home.resolve())
        lock = place.claim()
        try:
            with _listen(port) as listener:
                port = listener.getsockname()[1]
                child = _spawn(place, port, (listener.fileno(), lock), detached=detached)
        except BaseException:
            os.close(lock)
            place.tidy()
            raise
        os.close(lock)
        emulator = cls(place.path, port, child.pid, child)
        emulator._wait_until_healthy(child)
        return emulator

    @classmethod
    def attach(cls, home: Path) -> Self:
        """Find the local AWS that runs in this home.

        Raises:
            UsageError: none does.
        """
        place = Home(home.resolve())
        state = place.read()
        if state is None:
            raise UsageError(
                f"no local AWS runs in {home}", hint="start it first", next_command="cutover local up"
            )
        return cls(place.path, state.port, state.pid)

    @property
    def endpoint(self) -> str:
        """The URL of every service."""
        return f"http://localhost:{self.port}"

    @property
    def client_arguments(self) -> ClientArguments:
        """Endpoint, region and credentials, which are made up, for a boto3 client."""
        return {
            "endpoint_url": self.endpoint,
            "region_name": REGION,
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
        }

    @property
    def faults(self) -> Faults:
        """The fault layer in front of every service."""
        return Faults(self.endpoint)

    def local_url(self, function_url: str) -> str:
        """Rewrite a Function URL, whose host only AWS resolves, to a path of the endpoint; it ends in `/`."""
        url_id = (urlsplit(function_url).hostname or "").partition(".")[0]
        return f"{self.endpoint}/_aws/lambda-url/{url_id}/"

    def is_running(self) -> bool:
        """Tell whether this very server still runs, not another one in the same home."""
        state = Home(self.home).read()
        return state is not None and state.pid == self.pid

    def reset(self) -> None:
        """Forget every resource, message and fault, and end every handler process; keep the port."""
        self.faults.clear()
        _request(self.endpoint + _RESET, method="POST", patience=_PATIENCE)

    def stop(self) -> None:
        """End the server and every handler process, and remove the temporary folder; may be repeated."""
        place = Home(self.home)
        if self.is_running():
            os.kill(self.pid, signal.SIGTERM)
            place.wait_until_free(_LAST_GRACE)
            self._end_group()
            place.wait_until_free(_LAST_GRACE)
        if self._child is not None:
            self._child.communicate()
        place.tidy()

    def _end_group(self) -> None:
        """Kill what is left of the server's session: handlers, or the server itself if it did not end."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def _wait_until_healthy(self, child: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _PATIENCE.total_seconds()
        while not self._answers():
            if child.poll() is not None or time.monotonic() > deadline:
                words = Home(self.home).last_words()
                self.stop()
                raise RemoteError(
                    f"the local AWS did not come up. Its log ends with:\n{words}",
                    hint=f"the whole log is {Home(self.home).log}",
                )
            time.sleep(_PROBE_S)

    def _answers(self) -> bool:
        try:
            _request(self.endpoint + _HEALTH, patience=timedelta(seconds=2))
        except OSError:
            return False
        return self.is_running()


def _listen(port: int) -> socket.socket:
    """Bind the port here: a taken one is refused at once, and a free one is not lost to another process."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise ConflictError(
            f"port {port} is taken: {error.strerror}",
            hint="choose another port, or 0 for any free one",
        ) from error
    return listener


def _spawn(place: Home, port: int, kept: tuple[int, int], *, detached: bool) -> subprocess.Popen[bytes]:
    """Start the server with the listener and the lock in `kept`; its input is its leash unless detached."""
    module = [sys.executable, "-m", "migration.local.emulator.server"]
    with place.log.open("wb") as log:
        return subprocess.Popen(  # noqa: S603 - our own module, by this interpreter
            [*module, str(place.path), str(port), str(kept[0]), "detached" if detached else "leashed"],
            cwd=place.path,
            env=_environment(place, port),
            stdin=subprocess.DEVNULL if detached else subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=kept,
            start_new_session=True,
        )


def _environment(place: Home, port: int) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "HOME": str(place.temporary),
        "TMPDIR": str(place.temporary),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(_ROOT),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "MINISTACK_REGION": REGION,
        "MINISTACK_HOST": "localhost",
        "BIND_HOST": _HOST,
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        # A socket that is not there: the containers of whoever owns this machine are none of our business.
        "DOCKER_HOST": f"unix://{place.temporary}/no-docker",
    }


def _request(url: str, *, method: str = "GET", patience: timedelta) -> None:
    request = urllib.request.Request(url, method=method)  # noqa: S310 - our own http endpoint
    with urllib.request.urlopen(request, timeout=patience.total_seconds()) as answer:  # noqa: S310 - same
        answer.read()
