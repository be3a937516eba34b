"""A load's report as tables, the sides next to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich import box
from rich.table import Table

from migration.cli.console import data

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from migration.load.report import LoadReport
    from migration.model.percentiles import Percentiles


COUNTS_WIDTH: Final = 30


def show_reports(reports: Sequence[LoadReport]) -> None:
    """Print what came of a load, and why sends were refused."""
    show_loads(reports)
    show_reasons(
        "Rejected because", [report.side for report in reports], [r.rejected_because for r in reports]
    )


def show_loads(reports: Sequence[LoadReport]) -> None:
    """Print what came of a load, and why sends had no answer."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Load")
    for report in reports:
        table.add_column(report.side, justify="right")
    for name in ("sent", "acknowledged", "rejected", "conflicts", "unknown", "retried"):
        table.add_row(name, *(f"{getattr(report, name):,}" for report in reports))
    for label in ("p50", "p90", "p99", "max"):
        table.add_row(
            f"latency {label}", *(_milliseconds(report.latency, f"{label}_ms") for report in reports)
        )
    table.add_row("rate", *(f"{report.rate:,.1f} /s" for report in reports))
    data.print(table)
    show_reasons(
        "No answer because", [report.side for report in reports], [r.unknown_because for r in reports]
    )


def show_reasons(title: str, sides: Iterable[str], counts: Sequence[Mapping[str, int]]) -> None:
    """Print how often each reason was given, most frequent first; nothing when there are none."""
    names = dict.fromkeys(name for each in counts for name in each)
    if not names:
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(title, no_wrap=True, overflow="ellipsis", max_width=data.width - COUNTS_WIDTH)
    for side in sides:
        table.add_column(side, justify="right", no_wrap=True)
    for name in sorted(names, key=lambda name: -max(each.get(name, 0) for each in counts)):
        table.add_row(name, *(f"{each.get(name, 0):,}" for each in counts))
    data.print(table)


def _milliseconds(latency: Percentiles | None, name: str) -> str:
    return "-" if latency is None else f"{getattr(latency, name):,.0f} ms"
