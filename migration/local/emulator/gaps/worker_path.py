"""What a handler can import.

ministack 1.5.33 runs handlers on its own interpreter with its own path, so a handler also finds this
repository's packages, and a module that its zip lacks does not show. On AWS a handler sees the runtime, its
layers and its zip. Filled by taking the repository off the workers' path. The virtual environment's packages
stay, since the runtime's boto3 is among them: that a zip holds every other dependency is for a test of the
zip alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ministack.core import lambda_runtime

from migration.local.emulator.gaps import seam

_ROOT: Final = Path(__file__).parents[4]
_FIRST: Final = "def run():\n"


def fill() -> None:
    """Fill the gap."""
    if not (_ROOT / "pyproject.toml").is_file():
        return  # installed among the packages that stay
    ours = {str(_ROOT), str(_ROOT / "pulumi")}
    seam.rewrite(
        lambda_runtime,
        "_PYTHON_WORKER_SCRIPT",
        _FIRST,
        f"{_FIRST}    sys.path[:] = [entry for entry in sys.path if entry not in {ours!r}]\n",
    )
