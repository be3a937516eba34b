"""Why somebody stands elsewhere on the other board: own points that differ, or others' points.

board -- total of the same side          a board is older than the totals it was made from
total -- total of the other side         compare/diff/row_reasons.py
the same points, another rank            the others' points, and what was found about those others
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Final

from migration.compare.boards.windows import EntryChange
from migration.compare.reasons import Judgement, Reason, because, worst
from migration.model.cause import Cause
from migration.model.side import Side

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from migration.compare.boards.windows import BoardWindow, PairedLine

OTHERS_NAMED: Final = 3
RECENT_TRIED: Final = 30


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event that counts for somebody's points: `at` is when it came, UTC text with milliseconds."""

    event_id: str
    points: int
    at: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What a board says of one employee, beside the total it was made from.

    Attributes:
        side: whose board.
        points: on the board; None when it does not show them.
        edge: points that whoever the board does not show has at most; None when it shows everybody.
        total: as the side's aggregates had it, read after the board.
        arrivals: the events behind the total that came after the board was made, or shortly before.
        again: points of what the total counts again; that can have come after the board, too.
    """

    side: Side
    points: int | None
    edge: int | None
    total: int
    arrivals: tuple[Arrival, ...]
    again: int = 0


def board_reasons(shown: Shown) -> list[Reason]:
    """Explain a board that is behind its side's totals, by the events that came after it."""
    cause = Cause.LEGACY_STALE_BOARD if shown.side is Side.LEGACY else Cause.OLDER_SNAPSHOT
    absent = shown.points is None
    at_most = (shown.edge or 0) if shown.points is None else shown.points
    behind = shown.total - at_most
    if behind == 0 or (absent and behind < 0):
        return []
    for again in dict.fromkeys((0, shown.again)):
        chosen = _came_since(shown.arrivals, behind - again, absent=absent)
        if chosen is not None:
            note = "and what was counted again since" if again else ""
            points = -sum(one.points for one in chosen) - again
            return [replace(because(cause, shown.side, points, _ids(chosen)), note=note)]
    if 0 < behind <= sum(one.points for one in shown.arrivals) + shown.again:
        return [because(cause, shown.side, -behind, _ids(shown.arrivals), needed=1)]
    note = f"its board shows {at_most:,}{' at most' * absent}, its totals {shown.total:,}"
    return [Reason(Cause.UNEXPLAINED, shown.side, -behind, note=note)]


def displaced(
    line: PairedLine, legacy: BoardWindow, pipeline: BoardWindow, own: Mapping[str, Sequence[Reason]]
) -> list[Reason]:
    """Explain another rank by those who are above somebody on one board and not on the other.

    Others count when their own points differ: whoever only passes somebody whose points differ does not.

    Args:
        line: an employee who is not the same on both boards.
        legacy: legacy's board.
        pipeline: the pipeline's.
        own: by employee, why their own points differ.
    """
    if line.change is EntryChange.TIE_PERMUTED:
        return [Reason(Cause.ORDER_AMONG_EQUALS, None)]
    others = sorted(_above(line.employee_id, legacy) ^ _above(line.employee_id, pipeline))
    if line.change is EntryChange.WINDOW_EDGE and not any(own.get(name) for name in others):
        return [Reason(Cause.ORDER_AMONG_EQUALS, None, note="cut off among equals at the edge")]
    movers = [name for name in others if own.get(name)]
    if not movers:
        same_points = line.legacy and line.pipeline and line.legacy.points == line.pipeline.points
        if own.get(line.employee_id) and not same_points:
            return []
        return [Reason(Cause.UNEXPLAINED, None, note="another rank, although nobody's points differ")]
    more = len(movers) - OTHERS_NAMED
    note = ", ".join(movers[:OTHERS_NAMED]) + (f" and {more:,} more" if more > 0 else "")
    inherited = worst(one.judgement for name in movers for one in own[name])
    return [replace(Reason(Cause.MOVED_BY_OTHERS, None, note=note), inherited=inherited)]


def judgement_of(line: PairedLine, reasons: Iterable[Reason]) -> Judgement:
    """Judge a line by the worst of its reasons; without any, a difference is unexplained."""
    if line.change is EntryChange.SAME:
        return Judgement.SAME
    found = worst(one.judgement for one in reasons)
    return Judgement.UNEXPLAINED if found is Judgement.SAME else found


def _above(name: str, window: BoardWindow) -> set[str]:
    """Give those above somebody; all of a board that does not show them."""
    rank = window.ranks.get(name)
    return {one.employee_id for one in window.entries if rank is None or one.rank < rank}


def _came_since(arrivals: Sequence[Arrival], behind: int, *, absent: bool) -> Sequence[Arrival] | None:
    """Find the events that a board is behind by: the newest, else a few of any age; None when none fit."""
    if behind == 0 or (absent and behind < 0):
        return ()
    return _newest(arrivals, behind, absent=absent) or _few(arrivals, behind) or None


def _newest(arrivals: Sequence[Arrival], behind: int, *, absent: bool) -> list[Arrival]:
    """Take the newest events until they make up for what is missing; exactly, if the board shows points."""
    chosen: list[Arrival] = []
    for one in sorted(arrivals, key=lambda one: one.at, reverse=True):
        chosen.append(one)
        behind -= one.points
        if behind <= 0:
            return chosen if behind == 0 or absent else []
    return []


def _few(arrivals: Sequence[Arrival], behind: int) -> list[Arrival]:
    """Try up to three, in any order: a scan is no point in time, and legacy may have counted one twice."""
    recent = arrivals if len(arrivals) <= RECENT_TRIED else ()
    for size in (1, 2, 3):
        for chosen in combinations_with_replacement(recent, size):
            if sum(one.points for one in chosen) == behind:
                return list(chosen)
    return []


def _ids(arrivals: Iterable[Arrival]) -> list[str]:
    return list(dict.fromkeys(one.event_id for one in arrivals))
