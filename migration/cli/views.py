"""What every view is made of: plain tables, verdicts after a mark, lists that say what they leave out.

A view prints what one command found, for people; `--output json` is for scripts. It decides how much is shown
and in what words, never what was found.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from rich import box
from rich.table import Column, Table
from rich.text import Text

from migration.cli.console import data
from migration.model.guardrails import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from migration.compare.ledger.verdict import Finding
    from migration.compare.verify.verification import Difference

T = TypeVar("T")
MARKS: Final = {
    Outcome.PASS: ("✓", "green"),
    Outcome.INCONCLUSIVE: ("?", "yellow"),
    Outcome.ERROR: ("!", "magenta"),
    Outcome.FAIL: ("✗", "bold red"),
}


def table(*columns: Column | str, title: str | None = None, heads: bool = True) -> Table:
    """Make a table of the one look that all have."""
    return Table(
        *columns, title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, show_header=heads
    )


def whole(name: str) -> Column:
    """Make a column that keeps its width."""
    return Column(name, no_wrap=True)


def number(name: str) -> Column:
    """Make a column of numbers."""
    return Column(name, justify="right", no_wrap=True)


def verdict(outcome: Outcome, text: str) -> Text:
    """Say a sentence after its mark."""
    mark, style = MARKS[outcome]
    return Text.assemble((f"{mark} ", style), text)


def show_some(found: Sequence[T], most: int, line: Callable[[T], Text], what: str = "more") -> None:
    """Print the first of a list, and how many are left out."""
    for one in found[:most]:
        data.print(line(one), soft_wrap=True)
    show_rest(len(found) - most, what)


def show_rest(left: int, what: str = "more", where: str = "--output json has all") -> None:
    """Say how many were left out, if any, and where they are."""
    if left > 0:
        data.print(f"  … and {left:,} {what}; {where}")


def differing(one: Difference | Finding) -> str:
    """Name what differs: an event, or the row of an employee, a program, or both."""
    if one.event_id:
        return f"event {one.event_id} of {one.employee_id} in {one.program_id}"
    return " in ".join(filter(None, (one.employee_id, one.program_id)))


def points_of(points: int | None) -> str:
    """Say the points of an event, where they are known."""
    return "" if points is None else f" ({points:,} {'point' if points == 1 else 'points'})"


def told(form: str, value: object) -> str:
    """Write a value in a form, or a dash where there is none."""
    return "-" if value is None else form.format(value)


def duration(seconds: float) -> str:
    """Write a time that something takes."""
    return str(timedelta(seconds=round(seconds)))
