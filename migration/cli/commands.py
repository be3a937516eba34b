"""What commands have in common: options, and how they end.

The toolkit's errors end as text and exit code, Ctrl-C as 130; a stack trace is a defect.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from migration.cli.console import say, show_error
from migration.model.errors import CutoverError

INTERRUPTED = 130


class Output(StrEnum):
    """How a reading command prints its data."""

    TABLE = "table"
    JSON = "json"


PLAN = Annotated[Path | None, typer.Option(help="Plan file. Default: cutover.toml, if there is one.")]
YES = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
OUTPUT = Annotated[Output, typer.Option(help="A table for people, or JSON for programs.")]


class Commands(TyperGroup):
    """The root of the command line."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - as the base class has it
        """Run a command; turn errors into exit codes."""
        try:
            return super().invoke(ctx)
        except CutoverError as error:
            show_error(error)
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            say("interrupted; what was done before stays done")
            raise typer.Exit(INTERRUPTED) from None
