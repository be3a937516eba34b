"""A course for people: what each step does and calls, what must hold, how it is undone, what it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from migration.cutover.action import Action
from migration.cutover.looks import SETTLED_AFTER_S
from migration.model.stages import FULL_WEIGHT, Stage
from migration.model.transitions import ORDER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migration.cutover.course import CutoverPlan, Step
    from migration.model.stages import Control

ONE_WRITE: Final = "one TransactWriteItems on the control table"
ROLLBACK: Final = "cutover rollback"


@dataclass(frozen=True, slots=True)
class Planned:
    """One step, described.

    Attributes:
        name: the step.
        does: what changes for whom.
        calls: what is called.
        holds: what must hold before it.
        undo: the command that takes it back.
        watched_s: seconds that the state before it is watched.
        takes_s: seconds that it takes besides, as far as that does not depend on the data.
        cost: what it costs, in words.
    """

    name: str
    does: str
    calls: str
    holds: str
    undo: str
    watched_s: float
    takes_s: float
    cost: str


def planned(course: CutoverPlan) -> list[Planned]:
    """Describe a whole course."""
    return [_describe(step) for step in course.outline()]


def is_behind(step: Step, control: Control) -> bool:
    """Whether a move of the outline is done already, as traffic is routed now."""
    if step.to is None or step.action is not Action.MOVE:
        return False
    if step.to.stage is control.stage is Stage.LIVE:
        return (step.to.write_weight, step.to.read_weight) <= (control.write_weight, control.read_weight)
    return ORDER.index(step.to.stage) <= ORDER.index(control.stage)


def _describe(step: Step) -> Planned:
    does, calls, undo, cost = _WORK.get(step.action) or _move(step)
    holds = "vital guardrails, proofs" if step.proofs else "vital guardrails"
    takes = SETTLED_AFTER_S if step.to is not None else 0.0
    return Planned(step.name, does, calls, holds, undo, step.not_before, takes, cost)


def _move(step: Step) -> tuple[str, str, str, str]:
    if step.to is None:
        raise ValueError("a move leads somewhere")
    if step.to.stage is Stage.LIVE:
        return (_share(step.to), ONE_WRITE, ROLLBACK, "nothing more")
    does, undo, cost = _STAGES[step.to.stage]
    return does, ONE_WRITE, undo, cost


def _share(to: Control) -> str:
    if to.write_weight:
        return f"{to.write_weight / FULL_WEIGHT:.0%} of employees write to the pipeline; legacy is kept up"
    return f"{to.read_weight / FULL_WEIGHT:.0%} of clients read the pipeline's boards"


_STAGES: Final[Mapping[Stage, tuple[str, str, str]]] = {
    Stage.DUALWRITE: (
        "legacy decides, and the door mirrors every activity to the pipeline",
        ROLLBACK,
        "a fact and its fold for each activity: 8 to 12 write units",
    ),
    Stage.SHADOW: (
        "the same, and both sides' boards are compared every minute",
        ROLLBACK,
        "the comparator's reads",
    ),
    Stage.RAMPDOWN: (
        "the pipeline decides and serves; legacy is kept up, ready to take over",
        ROLLBACK,
        "legacy's three writes for each activity, in a transaction: 6 write units",
    ),
    Stage.COMPLETE: (
        "the migration ends: legacy is not needed any more",
        "none: there is no way back",
        "saves legacy's writes, once phase contract removes it",
    ),
}
_WORK: Final[Mapping[Action, tuple[str, str, str, str]]] = {
    Action.BACKFILL: (
        "legacy's history becomes facts, is folded in bulk and installed",
        "Scan legacy's events; PutItem facts; UpdateItem aggregates",
        "nothing to undo: facts stand, installing is by assignment",
        "`cutover backfill start --dry-run` has the numbers",
    ),
    Action.RECONCILE: (
        "both sides' activities are compared one by one, and what a mirror missed is re-driven",
        "Scan legacy's events and the facts; a put or a transaction for each that was missed",
        "nothing to undo: it only adds what is missing",
        "a read unit for 4 KB of either table",
    ),
    Action.DRILL: (
        "a little traffic goes to the pipeline, to rehearse taking it back",
        ONE_WRITE,
        ROLLBACK,
        "nothing more",
    ),
    Action.DRILL_BACK: ("it is taken back, as a rollback does it", ONE_WRITE, "none needed", "nothing more"),
    Action.DRILL_JUDGED: (
        "both sides are found equal after it, so the way back works",
        "Scan everything; one PutItem of the journal",
        "none needed",
        "a read unit for 4 KB of every table",
    ),
}
