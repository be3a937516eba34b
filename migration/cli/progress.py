"""How far something is: a bar on a terminal, a plain line now and then in a log; always on stderr."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from migration.cli.console import notes, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PLAIN_LINES = 4  # in a log, for each thing that is counted


@contextmanager
def counting(totals: Mapping[str, int]) -> Iterator[Mapping[str, Callable[[], None]]]:
    """Show counts that grow; yields, by name, what to call at each step, from any thread."""
    if not notes.is_terminal:
        yield {name: _Quarters(name, total).add for name, total in totals.items()}
        return
    columns = (
        TextColumn("  {task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=notes, transient=True) as bars:
        tasks = {name: bars.add_task(name, total=total) for name, total in totals.items()}
        yield {name: partial(bars.advance, task) for name, task in tasks.items()}


@contextmanager
def reading() -> Iterator[Callable[[str, int, int], None]]:
    """Show how far long reads are; yields what to call with a name, how much more, and how much is due.

    What is due is an estimate, so it can be passed. In a log, there is a line for each quarter of it.
    """
    if not notes.is_terminal:
        plain: dict[str, _Quarters] = {}
        yield lambda name, more, due: plain.setdefault(name, _Quarters(name, due, "about ")).add(more)
        return
    columns = (
        TextColumn("  {task.description:<22}"),
        BarColumn(),
        TextColumn("{task.completed:>12,} of about {task.total:,}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=notes, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def tell(name: str, more: int, due: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=max(due, more))
            bars.advance(tasks[name], more)

        yield tell


@contextmanager
def working(doing: str) -> Iterator[Callable[[str], None]]:
    """Show that something is going on; yields what to call with a word on it. Silent in a log."""
    if not notes.is_terminal:
        yield lambda _text: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=notes, transient=True) as spinner:
        task = spinner.add_task(doing)
        yield lambda text: spinner.update(task, description=f"{doing}: {text}")


class _Quarters:
    """Counts, and says so at every quarter of what is due."""

    def __init__(self, name: str, due: int, about: str = "") -> None:
        self._name = name
        self._due = max(due, 1)
        self._about = about
        self._done = 0
        self._lock = threading.Lock()

    def add(self, more: int = 1) -> None:
        with self._lock:
            before, self._done = self._done, self._done + more
            done = self._done
        if done * PLAIN_LINES // self._due > before * PLAIN_LINES // self._due:
            say(f"  {self._name}: {done:,} of {self._about}{self._due:,}")
