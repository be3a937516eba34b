"""Both sides in memory, exact unless a test makes them wrong: what the tests of a diff look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from migration.aws.bulk.side_store import passing_store
from migration.compare.boards.windows import rank_truth
from migration.compare.diff.diff import Question, diff
from migration.compare.diff.two_sides import Sighting, Stored, StoredBoard
from migration.compare.verify.verification import Parts
from migration.model.facts import Lane, StoredFact
from migration.model.fold import TOTAL, Activity, Fold, Identity, Row, fingerprint
from migration.model.side import Side
from pipeline.domain.activity import format_time
from tests.doubles.both_sides import MemorySides
from tests.doubles.clock import MemoryClock

if TYPE_CHECKING:
    from migration.compare.boards.boards import BoardEntry
    from migration.compare.diff.report import BoardDiff, DiffReport, JudgedLine, JudgedRow

CLOCK: Final = MemoryClock()
NOW: Final = datetime.fromtimestamp(CLOCK.at, UTC)


def ago(**time: float) -> str:
    return format_time(NOW - timedelta(**time))


@dataclass(slots=True)
class World:
    """Activities as both sides store them; `miscounted` and `misfolded` are added to what a side adds up."""

    seen: list[Sighting] = field(default_factory=list)
    miscounted: dict[Row, Fold] = field(default_factory=dict)
    misfolded: dict[Row, Fold] = field(default_factory=dict)
    board_size: int = 100
    queued: int = 0

    def add(  # noqa: PLR0913 - one for each way to be stored
        self,
        employee: str,
        event: str,
        points: int,
        program: str = "p",
        *,
        at: str | None = None,
        legacy: bool = True,
        fact: bool = True,
        lane: str = "live",
        side: str = "legacy",
    ) -> Sighting:
        stored = Stored(program, points, at or ago(hours=2))
        one = Sighting(
            Identity(employee, event),
            stored if legacy else None,
            stored if fact else None,
            lane if fact else "",
            side if fact else "",
        )
        self.seen.append(one)
        return one

    def count(
        self, one: Sighting, times: int = 1, *, in_employee: bool = True, in_program: bool = True
    ) -> None:
        """Have legacy count an event more often, or less."""
        fold = Fold(one.truth.points * times, times)
        employee, program = one.identity.employee_id, one.truth.program_id
        rows = [Row(employee, program)] * in_employee + [Row(None, program)] * in_program
        for row in rows:
            self.miscounted[row] = self.miscounted.get(row, Fold()) + fold

    def fold(self, one: Sighting, times: int = 1) -> None:
        """Have the pipeline fold a fact more often, or less."""
        fold = Fold(one.truth.points, 1, fingerprint(one.identity)) * times
        employee, program = one.identity.employee_id, one.truth.program_id
        for row in (Row(employee, program), Row(employee, TOTAL), Row(None, program)):
            self.misfolded[row] = self.misfolded.get(row, Fold()) + fold

    def sides(self) -> MemorySides:
        legacy = _rows([(one, one.legacy) for one in self.seen], self.miscounted)
        legacy = {row: Fold(f.points, f.events) for row, f in legacy.items() if row.program_id != TOTAL}
        pipeline = _rows([(one, one.fact) for one in self.seen], self.misfolded)
        return MemorySides(
            of_legacy=self._boards(legacy, ago(minutes=1)),
            of_pipeline=self._boards(pipeline, ago(seconds=10)),
            legacy_rows=legacy,
            rows={row: Parts(fold) for row, fold in pipeline.items()},
            events={one.identity: activity_of(one.identity, one.legacy) for one in self.seen if one.legacy},
            received_at={one.identity: one.legacy.at for one in self.seen if one.legacy},
            facts={
                one.identity: StoredFact(
                    activity_of(one.identity, one.fact), Lane(one.lane), Side(one.side), one.fact.at
                )
                for one in self.seen
                if one.fact
            },
            newest=ago(seconds=1),
            messages=self.queued,
        )

    def diff(self, sides: MemorySides | None = None, board: str = "all", **options: object) -> DiffReport:
        asked = {"stack": "test", "board": board, "depths": (1, 10), "persistence": 0.9, **options}
        with passing_store() as store:
            return diff(Question(**asked), sides or self.sides(), store, CLOCK)  # type: ignore[arg-type]

    def _boards(self, rows: dict[Row, Fold], made_at: str) -> list[StoredBoard]:
        names = {
            "global": "",
            **{f"program#{row.program_id}": row.program_id for row in rows if not row.employee_id},
        }
        return [StoredBoard(board, self._board(rows, program), made_at) for board, program in names.items()]

    def _board(self, rows: dict[Row, Fold], program: str) -> tuple[BoardEntry, ...]:
        points: dict[str, int] = {}
        for row, fold in rows.items():
            if row.employee_id and row.program_id != TOTAL and program in ("", row.program_id):
                points[row.employee_id] = points.get(row.employee_id, 0) + fold.points
        return tuple(rank_truth(points)[: self.board_size])


def activity_of(identity: Identity, stored: Stored) -> Activity:
    return Activity(*identity, stored.program_id, "task_completed", stored.points, stored.at)


def _rows(copies: list[tuple[Sighting, Stored | None]], more: dict[Row, Fold]) -> dict[Row, Fold]:
    rows: dict[Row, Fold] = {}
    for one, stored in copies:
        if stored is not None:
            employee = one.identity.employee_id
            for row in (Row(employee, stored.program_id), Row(employee, TOTAL), Row(None, stored.program_id)):
                rows[row] = rows.get(row, Fold()) + Fold(stored.points, 1, fingerprint(one.identity))
    return {row: rows.get(row, Fold()) + more.get(row, Fold()) for row in {**rows, **more}}


def board_of(report: DiffReport, board: str = "global") -> BoardDiff:
    return next(one for one in report.boards if one.board == board)


def line_of(report: DiffReport, employee: str, board: str = "global") -> JudgedLine:
    return next(line for line in board_of(report, board).lines if line.line.employee_id == employee)


def row_of(report: DiffReport, row: Row) -> JudgedRow:
    return next(one for one in report.rows if one.sums.row == row)
