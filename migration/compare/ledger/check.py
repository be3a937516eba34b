"""The ledger check of a stack: each side's tables against what it acknowledged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from migration.compare.ledger.legacy import check_legacy
from migration.compare.ledger.pipeline import check_pipeline
from migration.model.acknowledgements import SideLedger, merged
from migration.model.side import Side
from migration.model.stages import Stage
from migration.model.transitions import ORDER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migration.compare.ledger.tables import SideTables
    from migration.compare.ledger.verdict import LedgerVerdict
    from migration.model.acknowledgements import Ledger


def check_sides(
    ledger: Ledger, tables: Mapping[Side, SideTables], stage: Stage = Stage.OFF
) -> dict[Side, LedgerVerdict]:
    """Judge every side that there is.

    Args:
        ledger: what was acknowledged, and by whom.
        tables: the sides.
        stage: where the migration is. From `shadow` on each side must have what any side acknowledged; before
            it, what the other one acknowledged may be there or not.
    """
    everywhere = ORDER.index(stage) >= ORDER.index(Stage.SHADOW)
    verdicts = {}
    for side, stored in tables.items():
        judge = check_pipeline if side is Side.PIPELINE else check_legacy
        own = merged(ledger.sides.values()) if everywhere else _with_mirrored(ledger, side)
        verdicts[side] = judge(own, stored.activities(), stored.folds())
    return verdicts


def _with_mirrored(ledger: Ledger, side: Side) -> SideLedger:
    """Add what the other side acknowledged: a mirror may have brought it here, so it may be there or not."""
    own = ledger.sides.get(side, SideLedger())
    others = [other for name, other in ledger.sides.items() if name is not side]
    mirrored = [
        several[0].activity
        for other in others
        for identity, several in other.acknowledged.items()
        if identity not in own.acknowledged
    ]
    return replace(own, unknown=[*own.unknown, *mirrored])


def deciding(verdicts: Mapping[Side, LedgerVerdict]) -> LedgerVerdict | None:
    """Choose the verdict that counts: the pipeline's. Legacy's own errors are why it is being left."""
    return verdicts.get(Side.PIPELINE) or verdicts.get(Side.LEGACY)
