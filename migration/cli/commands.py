"""What commands have in common: options, and how they end.

The toolkit's errors end as text and exit code, Ctrl-C as 130; a stack trace is a defect.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from migration.aws.transport.clock import AWS_TIME
from migration.cli.console import print_json, say, show_error, show_next
from migration.model.errors import CutoverError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

INTERRUPTED = 130


class Output(StrEnum):
    """How a reading command prints its data."""

    TABLE = "table"
    JSON = "json"


PLAN = Annotated[Path | None, typer.Option(help="Plan file. Default: cutover.toml, if there is one.")]
YES = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
OUTPUT = Annotated[Output, typer.Option(help="A table for people, or JSON for programs.")]


def answer(
    output: Output,
    fields: Callable[[], dict[str, Any]],
    show: Callable[[], None],
    steps: Sequence[tuple[str, str]],
) -> None:
    """Print what a command found, for programs or as its view shows it, and what to run next, if anything."""
    if output is Output.JSON:
        print_json(fields(), [command for command, _ in steps])
        return
    show()
    if steps:
        show_next(steps)


class Commands(TyperGroup):
    """The root of the command line."""

    def main(self, *args: Any, **extra: Any) -> Any:  # noqa: ANN401 - as the base class has it
        """Run the command line, also where the terminal cannot show all of its characters."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="replace")
        return super().main(*args, **extra)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - as the base class has it
        """Run a command; turn errors into exit codes."""
        AWS_TIME.tell = say
        try:
            return super().invoke(ctx)
        except CutoverError as error:
            show_error(error)
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            say("interrupted; what was done before stays done")
            raise typer.Exit(INTERRUPTED) from None
