"""What the steps of a cutover do, by the names that the journal keeps."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What a step does."""

    MOVE = "move"
    BACKFILL = "backfill"
    RECONCILE = "reconcile"
    DRILL = "drill"  # give the pipeline a little, so that taking it back is rehearsed
    DRILL_BACK = "drill back"
    DRILL_JUDGED = "drill judged"
