"""A shadow report as tables: measures with their course in a line of bars, causes, the worst differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.table import Column
from rich.text import Text

from migration.cli.compare.diff_view import PLACE, differences, judged, page_has
from migration.cli.console import data
from migration.cli.views import number, table, told, whole
from migration.compare.diff.two_sides import GLOBAL
from migration.compare.shadow.comparison import PAIRS
from migration.compare.shadow.report import spread
from migration.model.wording import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.table import Table

    from migration.compare.shadow.report import Moment, Seen, ShadowReport, Spread

BARS: Final = "▁▂▃▄▅▆▇█"
WIDEST: Final = 60
BESIDE: Final = 60  # columns that the numbers take
SHOWN: Final = 15
MEASURES: Final = {
    "rank-biased overlap of legacy, pipeline": "legacy ~ pipeline",
    "rank-biased overlap of legacy, truth": "legacy ~ truth",
    "rank-biased overlap of pipeline, truth": "pipeline ~ truth",
    "age of legacy's board, s": "legacy's age, s",
    "age of the pipeline's board, s": "pipeline's age, s",
    "folds behind, s": "folds behind, s",
    "legacy serves in, ms": "legacy serves, ms",
    "the pipeline serves in, ms": "pipeline serves, ms",
}


def show_shadow(report: ShadowReport) -> None:
    """Print a report for people."""
    moments = report.moments(min(max(data.width - BESIDE, 10), WIDEST))
    data.print(_measures(report, moments))
    data.print(_counts(report, moments))
    if report.causes:
        data.print(_causes(report))
    if report.differences:
        shown = report.differences[:SHOWN]
        data.print(_differences(shown), page_has(len(report.differences) - len(shown)))


def bars(values: Iterable[float | None], floor: float | None = None) -> str:
    """Draw values as a line of bars, from the floor (else the least) up; a space where there is none."""
    listed = list(values)
    taken = [value for value in listed if value is not None]
    if not taken:
        return " " * len(listed)
    low, high = min(taken) if floor is None else floor, max(taken)
    steps = len(BARS) - 1
    scale = steps / (high - low) if high > low else 0.0
    flat = BARS[-1] if floor is None or high > low else BARS[0]
    return "".join(
        " " if value is None else BARS[max(round((value - low) * scale), 0)] if scale else flat
        for value in listed
    )


def _measures(report: ShadowReport, moments: Sequence[Moment]) -> Table:
    span = f"{_clock(report.first)} to {_clock(report.last)[6:]}"
    numbers = map(number, ("low", "median", "high", "last"))
    measures = table(whole(""), *numbers, whole(span), title="Global boards")
    overlaps = [[_overlap(one, pair) for one in moments] for pair in PAIRS]
    courses = dict(
        zip(
            MEASURES,
            (
                *overlaps,
                [one.ages_s[0] for one in moments],
                [one.ages_s[1] for one in moments],
                [one.lag_s for one in moments],
                [one.latencies_ms[0] for one in moments],
                [one.latencies_ms[1] for one in moments],
            ),
            strict=True,
        )
    )
    for name, measured in report.spreads.items():
        overlap = name.startswith("rank")
        line = bars(courses[name], None if overlap else 0.0)
        measures.add_row(MEASURES[name], *_numbers(measured, 3 if overlap else 1), line)
    return measures


def _overlap(moment: Moment, pair: str) -> float | None:
    return moment.agreements.get(GLOBAL, {}).get(pair, (None, None, None))[1]


def _numbers(measured: Spread, digits: int) -> list[str]:
    values = (measured.low, measured.median, measured.high, measured.last)
    return [f"{value:,.{digits}f}" for value in values]


def _counts(report: ShadowReport, moments: Sequence[Moment]) -> Table:
    numbers = map(number, ("most", "now", "comparisons"))
    title = "Differences on all compared boards"
    counted = table(whole("judgement"), *numbers, whole(""), title=title)
    for one, having in reversed(list(report.having.items())):
        counts = [comparison.counts[one] for comparison in report.comparisons]
        found = spread(counts)
        most = 0 if found is None else round(found.high)
        share = f"{having:,} of {len(counts):,}"
        counted.add_row(
            judged(one) if most else Text(words(one), "dim"),
            f"{most:,}",
            f"{counts[-1]:,}",
            share,
            bars([moment.counts[one] for moment in moments], 0.0),
        )
    return counted


def _causes(report: ShadowReport) -> Table:
    causes = table("cause", number("comparisons"), title="Causes")
    for cause, count in report.causes.items():
        causes.add_row(cause.text, f"{count:,}")
    return causes


def _differences(seen: Sequence[Seen]) -> Table:
    title = "Differences, the worst and the most lasting first: rank. points"
    listed = differences(title, Column("seen", max_width=12))
    for one in seen:
        latest = one.latest
        when = f"{one.times:,} times, {_clock(one.last)}" if one.times > 1 else _clock(one.last)
        listed.add_row(
            judged(latest.judgement),
            f"{latest.employee_id}, {latest.board}",
            *(told(PLACE, place) for place in (latest.legacy, latest.truth, latest.pipeline)),
            when,
            latest.why,
        )
    return listed


def _clock(at: str) -> str:
    return at[5:16].replace("T", " ")
