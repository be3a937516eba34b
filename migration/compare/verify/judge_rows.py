"""The rows of one employee, or of one program, against the fold of their facts, less what is on its way.

What is left is not named here; that takes all differing rows together (compare/verify/judge_folds.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from migration.compare.verify.in_flight import missing_of
from migration.model.facts import Lane
from migration.model.fold import NOTHING, TOTAL, Fold, differences, fold_all, fold_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migration.compare.verify.verification import EmployeeReading, Horizon, Parts, WideReading
    from migration.model.facts import StoredFact
    from migration.model.fold import Row

MOST_WIDE_SUBSETS: Final = 200_000  # programs are few


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of an employee's rows.

    Attributes:
        wrong: rows that differ by more than what is on its way.
        waiting: facts that rows do not hold yet, and the rows.
        absent: whether the employee has facts of the lane, and every row is without them.
    """

    wrong: Mapping[Row, Fold]
    waiting: Sequence[tuple[StoredFact, Row]]
    absent: bool


def settle_employee(reading: EmployeeReading, lane: Lane, horizon: Horizon) -> Settled:
    """Compare an employee's rows, of one lane."""
    facts = [fact for fact in reading.facts if fact.lane is lane]
    held = {row: part_of(parts, lane) for row, parts in reading.rows.items()}
    folds = fold_all(fact.activity for fact in facts)
    due = {row: fold for row, fold in folds.items() if row.employee_id is not None}
    wrong: dict[Row, Fold] = {}
    waiting: list[tuple[StoredFact, Row]] = []
    for row, off in differences(held, due).items():
        missing = missing_of(off, [one for one in facts if belongs(one, row) and may_lack(one, horizon)])
        if missing is None:
            wrong[row] = off
        waiting += [(fact, row) for fact in missing or ()]
    absent = bool(wrong) and all(fold == NOTHING for fold in held.values())
    return Settled(wrong, waiting, absent)


def settle_wide(
    reading: WideReading, lane: Lane, waiting: Sequence[StoredFact], known: Fold = NOTHING
) -> Fold | None:
    """Compare a program's row, of one lane; None when it is right, else what is left in the last sample.

    Args:
        reading: the row at several moments; one that is right proves that it is.
        lane: whose part is compared.
        waiting: older facts that the employees' rows do not hold yet, so this row may lack them too.
        known: what named events account for.
    """
    young = [fact for fact in reading.young if fact.lane is lane]
    due = sum((fold_of(fact.activity) for fact in young), part_of(reading.settled, lane)) + known
    seen = {fact.activity.identity for fact in young}
    pool = [*young, *(fact for fact in waiting if fact.activity.identity not in seen)]
    off = NOTHING
    for sample in reading.samples:
        off = part_of(sample, lane) - due
        if missing_of(off, pool, MOST_WIDE_SUBSETS) is not None:
            return None
    return off


def part_of(parts: Parts, lane: Lane) -> Fold:
    """Take one lane's part."""
    return parts.live if lane is Lane.LIVE else parts.base


def belongs(fact: StoredFact, row: Row) -> bool:
    """Whether a row has to hold a fact."""
    activity = fact.activity
    return row.employee_id in (None, activity.employee_id) and row.program_id in (TOTAL, activity.program_id)


def may_lack(fact: StoredFact, horizon: Horizon) -> bool:
    """Whether a row may rightly be without a fact."""
    # History is folded in bulk, by somebody's command: nothing but a new fact is on its way there.
    return horizon.on_its_way(fact) if fact.lane is Lane.LIVE else horizon.newer(fact)
