"""A certificate as one HTML file without a script, to be read, printed and kept.

It is made from the certificate's JSON and nothing else, and holds that JSON: so a copy can be made again and
compared, letter by letter, and whatever was changed in either shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migration.report.page import render
from migration.report.weights_plot import WeightsPlot

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Fields = Mapping[str, Any]


def certificate_page(fields: Fields) -> str:
    """Render a certificate's JSON as a page."""
    legs, draft, missing = fields["timeline"], fields["draft"], len(fields["missing"])
    end = fields["issued_at"] if draft or not legs else legs[-1]["at"]
    return render(
        "certificate",
        fields,
        judgement="explained" if draft else "to_repair" if missing else "same",
        headline=_headline(draft=draft, missing=missing),
        meaning=_meaning(draft=draft, missing=missing),
        plot=WeightsPlot.of(legs, end) if legs else None,
    )


def _headline(*, draft: bool, missing: int) -> str:
    things = f"{missing} thing{'' if missing == 1 else 's'}"
    if draft:
        return f"DRAFT: {things} missing"
    return f"Complete, but {things} not proven" if missing else "Complete, and proven"


def _meaning(*, draft: bool, missing: int) -> str:
    if draft:
        return "The migration goes on; what is below is what the journal says so far."
    if missing:
        return "The pipeline has all traffic. What could not be proven is listed."
    return "The pipeline has all traffic, and everything below was measured."
