"""The memory of a diff: `cutover diff`'s own store, loaded with so many aggregates and events of both sides.

Nothing is read over the network: both sides' tables are made as the store asks for them. Each employee has an
event in each of two programs, so two thirds of the keys are an employee's in a program and a third their
totals, and there are as many events as the former on each side. One employee in 100,000 has a wrong row.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Final

import msgspec

from benchmarks.apart import apart, lap
from benchmarks.report import Report
from benchmarks.workload import PROGRAMS, employee_id, program_id
from migration.aws.bulk.database import MEMORY_LIMIT
from migration.aws.bulk.side_store import passing_store
from migration.compare.both_sides import EVENTS, Chunk, Part
from migration.compare.reading import read
from migration.compare.store import Begun
from migration.model.fold import NOTHING, TOTAL, Activity, Fold, Row, fold_of
from tests.doubles.both_sides import MemorySides

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.settings import Settings

LOADING: Final = "loading_cpu_s"
WRONG_ONE_IN: Final = 100_000
_AT: Final = "2026-03-01T09:30:00.000Z"
_ONE_POINT: Final = Fold(points=1)
_IN_PROGRAMS: Final = 2
_PAGE: Final = 2_000
_encoder: Final = msgspec.json.Encoder()


def run(settings: Settings) -> list[Report]:
    """Load, join and count, in a process of its own."""
    employees = settings.diffed_keys // (_IN_PROGRAMS + 1)
    measured = apart("benchmarks.diff", "join", employees)
    levels: list[tuple[str, int, int]] = measured["result"]
    assert sum(differing for *_, differing in levels) == -(-employees // WRONG_ONE_IN)
    loading, cpu = measured[LOADING], measured["cpu_s"]
    return [
        Report(
            "diff",
            f"The join of a diff of {sum(keys for _, keys, _ in levels):,} keys",
            ("of", "keys", "differing"),
            tuple((name, keys, differing) for name, keys, differing in levels),
            (
                f"Peak memory {measured['peak_mb']:,.0f} MB; DuckDB may use {MEMORY_LIMIT}.",
                f"{cpu:,.0f} s of CPU, {loading:,.0f} s of them to make both sides, load and join them.",
            ),
        )
    ]


def join(employees: str) -> list[tuple[str, int, int]]:
    """Line both sides up, and count what differs by kind of aggregate."""
    with passing_store() as store:
        with lap(LOADING):
            store.begin(Begun(_AT))
            read(MadeSides(int(employees)), store, Part, lambda *_: None)
            store.fold()
            lined_up = store.line_up()
        counts = lined_up.counts()
        assert sum(1 for _ in lined_up.differing_employees()) == sum(count.differing for count in counts)
    return [(count.name, count.rows, count.differing) for count in counts]


class MadeSides(MemorySides):
    """Both sides' tables, made as they are read."""

    def __init__(self, employees: int) -> None:
        super().__init__()
        self._employees = employees

    def about(self, _part: Part) -> int:
        """Nobody asks."""
        return 0

    def chunks(
        self, part: Part, positions: Mapping[int, bytes | None], since: str | None = None
    ) -> Iterator[Chunk]:
        """Make a table, page by page."""
        del positions, since
        lines = self._made(part)
        while some := list(islice(lines, _PAGE)):
            yield Chunk(_encoder.encode_lines(some), len(some), 0, b"")

    def _made(self, part: Part) -> Iterator[Mapping[str, object]]:
        if part in EVENTS:
            about = {"ingested_at": _AT, "lane": "live", "side": "legacy", "received_at": _AT}
            return ({**asdict(one), **about} for one in self._events())
        of_employees = part in (Part.EMPLOYEE_ROWS, Part.LEGACY_EMPLOYEE_ROWS)
        rows = (one for one in self._rows() if (one[0].employee_id is not None) is of_employees)
        if part.of_legacy:
            rows = (one for one in rows if one[0].program_id != TOTAL)
        return (self._line(number, row, fold, part) for number, (row, fold) in enumerate(rows))

    def _line(self, number: int, row: Row, fold: Fold, part: Part) -> Mapping[str, object]:
        wrong = part is Part.EMPLOYEE_ROWS and number % (WRONG_ONE_IN * (_IN_PROGRAMS + 1)) == 0
        held = fold + _ONE_POINT if wrong else fold
        return {**row._asdict(), **{name: str(value) for name, value in asdict(held).items()}}

    def _rows(self) -> Iterator[tuple[Row, Fold]]:
        programs: defaultdict[str, Fold] = defaultdict(Fold)
        total = NOTHING
        for number, one in enumerate(self._events()):
            fold = fold_of(one)
            programs[one.program_id] += fold
            total += fold
            yield Row(one.employee_id, one.program_id), fold
            if number % _IN_PROGRAMS == _IN_PROGRAMS - 1:
                yield Row(one.employee_id, TOTAL), total
                total = NOTHING
        yield from ((Row(None, program), fold) for program, fold in programs.items())

    def _events(self) -> Iterator[Activity]:
        for number in range(self._employees * _IN_PROGRAMS):
            employee, program = divmod(number, _IN_PROGRAMS)
            ids = (employee_id(employee), f"event-{number}", program_id((employee + program) % PROGRAMS))
            yield Activity(*ids, "task_completed", 1 + number % 100, _AT)
