"""A person's yes, before anything is changed."""

from __future__ import annotations

import sys

import typer

from migration.model.errors import UsageError


def agree(question: str, *, yes: bool) -> None:
    """Ask whether to go on.

    Raises:
        UsageError: when the answer is no, or nobody is there to give one.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(
            "nobody is at a terminal to agree; nothing was changed", hint="agree with --yes, or see --dry-run"
        )
    if not typer.confirm(question, err=True):
        raise UsageError("nothing was changed", hint="run it again when you are ready")


def agree_by_name(name: str, question: str, typed: str | None, hint: str) -> None:
    """Have the name of what is destroyed or ended typed, unless it was given as an option.

    Args:
        name: of a migration, or a stack.
        question: to put.
        typed: what was given as an option; None when nothing was.
        hint: how to give it without a terminal.

    Raises:
        UsageError: when it is another, or nobody is there to type it.
    """
    if typed is None and not sys.stdin.isatty():
        raise UsageError(f"nobody is at a terminal to type {name!r}; nothing was changed", hint=hint)
    answer = typer.prompt(question, err=True) if typed is None else typed
    if answer != name:
        raise UsageError(f"{answer!r} is not {name!r}; nothing was changed", hint=f"type {name}")
