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
        yield {name: _Plain(name, total) for name, total in totals.items()}
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
        yield lambda name, more, due: plain.setdefault(name, _Quarters(name, due)).add(more)
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
    """Counts in large steps, and says so at every quarter of what is due."""

    def __init__(self, name: str, due: int) -> None:
        self._name = name
        self._due = max(due, 1)
        self._done = 0

    def add(self, more: int) -> None:
        before = self._done * PLAIN_LINES // self._due
        self._done += more
        if self._done * PLAIN_LINES // self._due > before:
            say(f"  {self._name}: {self._done:,} of about {self._due:,}")


class _Plain:
    """Counts, and says so at every quarter."""

    def __init__(self, name: str, total: int) -> None:
        self._name = name
        self._total = total
        self._done = 0
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            self._done += 1
            done = self._done
        before, after = ((count * PLAIN_LINES) // self._total for count in (done - 1, done))
        if after > before:
            say(f"  {self._name}: {done:,} of {self._total:,}")
