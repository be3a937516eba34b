"""The ledger check as tables: the sums side by side, then every difference by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich import box
from rich.table import Table
from rich.text import Text

from migration.cli.console import data, say
from migration.cli.load.view import show_reasons
from migration.model.cause import Cause
from migration.model.side import Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migration.compare.ledger.verdict import Finding, LedgerVerdict

SHOWN: Final = {Side.LEGACY: 3, Side.PIPELINE: 20}  # legacy's own errors are known, and why it is being left


def show_verdicts(verdicts: Mapping[Side, LedgerVerdict], unreadable: int = 0) -> None:
    """Print the check of every side, and its differences by name."""
    data.print(_sums(verdicts))
    show_reasons("Rejected because", list(verdicts), [one.rejected_because for one in verdicts.values()])
    if unreadable:
        say(f"{unreadable} lines of the ledger were cut short; their sends count as unknown.")
    for side, verdict in verdicts.items():
        _show_findings(side, verdict)


def _sums(verdicts: Mapping[Side, LedgerVerdict]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Ledger check")
    for side in verdicts:
        table.add_column(side, justify="right")
    each = verdicts.values()
    table.add_row("sends acknowledged", *(f"{one.acknowledgements:,}" for one in each))
    table.add_row("activities acknowledged", *(f"{one.acknowledged:,}" for one in each))
    table.add_row("activities stored", *(f"{one.facts:,}" for one in each))
    table.add_row("events folded", *(f"{one.folded.events:,}" for one in each))
    table.add_row("points stored", *(f"{one.expected.points:,}" for one in each))
    table.add_row("points folded", *(f"{one.folded.points:,}" for one in each))
    for kind in Cause:
        counts = [one.count(kind) for one in each]
        if any(counts) or kind in (Cause.LOST, Cause.DOUBLED, Cause.ALTERED):
            table.add_row(kind, *(Text(f"{count:,}", "red" if count else "") for count in counts))
    table.add_row("rejected", *(f"{one.rejected:,}" for one in each))
    table.add_row("conflicts", *(f"{one.conflicts:,}" for one in each))
    table.add_row("unknown", *(f"{one.unknown:,}" for one in each))
    return table


def _show_findings(side: Side, verdict: LedgerVerdict) -> None:
    """Print the verdict in a sentence, then one paragraph for each difference."""
    data.print(_sentence(side, verdict))
    shown = SHOWN[side]
    for finding in verdict.findings[:shown]:
        data.print(_paragraph(finding), soft_wrap=True)
    if len(verdict.findings) > shown:
        data.print(
            f"  … and {len(verdict.findings) - shown:,} more; cutover ledger check --output json has all."
        )


def _sentence(side: Side, verdict: LedgerVerdict) -> Text:
    if verdict.clean:
        text = f"{side} is exact: {verdict.acknowledged:,} acknowledged = stored = folded."
        return Text.assemble(("✓ ", "green"), text)
    counts = ", ".join(f"{verdict.count(kind):,} {kind}" for kind in Cause if verdict.count(kind))
    return Text.assemble(("✗ ", "red"), f"{side} differs: {counts}.")


def _paragraph(finding: Finding) -> Text:
    event = f"event {finding.event_id} of {finding.employee_id} in {finding.program_id}"
    what = event if finding.event_id else ", ".join(finding.rows)
    points = (
        ""
        if finding.points is None
        else f" ({finding.points:,} {'point' if finding.points == 1 else 'points'})"
    )
    return Text.assemble("  ", (f"{finding.kind:<11} ", "red"), f"{what}{points}\n{'':14}{finding.detail}")
