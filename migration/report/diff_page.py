"""A diff as one HTML file, which holds every difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migration.compare.reasons import Judgement
from migration.report.diff_fields import diff_fields
from migration.report.page import render

if TYPE_CHECKING:
    from migration.compare.diff.report import DiffReport

MEANING: Final = {
    Judgement.SAME: "Legacy, pipeline and truth agree.",
    Judgement.EXPLAINED: "Legacy's own errors, or activities on their way. The pipeline is right.",
    Judgement.TO_REPAIR: "Named events are missing on a side, or folded wrongly. Repair before you move on.",
    Judgement.UNEXPLAINED: "No named events account for them. Do not move on.",
}


def headline(report: DiffReport) -> str:
    """Say how many differences there are of the worst kind that was found."""
    if report.judgement is Judgement.SAME:
        return "No differences"
    count = report.counts[report.judgement]
    plural = "" if count == 1 else "s"
    if report.judgement is Judgement.TO_REPAIR:
        return f"{count:,} difference{plural} to repair"
    only = "Only explained: " if report.judgement is Judgement.EXPLAINED else ""
    return f"{only}{count:,} {'' if only else 'unexplained '}difference{plural}"


def diff_page(report: DiffReport) -> str:
    """Render a report as a page."""
    return render(
        "diff",
        diff_fields(report),
        ("diff_plots", "diff"),
        judgement=report.judgement,
        headline=headline(report),
        meaning=MEANING[report.judgement],
    )
