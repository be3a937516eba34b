"""This process, named so that whoever reads a lease or a job knows where to look for it."""

from __future__ import annotations

import getpass
import os
import platform


def worker_name() -> str:
    """Name this process for whoever looks at its work from another machine."""
    return f"{getpass.getuser()}@{platform.node()}:{os.getpid()}"


def is_gone(holder: str) -> bool:
    """Whether the holder of a lease was a process of this machine that is no more."""
    who, _, process = holder.rpartition(":")
    if who.partition("@")[2] != platform.node() or not process.isdigit():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
