"""A page or another document that a command was asked to write to a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migration.cli.console import say
from migration.model.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def write_page(path: Path, text: str, what: str = "page") -> None:
    """Write it, and say where it is.

    Raises:
        UsageError: when that is not possible.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}", hint="name another file") from error
    say(f"The {what} is {path.absolute()}.")
