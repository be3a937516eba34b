"""A diff as tables: the boards, the aggregates, then the worst differences, each with its reason."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, TypeVar

from rich import box
from rich.table import Table
from rich.text import Text

from migration.cli.console import data
from migration.compare.boards.windows import EntryChange, count_changes
from migration.compare.reasons import Judgement
from migration.model.cause import Cause
from migration.model.fold import TOTAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from migration.compare.boards.boards import BoardEntry
    from migration.compare.diff.report import BoardDiff, DiffReport, JudgedLine, JudgedRow
    from migration.compare.reasons import Reason
    from migration.model.fold import Fold, Row

T = TypeVar("T")
SHOWN: Final = 20  # differences that fail a diff, of boards and of aggregates
EXAMPLES: Final = 5  # where none fails
EVENTS: Final = 2  # that a reason lists
STYLES: Final = {
    Judgement.SAME: "green",
    Judgement.EXPLAINED: "cyan",
    Judgement.TO_REPAIR: "yellow",
    Judgement.UNEXPLAINED: "bold red",
}


def show_diff(report: DiffReport) -> None:
    """Print a report for people: all of it in sums, of the differences the worst."""
    data.print(_boards(report.boards))
    data.print(_levels(report))
    lines = [(board.board, line) for board in report.boards for line in board.lines]
    different = [(board, line) for board, line in lines if line.judgement is not Judgement.SAME]
    if different or report.rows:
        data.print(_causes([*(line for _, line in different), *report.rows]))
    if different:
        worst, rest = _worst(different, lambda one: one[1])
        data.print(_lines(worst), rest)
    if report.rows:
        rows, rest = _worst(report.rows, lambda one: one)
        data.print(_rows(rows), rest)


def judged(judgement: Judgement) -> Text:
    """Write a judgement in its colour."""
    return Text(judgement.replace("_", " "), STYLES[judgement])


def _order(one: JudgedLine | JudgedRow) -> tuple[int, bool]:
    """Sort the worst first; whoever is only moved by others comes after those others."""
    own = any(
        reason.judgement is one.judgement and reason.cause is not Cause.MOVED_BY_OTHERS
        for reason in one.reasons
    )
    return _place_of(one.judgement), not own


def _worst(found: Sequence[T], judged: Callable[[T], JudgedLine | JudgedRow]) -> tuple[Sequence[T], str]:
    """Choose what is shown: what fails the diff, or a few examples; and say what is left out."""
    ordered = sorted(found, key=lambda one: _order(judged(one)))
    failing = [one for one in ordered if judged(one).judgement.fails]
    shown = failing[:SHOWN] or ordered[:EXAMPLES]
    left = len(ordered) - len(shown)
    return shown, f"and {left:,} more; --html FILE writes a page with all of them\n" if left else ""


def _causes(found: Iterable[JudgedLine | JudgedRow]) -> Table:
    table = _table("Causes")
    table.add_column("judgement", no_wrap=True)
    table.add_column("cause")
    table.add_column("differences", justify="right")
    counts = Counter(
        kind for one in found for kind in {(reason.judgement, reason.cause) for reason in one.reasons}
    )
    for (judgement, cause), count in sorted(counts.items(), key=lambda one: (_place_of(one[0][0]), -one[1])):
        table.add_row(judged(judgement), cause.text, f"{count:,}")
    return table


def _place_of(judgement: Judgement) -> int:
    return -list(Judgement).index(judgement)


def _boards(boards: Sequence[BoardDiff]) -> Table:
    table = _table("Boards")
    table.add_column("board", overflow="fold")
    table.add_column("judgement", no_wrap=True)
    depths = list(boards[0].agreements["legacy, pipeline"].overlap) if boards else []
    for name in ("same", "differ", *(f"top {depth}" for depth in depths), "RBO", "tau-b"):
        table.add_column(name, justify="right", no_wrap=True)
    for board in boards:
        agreement = board.agreements["legacy, pipeline"]
        same = count_changes([one.line for one in board.lines])[EntryChange.SAME]
        table.add_row(
            Text(board.board),
            judged(board.judgement),
            f"{same:,}",
            f"{len(board.lines) - same:,}",
            *(f"{share:.0%}" for share in agreement.overlap.values()),
            f"{agreement.rank_biased:.3f}",
            "-" if agreement.tau is None else f"{agreement.tau:.3f}",
        )
    return table


def _levels(report: DiffReport) -> Table:
    table = _table("Aggregates")
    for name in ("", "compared", "differ"):
        table.add_column(name, justify="right" if name else "left")
    for level in report.levels:
        style = "yellow" if level.differing else ""
        table.add_row(level.name, f"{level.rows:,}", Text(f"{level.differing:,}", style))
    return table


def _lines(lines: Sequence[tuple[str, JudgedLine]]) -> Table:
    table = _differences("Differences on boards: rank. points")
    for board, one in lines:
        line = one.line
        places = (_place(entry) for entry in (line.legacy, line.truth, line.pipeline))
        who = Text(f"{line.employee_id}, {board}")
        table.add_row(judged(one.judgement), who, *places, _why(one.reasons))
    return table


def _rows(rows: Sequence[JudgedRow]) -> Table:
    table = _differences("Differences of aggregates: points / events")
    for one in rows:
        sums = one.sums
        folds = (_fold(fold) for fold in (sums.legacy, sums.truth, sums.pipeline))
        table.add_row(judged(one.judgement), _row(sums.row), *folds, _why(one.reasons))
    return table


def _row(row: Row) -> Text:
    """Name an aggregate."""
    if row.employee_id is None:
        return Text(f"program {row.program_id}")
    return Text(f"{row.employee_id}, {'in total' if row.program_id == TOTAL else row.program_id}")


def _differences(title: str) -> Table:
    table = _table(title)
    table.add_column("judgement", no_wrap=True)
    table.add_column("of", overflow="fold", max_width=24)
    for side in ("legacy", "truth", "pipeline"):
        table.add_column(side, justify="right", no_wrap=True)
    table.add_column("why", overflow="fold", min_width=24)
    return table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)


def _place(entry: BoardEntry | None) -> str:
    return "-" if entry is None else f"{entry.rank:,}. {entry.points:,}"


def _fold(fold: Fold) -> str:
    return f"{fold.points:,} / {fold.events:,}"


def _why(reasons: Iterable[Reason]) -> Text:
    """Write reasons as text, never as markup: they hold ids that clients chose."""
    return Text("; ".join(one.said(EVENTS) for one in reasons))
