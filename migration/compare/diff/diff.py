"""A diff: read both sides once, join them, and give a reason for every difference. It writes nothing.

boards, then aggregates, then events     so whatever is counted anywhere is among the events
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from migration.compare.boards.diffs import BoardDiffs
from migration.compare.diff.program_reasons import EmployeeSums, explain_program
from migration.compare.diff.report import DiffReport, JudgedRow
from migration.compare.diff.row_reasons import explain_employee
from migration.compare.diff.side_join import SideJoin, joined_sides
from migration.compare.diff.spool import MEMORY_LIMIT
from migration.compare.diff.two_sides import GLOBAL, StoredBoard, reading_at
from migration.model.errors import UsageError
from migration.model.fold import TOTAL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from migration.compare.diff.both_sides import BothSides
    from migration.compare.diff.two_sides import Reading
    from migration.compare.ledger.suspects import Suspects
    from migration.model.clock import Clock

ALL: Final = "all"
BOARDS_NAMED: Final = 10


@dataclass(frozen=True, slots=True)
class Question:
    """What a diff is asked.

    Attributes:
        stack: its name.
        board: `global`, `program#P`, or `all`.
        depths: at which the overlap is told.
        persistence: of rank-biased overlap.
        suspects: what an acknowledgement ledger says that legacy miscounted.
        memory_limit: of the join; what does not fit goes to disk.
    """

    stack: str
    board: str
    depths: Sequence[int]
    persistence: float
    suspects: Suspects = field(default_factory=dict)
    memory_limit: str = MEMORY_LIMIT


def diff(
    question: Question,
    sides: BothSides,
    clock: Clock,
    on_loaded: Callable[[str, int], None] = lambda _what, _rows: None,
) -> DiffReport:
    """Compare both sides and the truth.

    Raises:
        UsageError: when neither side has the board.
    """
    began = datetime.fromtimestamp(clock.now(), UTC)
    boards = _boards(question.board, list(sides.legacy_boards()), list(sides.pipeline_boards()))
    reading = reading_at(began, sides.newest_folded_at(), sides.queued())
    read: dict[str, int] = {}

    def count(what: str, rows: int) -> None:
        read[what] = rows
        on_loaded(what, rows)

    with joined_sides(question.memory_limit) as join:
        join.load(sides, count)
        board_diffs = BoardDiffs(join, reading, question.depths, question.persistence, question.suspects)
        return DiffReport(
            question.stack,
            reading,
            read,
            question.persistence,
            [board_diffs.diff(*pair) for pair in boards],
            join.counts(),
            _rows(join, reading, question.suspects),
        )


def _boards(
    asked: str, legacy: Sequence[StoredBoard], pipeline: Sequence[StoredBoard]
) -> list[tuple[StoredBoard, StoredBoard]]:
    left, right = ({board.board: board for board in boards} for boards in (legacy, pipeline))
    names = sorted({GLOBAL, *left, *right}, key=lambda name: (name != GLOBAL, name))
    if asked != ALL:
        if asked not in names:
            raise UsageError(
                f"neither side has a board {asked!r}",
                hint=f"the first boards are {', '.join(names[:BOARDS_NAMED])}",
                next_command="cutover diff --board all",
            )
        names = [asked]
    return [(left.get(name, StoredBoard(name)), right.get(name, StoredBoard(name))) for name in names]


def _rows(join: SideJoin, reading: Reading, suspects: Suspects) -> list[JudgedRow]:
    """Explain employees' rows first; what they say is taken off the programs' rows."""
    judged: list[JudgedRow] = []
    parts: dict[str, EmployeeSums] = {}
    for rows, sightings in join.differing_employees():
        explained = explain_employee(rows, sightings, reading, suspects)
        for sums in rows:
            links = explained[sums.row]
            judged.append(JudgedRow(sums, links.reasons))
            if sums.row.program_id != TOTAL:
                parts.setdefault(sums.row.program_id, EmployeeSums()).add(sums, links)
    for sums in join.differing_programs():
        program = sums.row.program_id
        events = join.program(program, reading.young_since)
        links = explain_program(
            sums, parts.get(program, EmployeeSums()), events, reading, suspects.get(sums.row, {})
        )
        judged.append(JudgedRow(sums, links.reasons))
    return judged
