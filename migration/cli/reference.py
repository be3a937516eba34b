"""The reference of every command, written from the commands themselves: `python -m migration.cli.reference`.

Decides how a command's help becomes a page. It says nothing that `--help` does not say; a test holds
docs/reference.md to it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import typer
from typer.main import get_command

from migration.cli.main import app

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES: Final = "For example:"
CODE: Final = "    "
HEAD: Final = """# Reference

Every command with every option, as `cutover COMMAND --help` says it. `make reference` writes this page from
the commands, and a test holds it to them. What they share (exit codes, output, stacks) is in
[the command line](cli.md).
"""


@dataclass(frozen=True, slots=True)
class Named:
    """A command with all of its name; a group that does nothing by itself only heads its commands."""

    name: str
    command: Any
    runs: bool

    @property
    def paragraphs(self) -> list[str]:
        """Its help, paragraph by paragraph; what the examples have in common is left out."""
        whole = (self.command.help or "").replace(f"\n\n{CODE}", f"\n{CODE}")
        return [part.strip("\n") for part in whole.split("\n\n") if part.strip()]


def named(group: Any = None, prefix: str = "cutover") -> Iterator[Named]:  # noqa: ANN401 - typer's own tree
    """List every command, each group before what is in it."""
    root: Any = group or get_command(app)
    for name, command in root.commands.items():
        whole = f"{prefix} {name}"
        if hasattr(command, "commands"):
            yield Named(whole, command, command.invoke_without_command)
            yield from named(command, whole)
        else:
            yield Named(whole, command, runs=True)


def reference() -> str:
    """Write the page."""
    found = list(named())
    contents = [_line(one) for one in found if one.runs]
    parts = [HEAD, "\n".join(["| command | |", "|---|---|", *contents]), *(_section(one) for one in found)]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _section(one: Named) -> str:
    """Write one command: what it does, its options, its examples."""
    *texts, last = one.paragraphs
    examples = ""
    if last.startswith(EXAMPLES):
        lines = last.removeprefix(EXAMPLES).splitlines()
        examples = "\n".join(["```", *(line.removeprefix(CODE) for line in lines if line.strip()), "```"])
    else:
        texts.append(last)
    title = f"## {one.name}"
    return "\n\n".join(part for part in (title, *texts, _options(one), examples) if part)


def _options(one: Named) -> str:
    context = typer.Context(one.command, info_name=one.name)
    records = [record for param in one.command.params if (record := param.get_help_record(context))]
    if not (one.runs and records):
        return ""
    rows = [f"| `{_cell(what)}` | {_cell(does)} |" for what, does in records]
    return "\n".join(["| argument or option | |", "|---|---|", *rows])


def _line(one: Named) -> str:
    return f"| [`{one.name}`](#{one.name.replace(' ', '-')}) | {_cell(one.paragraphs[0])} |"


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


if __name__ == "__main__":
    sys.stdout.write(reference())
