"""What the local AWS keeps in its home: lock, state, log and temporary folder.

The lock decides whether it runs: the server holds it for as long as it lives, the kernel frees it when the
server dies, and no other process can hold it by accident. So a process id read from the state is only ever
trusted while the lock is held. Never decides to start or to stop anything.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from migration.model.errors import ConflictError

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

_PROBE_S: Final = 0.01


class HomeInUseError(ConflictError):
    """A local AWS already runs in this home."""


@dataclass(frozen=True, slots=True)
class ServerState:
    """Where the server that holds the lock is found."""

    pid: int
    port: int


@dataclass(frozen=True, slots=True)
class Home:
    """One folder, one local AWS."""

    path: Path

    @property
    def log(self) -> Path:
        """What the server and its handlers printed."""
        return self.path / "emulator.log"

    @property
    def temporary(self) -> Path:
        """The server's TMPDIR, where unpacked functions live; gone when the server is."""
        return self.path / "tmp"

    @property
    def _lock(self) -> Path:
        return self.path / "emulator.lock"

    @property
    def _state(self) -> Path:
        return self.path / "emulator.json"

    def claim(self) -> int:
        """Take the lock, forget whatever a dead server left, and return the lock's file descriptor.

        Raises:
            HomeInUseError: a live server holds the lock.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        descriptor = self._claim(os.O_RDWR | os.O_CREAT)
        self._forget()
        self.temporary.mkdir()
        return descriptor

    def is_claimed(self) -> bool:
        """Tell whether a live process holds the lock."""
        try:
            descriptor = os.open(self._lock, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def wait_until_free(self, patience: timedelta) -> bool:
        """Wait for the server to be gone, or for the patience to end; tell which."""
        deadline = time.monotonic() + patience.total_seconds()
        while self.is_claimed():
            if time.monotonic() > deadline:
                return False
            time.sleep(_PROBE_S)
        return True

    def write(self, state: ServerState) -> None:
        """Publish where the server is, in one step."""
        draft = self._state.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(state)))
        draft.replace(self._state)

    def read(self) -> ServerState | None:
        """Read where the live server is; None when none lives, whatever the file says."""
        if not self.is_claimed():
            return None
        try:
            return ServerState(**json.loads(self._state.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def tidy(self) -> None:
        """Remove what a server that is gone left behind; a live one's is not touched."""
        with contextlib.suppress(HomeInUseError, FileNotFoundError):
            descriptor = self._claim(os.O_RDWR)
            self._forget()
            os.close(descriptor)

    def _claim(self, flags: int) -> int:
        descriptor = os.open(self._lock, flags, 0o600)
        if not _locked(descriptor):
            os.close(descriptor)
            raise HomeInUseError(
                f"a local AWS already runs in {self.path}",
                hint="use the running one, or stop it first",
                next_command="cutover local status",
            )
        return descriptor

    def _forget(self) -> None:
        self._state.unlink(missing_ok=True)
        shutil.rmtree(self.temporary, ignore_errors=True)

    def last_words(self, lines: int = 15) -> str:
        """Return the end of the log."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


def _locked(descriptor: int) -> bool:
    """Take the lock; try again once, since a reader holds it for an instant to learn whether it is free."""
    for _ in range(2):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PROBE_S)
        else:
            return True
    return False
