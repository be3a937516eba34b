"""A diff as tables: the boards, the aggregates, then the worst differences, each with its reason."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, TypeVar

from rich.table import Column
from rich.text import Text

from migration.cli.console import data
from migration.cli.views import number, table, told, whole
from migration.compare.boards.windows import EntryChange, count_changes
from migration.compare.reasons import Judgement
from migration.model.cause import Cause
from migration.model.fold import TOTAL
from migration.model.wording import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rich.table import Table

    from migration.compare.diff.report import BoardDiff, DiffReport, JudgedLine, JudgedRow
    from migration.compare.reasons import Reason
    from migration.model.fold import Fold, Row

T = TypeVar("T")
SHOWN: Final = 20  # differences that fail a diff, of boards and of aggregates
EXAMPLES: Final = 5  # where none fails
EVENTS: Final = 2  # that a reason lists
PLACE: Final = "{0.rank:,}. {0.points:,}"  # on a board
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
    return Text(words(judgement), STYLES[judgement])


def differences(title: str, *more: Column) -> Table:
    """Make the table of what each side has: judgement, of whom, the three sides, more, and why."""
    sides = map(number, ("legacy", "truth", "pipeline"))
    of, why = Column("of", overflow="fold", max_width=24), Column("why", overflow="fold", min_width=24)
    return table(whole("judgement"), of, *sides, *more, why, title=title)


def page_has(left: int) -> str:
    """Say how many were left out, if any, and that a page has them."""
    return f"and {left:,} more; --html FILE writes a page with all of them\n" if left else ""


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
    return shown, page_has(len(ordered) - len(shown))


def _causes(found: Iterable[JudgedLine | JudgedRow]) -> Table:
    causes = table(whole("judgement"), "cause", number("differences"), title="Causes")
    counts = Counter(
        kind for one in found for kind in {(reason.judgement, reason.cause) for reason in one.reasons}
    )
    for (judgement, cause), count in sorted(counts.items(), key=lambda one: (_place_of(one[0][0]), -one[1])):
        causes.add_row(judged(judgement), cause.text, f"{count:,}")
    return causes


def _place_of(judgement: Judgement) -> int:
    return -list(Judgement).index(judgement)


def _boards(boards: Sequence[BoardDiff]) -> Table:
    depths = list(boards[0].agreements["legacy, pipeline"].overlap) if boards else []
    numbers = map(number, ("same", "differ", *(f"top {depth}" for depth in depths), "RBO", "tau-b"))
    listed = table(Column("board", overflow="fold"), whole("judgement"), *numbers, title="Boards")
    for board in boards:
        agreement = board.agreements["legacy, pipeline"]
        same = count_changes([one.line for one in board.lines])[EntryChange.SAME]
        listed.add_row(
            board.board,
            judged(board.judgement),
            f"{same:,}",
            f"{len(board.lines) - same:,}",
            *(f"{share:.0%}" for share in agreement.overlap.values()),
            f"{agreement.rank_biased:.3f}",
            told("{:.3f}", agreement.tau),
        )
    return listed


def _levels(report: DiffReport) -> Table:
    levels = table("", number("compared"), number("differ"), title="Aggregates")
    for level in report.levels:
        style = "yellow" if level.differing else ""
        levels.add_row(level.name, f"{level.rows:,}", Text(f"{level.differing:,}", style))
    return levels


def _lines(lines: Sequence[tuple[str, JudgedLine]]) -> Table:
    listed = differences("Differences on boards: rank. points")
    for board, one in lines:
        line = one.line
        places = (told(PLACE, entry) for entry in (line.legacy, line.truth, line.pipeline))
        listed.add_row(judged(one.judgement), f"{line.employee_id}, {board}", *places, _why(one.reasons))
    return listed


def _rows(rows: Sequence[JudgedRow]) -> Table:
    listed = differences("Differences of aggregates: points / events")
    for one in rows:
        sums = one.sums
        folds = (_fold(fold) for fold in (sums.legacy, sums.truth, sums.pipeline))
        listed.add_row(judged(one.judgement), _row(sums.row), *folds, _why(one.reasons))
    return listed


def _row(row: Row) -> str:
    """Name an aggregate."""
    if row.employee_id is None:
        return f"program {row.program_id}"
    return f"{row.employee_id}, {'in total' if row.program_id == TOTAL else row.program_id}"


def _fold(fold: Fold) -> str:
    return f"{fold.points:,} / {fold.events:,}"


def _why(reasons: Iterable[Reason]) -> str:
    return "; ".join(one.said(EVENTS) for one in reasons)
