"""Two windows of one leaderboard, entry by entry: what became of everybody who is on either.

Rank-aware: equals share a rank, so their order alone moves nobody, and who is cut off among equals at the
window's edge neither entered nor left. It judges places only; why they differ is compare/boards/reasons.py.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from migration.compare.boards.boards import BoardEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class EntryChange(StrEnum):
    """What became of an entry between legacy's board and the pipeline's; every entry has exactly one."""

    SAME = "same"
    MOVED = "moved"  # another rank, whatever the points
    ENTERED = "entered"  # on the pipeline's board only
    LEFT = "left"  # on legacy's board only
    SCORE_DIFFERS = "score_differs"  # the same rank with other points
    TIE_PERMUTED = "tie_permuted"  # the same rank and points, another order among equals
    WINDOW_EDGE = "window_edge"  # cut off one board among equals at its edge


@dataclass(frozen=True, slots=True)
class BoardWindow:
    """The top of a board, best first; `cut` when there are more employees below it."""

    entries: tuple[BoardEntry, ...]
    cut: bool = False

    @property
    def ranks(self) -> dict[str, int]:
        """Rank by id."""
        return {entry.employee_id: entry.rank for entry in self.entries}

    @property
    def edge(self) -> int | None:
        """Points that whoever is not on it has at most; None when everybody is on it."""
        return self.entries[-1].points if self.cut and self.entries else None


@dataclass(frozen=True, slots=True)
class PairedLine:
    """An employee on either board, and where the truth puts them; None where a board does not show them."""

    employee_id: str
    change: EntryChange
    legacy: BoardEntry | None
    pipeline: BoardEntry | None
    truth: BoardEntry | None


def draw(name: str) -> int:
    """Give the order among equals, higher first: the first 9 hexadecimal digits of the id's SHA-256."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:9], 16)


def rank_truth(points: Mapping[str, int]) -> list[BoardEntry]:
    """Rank employees by points as docs/contracts.md says: equals share a rank, and stand in drawn order."""
    order = sorted(points, key=lambda name: (-points[name], -draw(name), name))
    return by_points(BoardEntry(0, name, points[name]) for name in order)


def by_points(entries: Iterable[BoardEntry]) -> list[BoardEntry]:
    """Number entries by their points (1, 2, 2, 4), whichever way their board numbers equals.

    A board that is not in the order of its points keeps its own numbers: then its ranks are the difference.
    """
    listed = list(entries)
    if any(upper.points < lower.points for upper, lower in pairwise(listed)):
        return listed
    numbered: list[BoardEntry] = []
    for position, entry in enumerate(listed, start=1):
        tied = numbered and numbered[-1].points == entry.points
        numbered.append(replace(entry, rank=numbered[-1].rank if tied else position))
    return numbered


def comparable(one: BoardWindow, other: BoardWindow) -> tuple[BoardWindow, BoardWindow]:
    """Number two windows alike, and cut both to the shorter that is cut; what is below cannot be compared."""
    depth = min((len(window.entries) for window in (one, other) if window.cut), default=None)
    return _as_deep(one, depth), _as_deep(other, depth)


def _as_deep(window: BoardWindow, depth: int | None) -> BoardWindow:
    entries = tuple(by_points(window.entries))
    return BoardWindow(entries[:depth], window.cut or (depth is not None and len(entries) > depth))


def pair(legacy: BoardWindow, pipeline: BoardWindow, truth: Mapping[str, BoardEntry]) -> list[PairedLine]:
    """Pair two comparable windows: in the pipeline's order, then who is on legacy's only.

    Args:
        legacy: as `comparable` gives it.
        pipeline: likewise.
        truth: the true place of everybody, by id.
    """
    left = {entry.employee_id: entry for entry in legacy.entries}
    right = {entry.employee_id: entry for entry in pipeline.entries}
    permuted = _permuted(left, right)
    return [
        PairedLine(
            name,
            EntryChange.TIE_PERMUTED
            if name in permuted
            else _change(left.get(name), right.get(name), legacy, pipeline),
            left.get(name),
            right.get(name),
            truth.get(name),
        )
        for name in dict.fromkeys((*right, *left))
    ]


def _change(
    left: BoardEntry | None, right: BoardEntry | None, legacy: BoardWindow, pipeline: BoardWindow
) -> EntryChange:
    if left and right:
        if left.rank != right.rank:
            return EntryChange.MOVED
        return EntryChange.SAME if left.points == right.points else EntryChange.SCORE_DIFFERS
    if right:
        return EntryChange.WINDOW_EDGE if right.points == legacy.edge else EntryChange.ENTERED
    return EntryChange.WINDOW_EDGE if left and left.points == pipeline.edge else EntryChange.LEFT


def _permuted(left: Mapping[str, BoardEntry], right: Mapping[str, BoardEntry]) -> set[str]:
    """Find who stands in another order among those that are equal to them on both boards."""
    groups: dict[tuple[int, int], list[str]] = {}
    for name, entry in left.items():
        if name in right and (right[name].rank, right[name].points) == (entry.rank, entry.points):
            groups.setdefault((entry.rank, entry.points), []).append(name)
    position = {name: index for index, name in enumerate(right)}
    return {
        name
        for names in groups.values()
        for name, other in zip(names, sorted(names, key=position.__getitem__), strict=True)
        if name != other
    }


def count_changes(lines: Sequence[PairedLine]) -> dict[EntryChange, int]:
    """Count entries by what became of them; every change is listed."""
    return {change: sum(line.change is change for line in lines) for change in EntryChange}
