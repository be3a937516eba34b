"""A comparison: boards first, then everybody who is on one, so its cost is bounded by the boards' size.

    boards ─► who is on them ─► their aggregates, then their events ─► truth, reasons (boards/diffs.py)

The truth ranks those who are on either board. Whoever is on neither, although the truth would put them
there, is found by `cutover diff`, which reads everybody. It writes nothing; the caller records.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from migration.compare.boards.agreement import PERSISTENCE
from migration.compare.boards.diffs import BoardDiffs
from migration.compare.boards.windows import rank_truth
from migration.compare.diff.two_sides import GLOBAL, PROGRAM_BOARD, ranked_program, reading_at
from migration.compare.shadow.comparison import (
    TOP,
    Comparison,
    Effort,
    SideState,
    age_s,
    compared_board,
    listed_differences,
)
from migration.compare.shadow.one_employee import line_up
from migration.model.fold import Row
from migration.model.side import Side

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from migration.compare.boards.boards import BoardEntry
    from migration.compare.diff.two_sides import Sighting, StoredBoard, Sums
    from migration.compare.shadow.sides import ComparedSides, Serving
    from migration.model.clock import Clock
    from migration.model.stages import Control

PROGRAMS: Final = 3
DEPTH: Final = 100  # entries of a board that are compared

Pair = tuple["StoredBoard", "StoredBoard"]
Lined = tuple[list["Sums"], list["Sighting"]]


def compare(
    control: Control, board_size: int, sides: ComparedSides, serving: Serving, clock: Clock
) -> Comparison:
    """Compare both sides' global boards, and those of the biggest programs.

    Args:
        control: the migration's stage and epoch, to be recorded.
        board_size: entries that a board has at most; a full one may hide others.
        sides: what is read.
        serving: what is timed.
        clock: what it all is timed by.
    """
    started, units = clock.elapsed(), sides.read_units()
    began = datetime.fromtimestamp(clock.now(), UTC)
    depth = min(board_size, DEPTH)
    names = (GLOBAL, *(f"{PROGRAM_BOARD}{name}" for name in sides.biggest_programs(PROGRAMS)))
    pairs = [sides.boards(name) for name in names]
    reading = reading_at(began, sides.newest_folded_at(), sides.queued())
    join = EmployeeJoin.of([(_top(left, depth), _top(right, depth)) for left, right in pairs], depth, sides)
    diffs = BoardDiffs(join, reading, (TOP,), PERSISTENCE, {})
    found = [diffs.diff(*pair) for pair in join.boards.values()]
    states = {
        side: SideState(age_s(stored.made_at, began), serving.latency_ms(side))
        for side, stored in zip((Side.LEGACY, Side.PIPELINE), pairs[0], strict=True)
    }
    return Comparison(
        reading.began_at,
        control.stage,
        control.epoch,
        states[Side.LEGACY],
        states[Side.PIPELINE],
        age_s(sides.newest_folded_at(), datetime.fromtimestamp(clock.now(), UTC)),
        reading.queued,
        tuple(compared_board(one) for one in found),
        tuple(listed_differences(found)),
        Effort(len(join.employees), sides.read_units() - units, round((clock.elapsed() - started) * 1000, 1)),
    )


def _top(board: StoredBoard, depth: int) -> StoredBoard:
    return replace(board, entries=board.entries[:depth])


@dataclass(frozen=True, slots=True)
class EmployeeJoin:
    """Everybody on some boards, lined up in memory.

    Attributes:
        boards: legacy's and the pipeline's, by name.
        depth: entries that a board has at most.
        employees: aggregates and activities, by id.
    """

    boards: Mapping[str, Pair]
    depth: int
    employees: Mapping[str, Lined]

    @classmethod
    def of(cls, pairs: Sequence[Pair], depth: int, sides: ComparedSides) -> EmployeeJoin:
        """Read everybody who is on either board of a pair."""
        names = {entry.employee_id for pair in pairs for board in pair for entry in board.entries}
        read = {one.employee_id: line_up(one) for one in sides.employees(names)}
        return cls({left.board: (left, right) for left, right in pairs}, depth, read)

    def populations(self, board: str) -> tuple[int, int]:
        """Count those on each board; a full one may hide at least one more."""
        legacy, pipeline = (len(one.entries) + (len(one.entries) >= self.depth) for one in self.boards[board])
        return legacy, pipeline

    def true_places(self, board: str, depth: int, names: Collection[str]) -> dict[str, BoardEntry]:
        """Rank the truth among those who were read; equals share a rank."""
        program = ranked_program(board)
        points = {
            name: sums.truth.points
            for name, (rows, _) in self.employees.items()
            for sums in rows
            if sums.row == Row(name, program) and sums.truth.events
        }
        return {
            entry.employee_id: entry
            for entry in rank_truth(points)
            if entry.rank <= depth or entry.employee_id in names
        }

    def these_employees(self, names: Collection[str]) -> Iterator[Lined]:
        """Give all rows and activities of some employees; of one without any, nothing."""
        return (self.employees[name] for name in sorted(names) if self.employees[name][0])
