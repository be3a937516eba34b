"""A diff: read both sides once, join them, and give a reason for every difference. It writes nothing.

boards, then aggregates, then events     so whatever is counted anywhere is among the events
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from migration.compare.boards.diffs import BoardDiffs
from migration.compare.both_sides import Part
from migration.compare.diff.program_reasons import EmployeeSums, explain_program
from migration.compare.diff.report import DiffReport, JudgedRow
from migration.compare.diff.row_reasons import explain_employee
from migration.compare.diff.two_sides import GLOBAL, StoredBoard, reading_at
from migration.compare.reading import read
from migration.compare.store import Begun
from migration.model.errors import UsageError
from migration.model.fold import TOTAL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from migration.compare.both_sides import BothSides
    from migration.compare.diff.two_sides import Reading
    from migration.compare.ledger.suspects import Suspects
    from migration.compare.store import LinedUp, SideStore
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
    """

    stack: str
    board: str
    depths: Sequence[int]
    persistence: float
    suspects: Suspects = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BoardsRead:
    """Both sides' boards, and what was on its way when they were read; the tables are read after them."""

    pairs: Sequence[tuple[StoredBoard, StoredBoard]]
    reading: Reading


def diff(
    question: Question,
    sides: BothSides,
    store: SideStore,
    clock: Clock,
    on_read: Callable[[Part, int, int], None] = lambda _part, _more, _about: None,
) -> DiffReport:
    """Read both sides, and compare them and the truth.

    Raises:
        UsageError: when neither side has the board.
    """
    boards = read_boards(question.board, sides, clock)
    store.begin(Begun(boards.reading.began_at))
    read(sides, store, Part, on_read)
    store.fold()
    return explain(question, boards, store.line_up())


def read_boards(asked: str, sides: BothSides, clock: Clock) -> BoardsRead:
    """Read what is asked for: `global`, `program#P`, or `all`.

    Raises:
        UsageError: when neither side has the board.
    """
    began = datetime.fromtimestamp(clock.now(), UTC)
    legacy, pipeline = sides.legacy_boards(), sides.pipeline_boards(None if asked == ALL else asked)
    pairs = _boards(asked, list(legacy), list(pipeline))
    return BoardsRead(pairs, reading_at(began, sides.newest_folded_at(), sides.queued()))


def explain(question: Question, boards: BoardsRead, lined_up: LinedUp) -> DiffReport:
    """Compare the boards and all that was read after them."""
    reading, suspects = boards.reading, question.suspects
    board_diffs = BoardDiffs(lined_up, reading, question.depths, question.persistence, suspects)
    return DiffReport(
        question.stack,
        reading,
        lined_up.read(),
        question.persistence,
        [board_diffs.diff(*pair) for pair in boards.pairs],
        lined_up.counts(),
        _rows(lined_up, reading, suspects),
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


def _rows(join: LinedUp, reading: Reading, suspects: Suspects) -> list[JudgedRow]:
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
