"""A load's report as tables, the sides next to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.table import Column

from migration.cli.console import data, say
from migration.cli.views import number, table, told

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from migration.load.report import LoadReport

COUNTS_WIDTH: Final = 30


def show_reports(reports: Sequence[LoadReport], ledger: Path) -> None:
    """Print what came of a load, why sends were refused, and where every answer is."""
    show_loads(reports)
    show_reasons("Rejected because", [one.side for one in reports], [one.rejected_because for one in reports])
    say(f"Every answer is in {ledger}.")


def show_loads(reports: Sequence[LoadReport]) -> None:
    """Print what came of a load, and why sends had no answer."""
    sides = [one.side for one in reports]
    loads = table("Load", *map(number, sides))
    for name in ("sent", "acknowledged", "rejected", "conflicts", "unknown", "retried"):
        loads.add_row(name, *(f"{getattr(one, name):,}" for one in reports))
    for label in ("p50", "p90", "p99", "max"):
        loads.add_row(
            f"latency {label}", *(told(f"{{0.{label}_ms:,.0f}} ms", one.latency) for one in reports)
        )
    loads.add_row("rate", *(f"{one.rate:,.1f} /s" for one in reports))
    data.print(loads)
    show_reasons("No answer because", sides, [one.unknown_because for one in reports])


def show_reasons(title: str, sides: Iterable[str], counts: Sequence[Mapping[str, int]]) -> None:
    """Print how often each reason was given, most frequent first; nothing when there are none."""
    names = dict.fromkeys(name for each in counts for name in each)
    if not names:
        return
    reasons = table(Column(title, no_wrap=True, max_width=data.width - COUNTS_WIDTH), *map(number, sides))
    for name in sorted(names, key=lambda name: -max(each.get(name, 0) for each in counts)):
        reasons.add_row(name, *(f"{each.get(name, 0):,}" for each in counts))
    data.print(reasons)
