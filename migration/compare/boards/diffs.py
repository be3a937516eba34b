"""One board after the other: both sides' windows, the true places, and why each line differs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from migration.compare.boards.reasons import Arrival, Shown, board_reasons, displaced, judgement_of
from migration.compare.boards.windows import BoardWindow, EntryChange, comparable, pair, rank_truth
from migration.compare.diff.report import BoardDiff, JudgedLine, agree
from migration.compare.diff.row_reasons import belongs, explain_employee
from migration.compare.diff.two_sides import Sums, ranked_program
from migration.model.fold import Row
from migration.model.side import Side
from pipeline.domain.activity import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from migration.compare.boards.boards import BoardEntry
    from migration.compare.boards.windows import PairedLine
    from migration.compare.diff.two_sides import Reading, Sighting, StoredBoard
    from migration.compare.ledger.suspects import Suspects
    from migration.compare.reasons import Reason
    from migration.compare.store import Join

SLACK: Final = timedelta(
    minutes=10
)  # a board is made from scans, which take their time and are no point in time


@dataclass(frozen=True, slots=True)
class BoardDiffs:
    """What comparing a board takes.

    Attributes:
        join: both sides' aggregates and events.
        reading: when they were read.
        depths: at which the overlap is told.
        persistence: of rank-biased overlap.
        suspects: what an acknowledgement ledger says that legacy miscounted.
    """

    join: Join
    reading: Reading
    depths: Sequence[int]
    persistence: float
    suspects: Suspects

    def diff(self, legacy: StoredBoard, pipeline: StoredBoard) -> BoardDiff:
        """Compare a board."""
        in_legacy, in_pipeline = self.join.populations(legacy.board)
        left, right = comparable(_window(legacy, in_legacy), _window(pipeline, in_pipeline))
        depth = max(len(left.entries), len(right.entries))
        names = {entry.employee_id for window in (left, right) for entry in window.entries}
        places = self.join.true_places(legacy.board, depth, names)
        # Everybody above the depth is among the places, so ranking these alone numbers them as all would be.
        best = {name: entry.points for name, entry in places.items() if entry.rank <= depth}
        truth = BoardWindow(tuple(rank_truth(best)[:depth]))
        pairs = {
            "legacy, pipeline": (left, right),
            "legacy, truth": (left, truth),
            "pipeline, truth": (right, truth),
        }
        lines = pair(left, right, places)
        return BoardDiff(
            legacy.board,
            legacy.made_at,
            pipeline.made_at,
            (len(left.entries), len(right.entries)),
            {name: agree(one, other, self.depths, self.persistence) for name, (one, other) in pairs.items()},
            self._judged(
                lines, Published(Side.LEGACY, legacy, left), Published(Side.PIPELINE, pipeline, right)
            ),
        )

    def _judged(
        self, lines: Sequence[PairedLine], legacy: Published, pipeline: Published
    ) -> list[JudgedLine]:
        elsewhere = {line.employee_id: line for line in lines if line.change is not EntryChange.SAME}
        own = self._own(elsewhere, legacy, pipeline)
        judged = []
        for line in lines:
            reasons = own.get(line.employee_id, [])
            if line.change not in (EntryChange.SAME, EntryChange.SCORE_DIFFERS):
                reasons = [*reasons, *displaced(line, legacy.window, pipeline.window, own)]
            judged.append(JudgedLine(line, reasons, judgement_of(line, reasons)))
        return judged

    def _own(
        self, lines: Mapping[str, PairedLine], legacy: Published, pipeline: Published
    ) -> dict[str, list[Reason]]:
        """Explain, for each employee, why their own points differ between the boards, or from the truth."""
        own = {}
        for rows, sightings in self.join.these_employees(lines):
            row = Row(rows[0].row.employee_id, legacy.program_id)
            sums = next((one for one in rows if one.row == row), Sums(row))
            differing = [one for one in rows if one.differs]
            explained = explain_employee(differing, sightings, self.reading, self.suspects)
            reasons = explained[row].reasons if row in explained else []
            line = lines[row.employee_id or ""]
            own[line.employee_id] = [
                *reasons,
                *legacy.behind(line.legacy, sums, sightings, reasons),
                *pipeline.behind(line.pipeline, sums, sightings, reasons),
            ]
        return own


@dataclass(frozen=True, slots=True)
class Published:
    """One side's board as it is stored, and the window of it that is compared."""

    side: Side
    stored: StoredBoard
    window: BoardWindow

    @property
    def program_id(self) -> str:
        """The program, or all of them, whose points it ranks."""
        return ranked_program(self.stored.board)

    def behind(
        self, entry: BoardEntry | None, sums: Sums, sightings: Iterable[Sighting], reasons: Iterable[Reason]
    ) -> list[Reason]:
        """Explain how far it is behind its side's total for one employee, of which `reasons` are known."""
        legacy = self.side is Side.LEGACY
        own = [one for one in reasons if one.side is self.side]
        # What the total leaves out cannot be what the board is behind by; what it counts again can.
        uncounted = {event for one in own if one.points < 0 and one.certain for event in one.events}
        again = sum(max(one.points, 0) for one in own)
        since = self._since()
        arrivals = tuple(
            Arrival(one.identity.event_id, stored.points, stored.at)
            for one in sightings
            if (stored := one.legacy if legacy else one.fact) is not None and belongs(stored, sums.row)
            # History counts once it is installed, whenever it came; of what has no time, any may be new.
            if (stored.at > since or not stored.at or one.lane == "history")
            and one.identity.event_id not in uncounted
        )
        total = sums.legacy.points if legacy else sums.pipeline.points
        points = None if entry is None else entry.points
        return board_reasons(Shown(self.side, points, self.window.edge, total, arrivals, again))

    def _since(self) -> str:
        made_at = self.stored.made_at
        return format_time(datetime.fromisoformat(made_at) - SLACK) if made_at else ""


def _window(board: StoredBoard, population: int) -> BoardWindow:
    """Take a stored board as a window; one without entries hides nobody, it was never made."""
    return BoardWindow(board.entries, bool(board.entries) and population > len(board.entries))
