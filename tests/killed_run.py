"""A command whose process is gone (SIGKILL) right after its n-th write to the control table.

python -m tests.killed_run N run --yes --plan cutover.toml
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from migration.aws.tables.control_plane_table import ControlPlaneTable
from migration.cli.main import app


def die_after(writes: int) -> None:
    left = writes

    def counted(write: Any) -> Any:
        def call(*args: Any) -> Any:
            nonlocal left
            result = write(*args)
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    for name in ("move", "append"):
        setattr(ControlPlaneTable, name, counted(getattr(ControlPlaneTable, name)))


if __name__ == "__main__":
    die_after(int(sys.argv[1]))
    app(sys.argv[2:])
