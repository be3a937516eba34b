"""What a backfill looks like: its estimate, its progress, its state, and rows that differ."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from migration.cli.console import data, notes, say
from migration.cli.views import duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migration.backfill.attention import OnProgress
    from migration.backfill.estimate import Estimate
    from migration.backfill.history import FoldedHistory
    from migration.model.backfill import Job, Pulse
    from migration.model.backfill import Progress as Copied

LINE_EVERY_S: Final = 10.0  # in a log
QUIET_S: Final = 15.0  # a process that left no sign of life for so long is taken to be gone
MOST_CHANGES: Final = 1_000
NO_HORIZON: Final = (
    "No retention applies to copying: which lane folds a fact is decided when it is put. It may take months."
)


def estimate_fields(needed: Estimate) -> dict[str, Any]:
    """Write an estimate as JSON has it."""
    return {**asdict(needed), "seconds": needed.duration.total_seconds(), "dollars": round(needed.dollars, 4)}


def show_estimate(needed: Estimate, ceiling: float) -> None:
    """Say what a backfill would read, write, take and cost."""
    units = needed.copy_units + needed.install_units
    with_what = f"with {needed.functions} functions and Athena" if needed.functions else "on this machine"
    say(f"About {needed.events:,} events of legacy to copy, and at most {needed.rows:,} rows to install.")
    say(
        f"{units:,} write units ({needed.copy_units:,} for copying), {needed.read_units:,} read units: "
        f"about {needed.duration} {with_what} at {needed.per_s:,.0f} writes/s (ceiling {ceiling:,.0f}), "
        f"about ${needed.dollars:,.2f} at on-demand list prices."
    )
    say(NO_HORIZON)


@contextmanager
def progressing() -> Iterator[Callable[[OnProgress], None]]:
    """Show how far a backfill is: a bar on a terminal, a line now and then in a log."""
    if not notes.is_terminal:
        yield _Lines()
        return
    columns = (
        TextColumn("  {task.description:<8}"),
        BarColumn(),
        TextColumn("{task.completed:,}/{task.total:,}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=notes, transient=True) as bars:
        task = bars.add_task("", total=1, note="")
        yield lambda one: bars.update(
            task, description=one.phase, completed=one.done, total=max(one.total, 1), note=_note(one)
        )


class _Lines:
    """One plain line every ten seconds."""

    def __init__(self) -> None:
        self._next_at = 0.0

    def __call__(self, one: OnProgress) -> None:
        if time.monotonic() < self._next_at:
            return
        self._next_at = time.monotonic() + LINE_EVERY_S
        share = f"{one.done / one.total:.1%}" if one.total else "0.0%"
        say(f"{one.phase}: {one.done:,}/{one.total:,} {share}; {_note(one)}")


def _note(one: OnProgress) -> str:
    pulse = one.pulse
    left = "" if pulse.left_s is None else f"; ETA {duration(pulse.left_s)}"
    return f"{pulse.per_s:,.0f}/s, allowed {pulse.rate:,.0f}/s, {pulse.reason}{left}"


def status_fields(job: Job, progress: Copied, pulse: Pulse | None, now: float) -> dict[str, Any]:
    """Write a backfill's state as JSON has it."""
    return {
        "phase": job.phase,
        "run": job.run,
        "started_at": job.started_at,
        "paused": job.paused or None,
        "engine": job.engine,
        "execution": None,
        "max_wcu": job.max_wcu,
        "segments": {"done": progress.done, "of": job.segments},
        "read": progress.read,
        "history": progress.history,
        "live": progress.live,
        "conflicts": progress.conflicts,
        "unmappable": progress.unmappable,
        "problems": list(progress.problems),
        "folded": asdict(job.history),
        "worker": None
        if pulse is None
        else {**asdict(pulse), "seen_s_ago": round(max(0.0, now - pulse.at), 1)},
    }


def show_status(fields: dict[str, Any]) -> None:
    """Print a backfill's state."""
    segments, folded, worker = fields["segments"], fields["folded"], fields["worker"]
    run = f"run {fields['run']}, since {fields['started_at']}, engine {fields['engine']}"
    lines = {
        "phase": f"{fields['phase']} ({run})",
        "copied": f"{fields['read']:,} events read, {segments['done']} of {segments['of']} segments done",
        "history": f"{fields['history']:,} facts in the history lane, {fields['live']:,} in the live lane",
        "folded": f"{folded['events']:,} history facts, {folded['points']:,} points",
        "conflicts": f"{fields['conflicts']:,} events whose fact has other content: `cutover repair`",
        "unmappable": f"{fields['unmappable']:,} events that do not fit the plan",
        "functions": _execution(fields["execution"]) if fields["execution"] else "",
        "at work": _worker(worker) if worker else "",
        "paused": fields["paused"] or "",
    }
    table = Table.grid(padding=(0, 2))
    for name, text in lines.items():
        if text and (name not in {"conflicts", "unmappable"} or fields[name]):
            table.add_row(name, text)
    data.print(table)
    for problem in fields["problems"]:
        say(f"  {problem}")


def changes_fields(folded: FoldedHistory) -> dict[str, Any]:
    """Write rows that differ as JSON has them, the first of them."""
    shown = [
        {
            "row": str(one.row),
            "employee_id": one.row.employee_id,
            "program_id": one.row.program_id,
            "held": asdict(one.held),
            "due": asdict(one.due),
        }
        for one in islice(folded.changes, MOST_CHANGES)
    ]
    return {
        "history": asdict(folded.history),
        "rows": folded.rows,
        "differing": folded.changed,
        "more": folded.changed - len(shown),
        "changes": shown,
    }


def show_changes(folded: FoldedHistory) -> None:
    """Print rows that differ, the first of them."""
    say(f"{folded.history.events:,} history facts, {folded.rows:,} rows with history.")
    if not folded.changed:
        say("Every row holds exactly its history.")
        return
    table = Table("row", "held - due")
    for one in islice(folded.changes, 20):
        table.add_row(str(one.row), str(one.held - one.due))
    data.print(table)
    say(f"{folded.changed:,} rows differ.")


def _worker(worker: dict[str, Any]) -> str:
    if (seen := worker["seen_s_ago"]) > QUIET_S:
        return f"nobody; {worker['worker']} was last seen {duration(seen)} ago"
    return (
        f"{worker['worker']}: {worker['per_s']:,.0f}/s, allowed {worker['rate']:,.0f}/s, {worker['reason']}"
    )


def _execution(execution: dict[str, Any]) -> str:
    counts = (
        f"{execution['at_work']:,} at work, {execution['waiting']:,} segments waiting, "
        f"{execution['failed']:,} failed"
    )
    return f"{execution['status'].lower()}: {counts} ({execution['name']})"
