"""What a cutover cost beyond running both sides: counts times list prices, every line with its arithmetic.

List prices of us-east-1, on demand, arm64; another region or contract scales them. An estimate: it has what
was counted, and says what it leaves out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from migration.backfill.estimate import DOLLARS_A_MILLION_READS, DOLLARS_A_MILLION_WRITES

if TYPE_CHECKING:
    from collections.abc import Sequence

TIMES: Final = "\N{MULTIPLICATION SIGN}"
DOLLARS_A_GB_SECOND: Final = 0.0000133334
DOLLARS_A_MILLION_INVOCATIONS: Final = 0.20
COMPARATOR_GB: Final = 0.5  # `cutover:aggregate_memory_mb` of a dev stack; twice that in staging and prod
UNITS_A_COMPARISON: Final = 2  # write units of a record: one or two kilobytes, deflated
UNITS_AN_ENTRY: Final = 4  # write units of a move: state and entry in one transaction, which costs double
LEFT_OUT: Final = (
    "the other side's own functions, queues and tables, which run as long as both sides do; "
    "the door's calls; logs and metrics"
)


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted; None where nobody did."""

    facts: int | None = None
    comparisons: int = 0
    read_units: float = 0.0
    comparing_s: float = 0.0
    entries: int = 0


@dataclass(frozen=True, slots=True)
class CostLine:
    """One part of the cost, and how it was computed."""

    what: str
    arithmetic: str
    dollars: float


def cost_lines(counts: Counts) -> list[CostLine]:
    """Price what was counted."""
    lines = []
    if counts.facts is not None:
        text = "facts written a second time, one write unit each"
        lines.append(_writes(text, f"{counts.facts:,} facts", counts.facts))
    if counts.comparisons:
        lines += _comparator(counts)
    if counts.entries:
        units = counts.entries * UNITS_AN_ENTRY
        text = f"{counts.entries:,} entries {TIMES} {UNITS_AN_ENTRY} units at most"
        lines.append(_writes("the journal", text, units))
    return lines


def total(lines: Sequence[CostLine]) -> float:
    """Sum it up, in dollars."""
    return sum(line.dollars for line in lines)


def _writes(what: str, counted: str, units: float) -> CostLine:
    price = DOLLARS_A_MILLION_WRITES
    return CostLine(what, f"{counted} {TIMES} ${price} a million write units", units / 1e6 * price)


def _comparator(counts: Counts) -> list[CostLine]:
    reads = counts.read_units / 1e6 * DOLLARS_A_MILLION_READS
    gb_s = counts.comparing_s * COMPARATOR_GB
    runs = counts.comparisons / 1e6 * DOLLARS_A_MILLION_INVOCATIONS
    units = counts.comparisons * UNITS_A_COMPARISON
    return [
        CostLine(
            "comparisons, reading",
            f"{counts.read_units:,.0f} read units {TIMES} ${DOLLARS_A_MILLION_READS} a million",
            reads,
        ),
        CostLine(
            "comparisons, computing",
            f"{counts.comparing_s:,.0f} s {TIMES} {COMPARATOR_GB} GB {TIMES} ${DOLLARS_A_GB_SECOND:.10f} "
            f"a GB-second, and {counts.comparisons:,} invocations {TIMES} "
            f"${DOLLARS_A_MILLION_INVOCATIONS:.2f} a million",
            gb_s * DOLLARS_A_GB_SECOND + runs,
        ),
        _writes("comparisons, records", f"{counts.comparisons:,} {TIMES} {UNITS_A_COMPARISON} units", units),
    ]
