"""The verdict on the pipeline: acknowledged = facts = folded, or every event that breaks it, by name."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from migration.compare.folds import Explained, explain_rows
from migration.compare.ledger.findings import name_events, name_rows
from migration.compare.ledger.stored import check_facts
from migration.compare.ledger.verdict import LedgerVerdict, Level
from migration.model.fold import LEVELS, RESERVED, TOTAL, differences, fold_all, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from migration.model.acknowledgements import SideLedger
    from migration.model.fold import Activity, Fold, Row


def check_pipeline(side: SideLedger, stored: Iterable[Activity], actual: Mapping[Row, Fold]) -> LedgerVerdict:
    """Judge what the pipeline stored and folded.

    Args:
        side: what it acknowledged.
        stored: the facts; reserved ones may be among them and are left out.
        actual: the aggregates, program shards already summed; reserved rows are left out.
    """
    facts = {fact.identity: fact for fact in stored if not fact.reserved}
    actual = {row: fold for row, fold in actual.items() if not is_reserved(row)}
    expected = fold_all(facts.values())
    wrong = differences(actual, expected)
    compared = check_facts(side, facts)
    acknowledged = [one.activity for several in side.acknowledged.values() for one in several]
    explained = explain_rows(wrong, facts.values(), acknowledged) if wrong else Explained()
    activities = {**{activity.identity: activity for activity in acknowledged}, **facts}
    findings = name_events(compared.findings, explained, activities, facts.keys())
    return LedgerVerdict(
        acknowledgements=side.acknowledgements,
        acknowledged=len(side.acknowledged),
        facts=len(facts),
        conflicts=side.conflicts,
        unknown=side.unknown_sends,
        unknown_stored=compared.unknown_stored,
        rejected=side.rejected,
        rejected_because=dict(side.rejected_because.most_common()),
        expected=whole(expected),
        folded=whole(actual),
        levels=levels(actual, expected, wrong),
        findings=(*findings, *name_rows(explained, facts.values())),
    )


def is_reserved(row: Row) -> bool:
    """Whether a row belongs to pulses or bookkeeping."""
    names = [row.employee_id or "", row.program_id if row.program_id != TOTAL else ""]
    return any(name.startswith(RESERVED) for name in names)


def levels(
    actual: Mapping[Row, Fold], expected: Mapping[Row, Fold], wrong: Mapping[Row, Fold]
) -> tuple[Level, ...]:
    """Count compared and differing rows of each kind of aggregate."""
    compared, differing = (Counter(row.level for row in rows) for rows in ({*actual, *expected}, wrong))
    return tuple(Level(name, compared[name], differing[name]) for name in LEVELS)
