"""A diff as one HTML file, which holds every difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migration.compare.reasons import Judgement
from migration.report.diff_fields import diff_fields
from migration.report.page import Page

if TYPE_CHECKING:
    from migration.compare.diff.report import DiffReport

PAGE: Final = Page("diff_page.html", ("diff_page.css",), ("diff_plots.js", "diff_page.js"))
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
    texts = {
        "stack": report.stack,
        "as_of": report.reading.began_at,
        "as_of_text": f"{report.reading.began_at[:19].replace('T', ' ')} UTC",
        "judgement": report.judgement,
        "headline": headline(report),
        "meaning": MEANING[report.judgement],
    }
    return PAGE.render(texts, diff_fields(report))
