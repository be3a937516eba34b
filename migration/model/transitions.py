"""Which state may follow which: the one table of legal moves. It never writes.

    forward   off ─► dualwrite ─► shadow ─► live (weights, any way) ─► rampdown ─► complete
    back      every stage but `complete` to every stage before it

Going forward needs the lease, and one stage may not be skipped. Going back needs nothing but the state as it
was read. After `complete` there is no way back: legacy is not kept up any more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from migration.model.stages import FULL_WEIGHT, Control, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

ORDER: Final = tuple(Stage)
FORWARD: Final[Mapping[Stage, frozenset[Stage]]] = {
    Stage.OFF: frozenset({Stage.DUALWRITE}),
    Stage.DUALWRITE: frozenset({Stage.SHADOW}),
    Stage.SHADOW: frozenset({Stage.LIVE}),
    Stage.LIVE: frozenset({Stage.LIVE, Stage.RAMPDOWN}),
    Stage.RAMPDOWN: frozenset({Stage.COMPLETE}),
    Stage.COMPLETE: frozenset(),
}
BACK: Final[Mapping[Stage, frozenset[Stage]]] = {
    stage: frozenset() if stage is Stage.COMPLETE else frozenset(ORDER[: ORDER.index(stage)])
    for stage in ORDER
}
# Where a rollback goes by itself: legacy has authority, both sides hear of everything, and nothing of the
# pipeline's is served.
ROLLBACK: Final[Mapping[Stage, Stage]] = {
    Stage.DUALWRITE: Stage.OFF,
    Stage.SHADOW: Stage.DUALWRITE,
    Stage.LIVE: Stage.SHADOW,
    Stage.RAMPDOWN: Stage.SHADOW,
}


def is_back(was: Control, to: Control) -> bool:
    """Whether a move gives the pipeline less."""
    if was.stage is to.stage is Stage.LIVE:
        return to.write_weight <= was.write_weight and to.read_weight <= was.read_weight
    return to.stage in BACK[was.stage]


def gives_more(was: Control, to: Control) -> bool:
    """Whether the pipeline gets more, legal or not."""
    if was.stage is not to.stage:
        return ORDER.index(to.stage) > ORDER.index(was.stage)
    return to.write_weight > was.write_weight or to.read_weight > was.read_weight


def way_back(now: Control, target: Control) -> Control | None:
    """Give the next routing value on the way back to a target, one epoch up; None when it is there already.

    A weight that is lower than the target's stays: going back never gives the pipeline more.
    """
    if now.stage is target.stage is Stage.LIVE:
        lower = Control(
            Stage.LIVE,
            min(now.write_weight, target.write_weight),
            min(now.read_weight, target.read_weight),
            now.epoch,
        )
        return None if lower == now else replace(lower, epoch=now.epoch + 1)
    if ORDER.index(now.stage) <= ORDER.index(target.stage):
        return None
    return replace(target, epoch=now.epoch + 1)


def refusal(was: Control, to: Control) -> str | None:
    """Say why a move is not legal; None when it is."""
    if was.stage is Stage.COMPLETE:
        return "the migration is complete: legacy is not kept up any more, so there is no way back"
    if to.stage is not Stage.LIVE and (to.write_weight or to.read_weight):
        return f"stage {to.stage} has no weights"
    if is_back(was, to):
        return None
    if to.stage not in FORWARD[was.stage]:
        allowed = ", ".join(sorted(FORWARD[was.stage]))
        return f"from {was.stage} the way goes to {allowed}, not to {to.stage}"
    if to.stage is Stage.RAMPDOWN and (was.write_weight, was.read_weight) != (FULL_WEIGHT, FULL_WEIGHT):
        return "rampdown takes all traffic, and not all of it is with the pipeline yet"
    return None
