"""What a backfill will read, write, take and cost, before anything is written; every number is shown.

Prices are the list prices of on-demand tables in us-east-1, so another region or contract scales them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Final

DOLLARS_A_MILLION_WRITES: Final = 0.625
DOLLARS_A_MILLION_READS: Final = 0.125
DOLLARS_A_GB_EXPORTED: Final = 0.10
DOLLARS_A_GB_SCANNED: Final = 0.005  # by Athena
DOLLARS_A_FUNCTION_HOUR: Final = 0.024  # of 512 MB on arm64
ONE_PROCESS_PER_S: Final = 1_500.0  # puts that a Python process signs, sends and waits for in a second, about
ONE_FUNCTION_PER_S: Final = 300.0  # the same for a function with the part of a processor that 512 MB get
READ_UNIT: Final = 4_096  # bytes that one consistent read unit covers in a scan
WRITE_UNIT: Final = 1_024
FACT_EXTRA: Final = 60  # bytes that a fact has beyond legacy's item: lane, side, ingested_at
ROW_BYTES: Final = 250
ROW_UNITS: Final = 3  # the row itself, and its entry in the board's index deleted and put
FOLDS: Final = 2  # one that installs, one that finds nothing to install
EXPORT_S: Final = 1_800.0  # an export and its fold; AWS promises no time
PACKED: Final = 0.3  # of an export's bytes, that its gzipped lines have, about
_GB: Final = 1e9
SLOW: Final = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class TableSize:
    """How much a table holds, about: DynamoDB counts every six hours."""

    items: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """A backfill, about.

    Attributes:
        events: legacy events to copy.
        rows: aggregates to install, at most.
        copy_units, install_units: write units.
        read_units: consistent read units.
        per_s: write units a second while copying that the ceiling and what copies allow.
        install_per_s: write units a second while installing, which one process does, a row at a time.
        waiting_s: seconds in which exports are made and folded.
        exported_bytes: what they hold together.
        functions: how many copy; 0 when a machine does.
    """

    events: int
    rows: int
    copy_units: int
    install_units: int
    read_units: int
    per_s: float
    install_per_s: float
    waiting_s: float = 0.0
    exported_bytes: float = 0.0
    functions: int = 0

    @property
    def copying_s(self) -> float:
        """How long copying takes; reading is faster."""
        return self.copy_units / self.per_s

    @property
    def duration(self) -> timedelta:
        """How long all of it takes."""
        return timedelta(
            seconds=ceil(self.copying_s + self.install_units / self.install_per_s + self.waiting_s)
        )

    @property
    def dollars(self) -> float:
        """What DynamoDB charges, and what exports, Athena and functions cost."""
        writes = (self.copy_units + self.install_units) / 1e6 * DOLLARS_A_MILLION_WRITES
        reads = self.read_units / 1e6 * DOLLARS_A_MILLION_READS
        folds = self.exported_bytes / _GB * (DOLLARS_A_GB_EXPORTED + PACKED * DOLLARS_A_GB_SCANNED)
        return writes + reads + folds + self.functions * self.copying_s / 3600 * DOLLARS_A_FUNCTION_HOUR


def estimate(
    events: TableSize, employee_rows: int, programs: int, max_wcu: float, functions: int = 0
) -> Estimate:
    """Estimate a backfill.

    Args:
        events: legacy's event table.
        employee_rows: rows of legacy's employee progress; each has at most one `#total` beside it.
        programs: rows of legacy's program progress.
        max_wcu: write units a second at most.
        functions: how many copy at once; 0 when this machine does, and folds too.
    """
    item = events.size_bytes / events.items if events.items else 0
    fact = item + FACT_EXTRA
    rows = 2 * employee_rows + programs
    facts_bytes = FOLDS * events.items * fact
    scanned = events.size_bytes + FOLDS * rows * ROW_BYTES + (0 if functions else facts_bytes)
    return Estimate(
        events=events.items,
        rows=rows,
        copy_units=events.items * ceil(fact / WRITE_UNIT),
        install_units=2 * employee_rows * ROW_UNITS + programs,
        read_units=ceil(scanned / READ_UNIT),
        per_s=min(max_wcu, functions * ONE_FUNCTION_PER_S if functions else ONE_PROCESS_PER_S),
        install_per_s=min(max_wcu, ONE_PROCESS_PER_S * ROW_UNITS),
        waiting_s=FOLDS * EXPORT_S if functions else 0.0,
        exported_bytes=facts_bytes if functions else 0.0,
        functions=functions,
    )


def is_better_elsewhere(here: Estimate, there: Estimate) -> bool:
    """Whether functions should copy, and Athena fold, what would take this machine long."""
    return here.duration > SLOW and 2 * there.duration < here.duration


def too_late(needed: Estimate, limit: timedelta) -> str | None:
    """Say why a backfill does not end within a limit; None when it does."""
    if needed.duration <= limit:
        return None
    return (
        f"copying and installing take about {needed.duration}, and {limit} are left: "
        f"{needed.copy_units + needed.install_units:,} write units at {needed.per_s:,.0f} a second"
    )
