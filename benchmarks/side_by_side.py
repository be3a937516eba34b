"""Sides that do the same work, each run in a process of its own, round by round; and the table of that."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Final

from benchmarks import pandas_side
from benchmarks.apart import apart
from benchmarks.report import Report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.apart import Measured
    from benchmarks.report import Cell

COLUMNS: Final = ("side", "cpu_s", "wall_s", "rows_per_cpu_s", "times_the_first", "peak_mb")


def race(
    module: str, sides: Mapping[str, str], arguments: tuple[object, ...], rounds: int
) -> dict[str, list[Measured]]:
    """Run every side's function of a module each round; all must find the same."""
    taken: dict[str, list[Measured]] = {side: [] for side in pandas_side.those_here(sides)}
    for _ in range(rounds):
        for side, several in taken.items():
            imports = pandas_side.NAME if side.startswith(pandas_side.NAME) else "duckdb"
            several.append(apart(module, sides[side], *arguments, imports=imports))
    found = [one["result"] for several in taken.values() for one in several]
    assert found.count(found[0]) == len(found), found
    return taken


def report(
    name: str, title: str, rows: int, taken: Mapping[str, list[Measured]], notes: tuple[str, ...]
) -> Report:
    """Report medians; ratios are of CPU time, against the first side, round by round."""
    base = [one["cpu_s"] for one in next(iter(taken.values()))]
    method = f"Medians of {len(base)} rounds, each side in a process of its own; imports are not counted."
    return Report(
        name,
        title,
        COLUMNS,
        tuple(_row(side, several, rows, base) for side, several in taken.items()),
        (method, *notes, *pandas_side.notes()),
    )


def _row(side: str, several: list[Measured], rows: int, base: list[float]) -> tuple[Cell, ...]:
    cpu, wall, peak = (median(one[name] for one in several) for name in ("cpu_s", "wall_s", "peak_mb"))
    times = median(first / one["cpu_s"] for one, first in zip(several, base, strict=True))
    return side, cpu, wall, round(rows / cpu), times, round(peak)
