"""A verification as tables: the sums side by side, the keys that were compared, every difference by name."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from rich.text import Text

from migration.cli.console import data
from migration.cli.views import differing, number, points_of, show_some, table, verdict, whole
from migration.model.guardrails import Outcome
from migration.model.moments import moment_text
from migration.model.wording import counted, words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

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
        show_some(list(group), SHOWN if kind.fails else EXAMPLES, _paragraph, f"more {words(kind)}")
    for row in report.undecided[:SHOWN]:
        data.print(f"  undecided   {row}: it moves too fast to be judged; verify again when less comes in")
    if report.skipped:
        data.print(f"  … and {report.skipped:,} more employees that differ and were not looked at")


def _sums(report: VerifyReport) -> Table:
    numbers = map(number, ("stored", "folded", "stored", "folded", "print"))
    sums = table(whole("events and points of"), *numbers)
    for one in report.sums:
        each = (one.stored.events, one.folded.events, one.stored.points, one.folded.points)
        if one.name == "legacy":
            prints = Text("none", "dim")
        else:
            same = one.stored.fingerprint == one.folded.fingerprint
            prints = Text("same", "green") if same else Text("differs", "yellow")
        sums.add_row(_NAMES[one.name], *(f"{value:,}" for value in each), prints)
    return sums


def _took(report: VerifyReport) -> str:
    looks = "one look" if report.passes == 1 else f"{report.passes} looks"
    return f"{report.finished_at - report.as_of:,.0f} s, {looks} at what differs"


def _keys(report: VerifyReport) -> Table:
    keys = table("Every key of", number("compared"), number("looked at again"))
    for one in report.keys:
        keys.add_row(one.name, f"{one.compared:,}", f"{one.looked_at_again:,}")
    return keys


def _sentence(report: VerifyReport) -> Text:
    counts = counted(_sorted(report.counts.items()))
    where = f"{report.queued:,} messages queued" + (f", {report.dead:,} given up" if report.dead else "")
    if report.clean and not report.undecided:
        text = "every fact is folded exactly once" + (f", apart from {counts}" if counts else "")
        return verdict(Outcome.PASS, f"{text}; {where}.")
    if report.clean:
        return verdict(Outcome.INCONCLUSIVE, f"{len(report.undecided):,} rows undecided; {where}.")
    return verdict(Outcome.FAIL, f"{counts}; {where}.")


def _sorted(counts: Iterable[tuple[Cause, int]]) -> list[tuple[Cause, int]]:
    return sorted(counts, key=lambda one: one[0].severity, reverse=True)


def _paragraph(one: Difference) -> Text:
    apart = " (a pulse)" if one.reserved else ""
    lines = [f"{differing(one)}{points_of(one.points)}{apart}", one.detail]
    if one.rows:
        lines.append(f"shows in {', '.join(one.rows)}")
    if one.candidates:
        lines.append(f"events {', '.join(one.candidates)}")
    style = "red" if one.kind.fails else "cyan"
    return Text.assemble("  ", (f"{words(one.kind)}: ", style), f"\n{'':6}".join(lines))
