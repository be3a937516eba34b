"""The memory of a diff: `cutover diff`'s own join, loaded with so many aggregates and events of both sides.

Nothing is read over the network: both sides' tables are made as the join asks for them. Each employee has an
event in each of two programs, so two thirds of the keys are an employee's in a program and a third their
totals, and there are as many events as the former on each side. One employee in 100,000 has a wrong row.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from benchmarks.apart import apart, lap
from benchmarks.report import Report
from benchmarks.workload import PROGRAMS, employee_id, program_id
from migration.compare.diff.side_join import joined_sides
from migration.compare.diff.spool import MEMORY_LIMIT
from migration.compare.diff.two_sides import Sighting, Stored
from migration.model.fold import NOTHING, TOTAL, Fold, Identity, Row, fingerprint
from tests.doubles.sides import MemorySides

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.settings import Settings

LOADING: Final = "loading_cpu_s"
WRONG_ONE_IN: Final = 100_000
_AT: Final = "2026-03-01T09:30:00.000Z"
_ONE_POINT: Final = Fold(points=1)
_IN_PROGRAMS: Final = 2


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
    """Join both sides, and count what differs by kind of aggregate."""
    with joined_sides() as joined:
        with lap(LOADING):
            joined.load(MadeSides(int(employees)))
        counts = joined.counts()
        assert sum(1 for _ in joined.differing_employees()) == sum(count.differing for count in counts)
    return [(count.name, count.rows, count.differing) for count in counts]


class MadeSides(MemorySides):
    """Both sides' tables, made as they are read."""

    def __init__(self, employees: int) -> None:
        super().__init__()
        self._employees = employees

    def legacy_rows(self) -> Iterator[tuple[Row, Fold]]:
        """Make legacy's aggregates, which have neither totals nor fingerprints."""
        for row, fold in self._rows():
            if row.program_id != TOTAL:
                yield row, Fold(fold.points, fold.events)

    def pipeline_rows(self) -> Iterator[tuple[Row, Fold]]:
        """Make the pipeline's aggregates."""
        for number, (row, fold) in enumerate(self._rows()):
            wrong = row.employee_id is not None and number % (WRONG_ONE_IN * (_IN_PROGRAMS + 1)) == 0
            yield row, fold + _ONE_POINT if wrong else fold

    def legacy_events(self) -> Iterator[Sighting]:
        """Make legacy's events."""
        for identity, stored in self._events():
            yield Sighting(identity, stored, None)

    def facts(self) -> Iterator[Sighting]:
        """Make the facts."""
        for identity, stored in self._events():
            yield Sighting(identity, None, stored, "live", "legacy")

    def _rows(self) -> Iterator[tuple[Row, Fold]]:
        programs: defaultdict[str, Fold] = defaultdict(Fold)
        total = NOTHING
        for number, (identity, stored) in enumerate(self._events()):
            fold = Fold(stored.points, 1, fingerprint(identity))
            programs[stored.program_id] += fold
            total += fold
            yield Row(identity.employee_id, stored.program_id), fold
            if number % _IN_PROGRAMS == _IN_PROGRAMS - 1:
                yield Row(identity.employee_id, TOTAL), total
                total = NOTHING
        yield from ((Row(None, program), fold) for program, fold in programs.items())

    def _events(self) -> Iterator[tuple[Identity, Stored]]:
        for number in range(self._employees * _IN_PROGRAMS):
            employee, program = divmod(number, _IN_PROGRAMS)
            place = program_id((employee + program) % PROGRAMS)
            yield Identity(employee_id(employee), f"event-{number}"), Stored(place, 1 + number % 100, _AT)
