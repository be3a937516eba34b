"""A shadow report as JSON: the one layout that the command prints, the page shows and scripts read.

Ids are as they are stored; whoever shows them must escape them.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from migration.compare.shadow.report import Moment, Seen, ShadowReport


def shadow_fields(report: ShadowReport) -> dict[str, Any]:
    """Lay a report out."""
    legacy, pipeline = report.failed_serves
    return {
        "stack": report.stack,
        "migration": report.migration,
        "judgement": report.judgement,
        "passes": report.passes,
        "first": report.first,
        "last": report.last,
        "hours": round(report.span.total_seconds() / 3600, 2),
        "comparisons": len(report.comparisons),
        "comparisons_with": dict(report.having),
        "causes": [
            {"cause": cause, "text": cause.text, "comparisons": count}
            for cause, count in report.causes.items()
        ],
        "measures": {name: asdict(one) for name, one in report.spreads.items()},
        "failed_serves": {"legacy": legacy, "pipeline": pipeline},
        "read_units": round(sum(one.effort.read_units for one in report.comparisons), 1),
        "gaps": [asdict(gap) for gap in report.gaps],
        "unlisted_differences": report.unlisted,
        "differences": [_seen(one) for one in report.differences],
        "series": [_point(one) for one in report.moments()],
    }


def _seen(one: Seen) -> dict[str, Any]:
    return {"first": one.first, "last": one.last, "times": one.times, **asdict(one.latest)}


def _point(one: Moment) -> dict[str, Any]:
    def rounded(values: tuple[float | None, ...], digits: int) -> list[float | None]:
        return [None if value is None else round(value, digits) for value in values]

    return {
        "at": one.at,
        "comparisons": one.comparisons,
        "stage": one.stage,
        "agreement": {
            board: {pair: rounded(values, 4) for pair, values in pairs.items()}
            for board, pairs in one.agreements.items()
        },
        "age_s": rounded(one.ages_s, 1),
        "lag_s": rounded((one.lag_s,), 1)[0],
        "latency_ms": rounded(one.latencies_ms, 2),
        "counts": dict(one.counts),
    }
