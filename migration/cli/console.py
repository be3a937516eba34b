"""What goes where: data to stdout, all else to stderr. Colour on a terminal only, never with NO_COLOR."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migration.model.errors import CutoverError

SCHEMA_VERSION: Final = 1

# What is printed may hold ids that clients chose: only `Text` has a style, and no text is read as markup.
data: Final = Console(highlight=False, markup=False, emoji=False)
notes: Final = Console(stderr=True, highlight=False, markup=False, emoji=False)


def say(text: str) -> None:
    """Tell the person something."""
    notes.print(text, soft_wrap=True)


def show_error(error: CutoverError) -> None:
    """Say what happened, how to mend it and what to run next."""
    notes.print(Text.assemble(("error: ", "bold red"), str(error)), soft_wrap=True)
    notes.print(Text.assemble(("hint:  ", "bold"), error.hint), soft_wrap=True)
    if error.next_command:
        notes.print(Text.assemble(("next:  ", "bold"), error.next_command), soft_wrap=True)


def show_next(commands: Sequence[tuple[str, str]]) -> None:
    """List commands to run next, each with what it does."""
    width = max(len(command) for command, _ in commands)
    say("Next:")
    for command, purpose in commands:
        notes.print(Text.assemble(f"  {command:<{width}}  ", (purpose, "dim")), soft_wrap=True)


def print_json(fields: dict[str, Any], next_steps: Sequence[str]) -> None:
    """Print one JSON object with its version and what to run next."""
    whole = {"schema_version": SCHEMA_VERSION, **fields, "next_steps": list(next_steps)}
    data.file.write(json.dumps(whole, indent=2, default=str) + "\n")
