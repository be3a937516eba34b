"""A shadow report as one HTML file: agreement, staleness and latency over time, and every difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migration.compare.reasons import Judgement
from migration.report.page import render
from migration.report.shadow_fields import shadow_fields

if TYPE_CHECKING:
    from migration.compare.shadow.report import ShadowReport

MEANING: Final = {
    Judgement.SAME: "Legacy, pipeline and truth agreed all the time.",
    Judgement.EXPLAINED: "Named events account for every difference. The pipeline is right.",
    Judgement.TO_REPAIR: "Named events are still missing on a side. Repair before you move on.",
    Judgement.UNEXPLAINED: "No named events account for them. Do not move on.",
}


def headline(report: ShadowReport) -> str:
    """Say what the report comes to, in a line."""
    count, hours = len(report.comparisons), report.span.total_seconds() / 3600
    span = f"{hours:,.1f} h" if hours >= 1 else f"{60 * hours:.0f} min"
    over = f"{count:,} comparison{'' if count == 1 else 's'} in {span}"
    if report.judgement is Judgement.UNEXPLAINED:
        return f"{over}: unexplained differences in {report.having[Judgement.UNEXPLAINED]:,} of them"
    if report.judgement is Judgement.TO_REPAIR:
        return f"{over}: nothing unexplained, but something is to be repaired"
    if report.judgement is Judgement.SAME:
        return f"{over}: no differences"
    return f"{over}: nothing unexplained"


def shadow_page(report: ShadowReport) -> str:
    """Render a report as a page."""
    return render(
        "shadow",
        shadow_fields(report),
        ("time_plots", "shadow"),
        judgement=report.judgement,
        headline=headline(report),
        meaning=MEANING[report.judgement],
    )
