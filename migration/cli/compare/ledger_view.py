"""The ledger check as tables: the sums side by side, then every difference by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from migration.cli.console import data, say
from migration.cli.load.view import show_reasons
from migration.cli.views import differing, number, points_of, show_rest, table, verdict
from migration.model.cause import Cause
from migration.model.guardrails import Outcome
from migration.model.side import Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

    from migration.compare.ledger.verdict import Finding, LedgerVerdict

SHOWN: Final = {Side.LEGACY: 3, Side.PIPELINE: 20}  # legacy's own errors are known, and why it is being left


def show_verdicts(verdicts: Mapping[Side, LedgerVerdict], unreadable: int = 0) -> None:
    """Print the check of every side, and its differences by name."""
    data.print(_sums(verdicts))
    show_reasons("Rejected because", list(verdicts), [one.rejected_because for one in verdicts.values()])
    if unreadable:
        say(f"{unreadable} lines of the ledger were cut short; their sends count as unknown.")
    for side, one in verdicts.items():
        _show_findings(side, one)


def _sums(verdicts: Mapping[Side, LedgerVerdict]) -> Table:
    sums = table("Ledger check", *map(number, verdicts))
    each = verdicts.values()
    sums.add_row("sends acknowledged", *(f"{one.acknowledgements:,}" for one in each))
    sums.add_row("activities acknowledged", *(f"{one.acknowledged:,}" for one in each))
    sums.add_row("activities stored", *(f"{one.facts:,}" for one in each))
    sums.add_row("events folded", *(f"{one.folded.events:,}" for one in each))
    sums.add_row("points stored", *(f"{one.expected.points:,}" for one in each))
    sums.add_row("points folded", *(f"{one.folded.points:,}" for one in each))
    for kind in Cause:
        counts = [one.count(kind) for one in each]
        if any(counts) or kind in (Cause.LOST, Cause.DOUBLED, Cause.ALTERED):
            sums.add_row(kind, *(Text(f"{count:,}", "red" if count else "") for count in counts))
    for name in ("rejected", "conflicts", "unknown"):
        sums.add_row(name, *(f"{getattr(one, name):,}" for one in each))
    return sums


def _show_findings(side: Side, found: LedgerVerdict) -> None:
    """Print the verdict in a sentence, then one paragraph for each difference."""
    data.print(_sentence(side, found))
    shown = SHOWN[side]
    for finding in found.findings[:shown]:
        data.print(_paragraph(finding), soft_wrap=True)
    show_rest(len(found.findings) - shown, where="cutover ledger check --output json has all.")


def _sentence(side: Side, found: LedgerVerdict) -> Text:
    if found.clean:
        return verdict(
            Outcome.PASS, f"{side} is exact: {found.acknowledged:,} acknowledged = stored = folded."
        )
    counts = ", ".join(f"{found.count(kind):,} {kind}" for kind in Cause if found.count(kind))
    return verdict(Outcome.FAIL, f"{side} differs: {counts}.")


def _paragraph(finding: Finding) -> Text:
    what = differing(finding) if finding.event_id else ", ".join(finding.rows)
    told = f"{what}{points_of(finding.points)}\n{'':14}{finding.detail}"
    return Text.assemble("  ", (f"{finding.kind:<11} ", "red"), told)
