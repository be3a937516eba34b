"""This process, named so that whoever reads a lease or a job knows where to look for it.

A lease is taken early only with proof that its holder is no more: its number is looked up in the same PID
namespace since the same boot, and a process that has the number by now began at another time. Where the
system does not tell these, nobody is known to be gone, and a lease ends by its time.
"""

from __future__ import annotations

import getpass
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from migration.model.state import Lease

_PROC: Final = Path("/proc")
_START_TIME: Final = 19  # among the fields after the name, which may hold anything


def worker_name() -> str:
    """Name this process for whoever looks at its work from another machine."""
    return f"{_user()}@{platform.node()}:{os.getpid()}"


def process_mark() -> str:
    """Tell this process from every other of its number, before or after it; empty where nobody knows."""
    try:
        if (_PROC / "self").readlink() != Path(str(os.getpid())):
            return ""  # another namespace's /proc
        return f"{_surroundings()} {_started(os.getpid())}"
    except (OSError, IndexError):
        return ""


def is_gone(lease: Lease) -> bool:
    """Whether the holder of a lease is proven to be no more."""
    surroundings, _, started = lease.process.rpartition(" ")
    process = lease.holder.rpartition(":")[2]
    mine = process_mark()
    if not surroundings or not process.isdigit() or mine.rpartition(" ")[0] != surroundings:
        return False
    try:
        os.kill(int(process), 0)
        return _started(int(process)) != started
    except ProcessLookupError:
        return True
    except (OSError, IndexError):
        return False


def _user() -> str:
    """Name the user, also one that the machine has no name for."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return f"uid-{os.getuid()}"


def _surroundings() -> str:
    boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"


def _started(process: int) -> str:
    """Read when a process began, in the kernel's ticks since boot."""
    stat = (_PROC / str(process) / "stat").read_text(encoding="utf-8", errors="replace")
    return stat.rpartition(")")[2].split()[_START_TIME]
