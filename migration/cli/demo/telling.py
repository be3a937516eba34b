"""How the demo is told: stages with headings, tables, and one sentence that says what it all shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from migration.cli.compare.ledger_view import show_verdicts
from migration.cli.console import data
from migration.cli.load.view import show_loads
from migration.cli.views import number, table, whole
from migration.model.cause import Cause

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from migration.cli.demo.fault import PlottedFaults
    from migration.compare.boards.boards import BoardEntry, BoardRow
    from migration.compare.ledger.settle import Settling
    from migration.compare.ledger.verdict import LedgerVerdict
    from migration.cutover.looks import Look
    from migration.load.report import LoadReport
    from migration.model.percentiles import Percentiles
    from migration.model.side import Side


def stage(number: int, title: str, what: str) -> None:
    """Begin a stage."""
    data.print()
    data.print(Text.assemble((f"{number}  {title}", "bold"), (f"  {what}", "dim")), soft_wrap=True)


def tell(text: str) -> None:
    """Say something."""
    data.print(Text(f"   {text}"), soft_wrap=True)


def loads(reports: Sequence[LoadReport]) -> None:
    """Tell how the sends went."""
    show_loads(reports)


def settled(look: Settling, lag: Percentiles | None, took_s: float) -> None:
    """Tell how far the live lane's folds are once clients have stopped, and how fast they were."""
    if not look.settled:
        tell(f"NOT settled: {look.stored:,} facts, {look.folded:,} folded, {look.queued:,} queued.")
        return
    tell(
        f"{look.folded:,} live facts folded, {look.folded / took_s:,.1f} /s, "
        f"the last {look.waited_s:.1f} s after clients had stopped."
    )
    if lag is not None:
        tell(
            f"Lag from stored to folding, oldest of each batch: p50 {lag.p50_ms:,.0f} ms, "
            f"p90 {lag.p90_ms:,.0f} ms, max {lag.max_ms:,.0f} ms, the fault included."
        )


def rolled_back(look: Look, faults: PlottedFaults) -> None:
    """Tell that the fault was caught."""
    data.print()
    took = f"{faults.caught_s:.1f} s" if faults.caught_s is not None else "?"
    data.print(
        Text.assemble(
            ("✓ ", "green"), f"The fault was caught and rolled back by itself, {took} after it began:"
        )
    )
    tell(look.why)


def summary(
    verdict: LedgerVerdict, failed: int, refused: int, faults: PlottedFaults, pages: Mapping[str, str]
) -> None:
    """Say what it all comes to, in the numbers that a migration is judged by."""
    lost, doubled = verdict.count(Cause.LOST), verdict.count(Cause.DOUBLED)
    caught = "never" if faults.caught_s is None else f"{faults.caught_s:.1f} s"
    sums = table("", "", heads=False)
    for name, count in (("failed requests", failed), ("lost", lost), ("doubled", doubled)):
        sums.add_row(name, Text(f"{count:,}", "bold red" if count else "bold green"))
    sums.add_row("fault to rollback", caught)
    sums.add_row("refused, and made again", f"{refused:,}")
    for name, path in pages.items():
        sums.add_row(name, path)
    data.print(sums)


def boards(lines: Sequence[BoardRow]) -> None:
    """Tell the boards side by side, and why they differ."""
    listed = table(whole("employee"), number("legacy"), number("pipeline"), whole("why they differ"))
    for line in lines:
        style = "yellow" if line.differs else ""
        listed.add_row(line.employee_id, _place(line.legacy), _place(line.pipeline), line.why, style=style)
    data.print(listed)
    differing = sum(line.differs for line in lines)
    tell(f"{differing} of {len(lines)} lines differ. Legacy counts an activity again when it is sent again.")


def verdicts(judged: Mapping[Side, LedgerVerdict]) -> None:
    """Tell the ledger check."""
    show_verdicts(judged)


def end(dashboard_url: str, home: Path, *, kept: bool) -> None:
    """Say what is left, and how to get rid of it or to keep it."""
    lines = {"Dashboard": dashboard_url, "Ledger": str(home / "ledger.jsonl")}
    if kept:
        lines |= {"Still up": "cutover local status", "To stop it": "cutover local down"}
    else:
        lines["Taken down"] = (
            "all but ledger and pages; KEEP=1 make demo (or cutover demo --keep) leaves it up"
        )
    data.print()
    for name, text in lines.items():
        data.print(Text.assemble((f"{name:<12}", "bold"), text), soft_wrap=True)


def _place(entry: BoardEntry | None) -> str:
    return "-" if entry is None else f"{entry.points:,}  #{entry.rank:<3}"
