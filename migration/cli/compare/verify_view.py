"""A verification as tables: the sums side by side, the keys that were compared, every difference by name."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from rich import box
from rich.table import Table
from rich.text import Text

from migration.cli.console import data
from migration.model.moments import moment_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migration.compare.verify.verification import Difference, VerifyReport
    from migration.model.cause import Cause

SHOWN: Final = 20  # of each class that fails
EXAMPLES: Final = 3  # of each that does not
_NAMES: Final = {
    "live": "employees, live facts",
    "history": "employees, history",
    "programs": "programs, all facts",
    "pulses": "pulses",
    "legacy": "legacy",
}


def show_report(report: VerifyReport) -> None:
    """Print a report for people: the sums, then what differs by class, the worst first."""
    data.print(Text(f"Verified as of {moment_text(report.as_of)}, {_took(report)}.", "bold"))
    data.print(_sums(report))
    data.print(_keys(report))
    data.print(_sentence(report))
    for kind, group in groupby(report.differences, key=lambda one: one.kind):
        _show_class(kind, list(group))
    for row in report.undecided[:SHOWN]:
        data.print(f"  undecided   {row}: it moves too fast to be judged; verify again when less comes in")
    if report.skipped:
        data.print(f"  … and {report.skipped:,} more employees that differ and were not looked at")


def _sums(report: VerifyReport) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("events and points of", no_wrap=True)
    for name in ("stored", "folded", "stored", "folded", "print"):
        table.add_column(name, justify="right")
    for one in report.sums:
        numbers = (one.stored.events, one.folded.events, one.stored.points, one.folded.points)
        if one.name == "legacy":
            prints = Text("none", "dim")
        else:
            same = one.stored.fingerprint == one.folded.fingerprint
            prints = Text("same", "green") if same else Text("differs", "yellow")
        table.add_row(_NAMES[one.name], *(f"{number:,}" for number in numbers), prints)
    return table


def _took(report: VerifyReport) -> str:
    looks = "one look" if report.passes == 1 else f"{report.passes} looks"
    return f"{report.finished_at - report.as_of:,.0f} s, {looks} at what differs"


def _keys(report: VerifyReport) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Every key of")
    table.add_column("compared", justify="right")
    table.add_column("looked at again", justify="right")
    for one in report.keys:
        table.add_row(one.name, f"{one.compared:,}", f"{one.looked_at_again:,}")
    return table


def _sentence(report: VerifyReport) -> Text:
    counts = ", ".join(f"{count:,} {_words(kind)}" for kind, count in _sorted(report.counts.items()))
    where = f"{report.queued:,} messages queued" + (f", {report.dead:,} given up" if report.dead else "")
    if report.clean and not report.undecided:
        text = "every fact is folded exactly once" + (f", apart from {counts}" if counts else "")
        return Text.assemble(("✓ ", "green"), f"{text}; {where}.")
    if report.clean:
        return Text.assemble(("? ", "yellow"), f"{len(report.undecided):,} rows undecided; {where}.")
    return Text.assemble(("✗ ", "red"), f"{counts}; {where}.")


def _sorted(counts: Iterable[tuple[Cause, int]]) -> list[tuple[Cause, int]]:
    return sorted(counts, key=lambda one: one[0].severity, reverse=True)


def _show_class(kind: Cause, found: list[Difference]) -> None:
    shown = found[: SHOWN if kind.fails else EXAMPLES]
    for one in shown:
        data.print(_paragraph(one), soft_wrap=True)
    if len(found) > len(shown):
        more = len(found) - len(shown)
        data.print(f"  … and {more:,} more {_words(kind)}; --output json has all")


def _paragraph(one: Difference) -> Text:
    event = f"event {one.event_id} of {one.employee_id} in {one.program_id}"
    row = " in ".join(filter(None, (one.employee_id, one.program_id)))
    what = event if one.event_id else row
    points = "" if one.points is None else f" ({one.points:,} points)"
    apart = " (a pulse)" if one.reserved else ""
    lines = [f"{what}{points}{apart}", one.detail]
    if one.rows:
        lines.append(f"shows in {', '.join(one.rows)}")
    if one.candidates:
        lines.append(f"events {', '.join(one.candidates)}")
    style = "red" if one.kind.fails else "cyan"
    return Text.assemble("  ", (f"{_words(one.kind)}: ", style), f"\n{'':6}".join(lines))


def _words(kind: Cause) -> str:
    return kind.replace("_", " ")
