"""Both sides are judged by one ledger: what one side accepted may have been mirrored to the other."""

from __future__ import annotations

from migration.compare.ledger.check import check_sides, deciding
from migration.model.acknowledgements import Acknowledged, Ledger, SideLedger
from migration.model.cause import Cause
from migration.model.fold import TOTAL, Activity, Fold, fold_all
from migration.model.side import Side
from migration.model.stages import Stage
from tests.doubles.tables import MemoryTables

TIME = "2026-03-01T09:30:00.000Z"
ONE, TWO = (Activity("emp-1", f"ev-{number}", "prog-1", "task_completed", 10, TIME) for number in (1, 2))


def acknowledged(*activities: Activity) -> SideLedger:
    return SideLedger(acknowledged={one.identity: [Acknowledged(one, 1, 1)] for one in activities})


def pipeline(*facts: Activity) -> MemoryTables:
    return MemoryTables(list(facts), fold_all(facts))


def legacy(*events: Activity) -> MemoryTables:
    folds = {row: Fold(fold.points, fold.events) for row, fold in fold_all(events).items()}
    return MemoryTables(list(events), {row: fold for row, fold in folds.items() if row.program_id != TOTAL})


def test_each_side_may_have_what_the_other_accepted() -> None:
    ledger = Ledger({Side.LEGACY: acknowledged(ONE), Side.PIPELINE: acknowledged(TWO)})
    tables = {Side.LEGACY: legacy(ONE, TWO), Side.PIPELINE: pipeline(ONE, TWO)}
    verdicts = check_sides(ledger, tables)
    assert [verdict.clean for verdict in verdicts.values()] == [True, True]
    assert [verdict.unknown_stored for verdict in verdicts.values()] == [1, 1]


def test_each_side_need_not_have_what_only_the_other_accepted() -> None:
    ledger = Ledger({Side.LEGACY: acknowledged(ONE), Side.PIPELINE: acknowledged(TWO)})
    verdicts = check_sides(ledger, {Side.LEGACY: legacy(ONE), Side.PIPELINE: pipeline(TWO)})
    assert all(verdict.clean for verdict in verdicts.values())


def test_what_nobody_accepted_is_extra_on_either_side() -> None:
    ledger = Ledger({Side.LEGACY: acknowledged(ONE)})
    verdicts = check_sides(ledger, {Side.LEGACY: legacy(ONE, TWO), Side.PIPELINE: pipeline(ONE, TWO)})
    found = {side: [finding.kind for finding in verdict.findings] for side, verdict in verdicts.items()}
    assert found == {Side.LEGACY: [Cause.EXTRA], Side.PIPELINE: [Cause.EXTRA]}


def test_the_pipelines_verdict_decides_unless_there_is_no_pipeline() -> None:
    ledger = Ledger({Side.LEGACY: acknowledged(ONE, TWO), Side.PIPELINE: acknowledged(ONE)})
    both = check_sides(ledger, {Side.LEGACY: legacy(ONE), Side.PIPELINE: pipeline(ONE)})
    alone = check_sides(ledger, {Side.LEGACY: legacy(ONE)})
    verdicts = [deciding(both), deciding(alone), deciding({})]
    assert [None if verdict is None else verdict.clean for verdict in verdicts] == [True, False, None]


def test_from_shadow_on_each_side_must_have_what_the_other_accepted() -> None:
    ledger = Ledger({Side.LEGACY: acknowledged(ONE), Side.PIPELINE: acknowledged(TWO)})
    tables = {Side.LEGACY: legacy(ONE), Side.PIPELINE: pipeline(TWO)}
    before, after = (check_sides(ledger, tables, stage) for stage in (Stage.DUALWRITE, Stage.SHADOW))
    assert all(verdict.clean for verdict in before.values())
    assert [(one.kind, one.event_id) for one in after[Side.PIPELINE].findings] == [(Cause.LOST, "ev-1")]
    assert [(one.kind, one.event_id) for one in after[Side.LEGACY].findings] == [(Cause.LOST, "ev-2")]
