"""The course of a cutover: which step comes next from where a migration stands, and when. It never acts.

The plan file's `[cutover]` parses into it.

    off ─ dualwrite ─ backfill ─ reconcile ─ shadow ─ reconcile ─ drill ─ reads 1 … 100 % ─ writes 1 … 100 % ─
    rampdown ─ complete

Nothing remembers how far a run was. The next step follows from the state and the journal alone, so the same
command goes on from any point, on any machine, also after a rollback.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field, field_validator

from migration.cutover.action import Action
from migration.model.backfill import MAX_WCU
from migration.model.part import PlanPart
from migration.model.stages import FULL_WEIGHT, Control, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.cutover.chronicle import Chronicle
    from migration.model.state import State

PERCENT: Final = FULL_WEIGHT // 100
_ALL: Final = 100  # percent


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        name: in the journal and on screens; unique in a course, but for what a rollback repeats.
        action: what it does.
        to: the routing that it leads to, for moves; its epoch means nothing.
        proofs: whether everything is folded and compared again before it.
        not_before: epoch seconds; the present state is watched until then.
    """

    name: str
    action: Action
    to: Control | None = None
    proofs: bool = False
    not_before: float = 0.0

    @property
    def enters(self) -> Stage | None:
        """The stage that it leads to; None when it moves nothing."""
        return None if self.to is None else self.to.stage


class CutoverPlan(PlanPart):
    """How traffic moves: in which steps, and how long each is watched before the next."""

    steps: Annotated[
        tuple[Annotated[int, Field(ge=1, le=100)], ...],
        Field(min_length=1, strict=False, description="Percent of traffic, growing, the last one 100"),
    ] = (1, 5, 25, 50, 100)
    bake_s: Annotated[float, Field(ge=0, description="Seconds that each step is watched")] = 300
    shadow_s: Annotated[float, Field(ge=0, description="Seconds that shadow is watched before live")] = 3600
    gates: Annotated[
        tuple[Literal["dualwrite", "shadow", "live", "rampdown", "complete"], ...],
        Field(strict=False, description="Stages that are entered only when a person says `cutover resume`"),
    ] = ()
    backfill_wcu: Annotated[
        float, Field(ge=1, description="Write units a second that the run's backfill uses at most")
    ] = MAX_WCU
    drill_percent: Annotated[int, Field(ge=1, le=100, description="Traffic that a rollback drill moves")] = 1
    drill_valid_s: Annotated[
        float, Field(gt=0, description="Seconds after which a rollback drill must be made again")
    ] = 86_400

    def next_step(self, state: State, so_far: Chronicle, now: float) -> Step | None:
        """Say what comes next; None when there is nothing more to do."""
        match state.stage:
            case Stage.OFF:
                return Step("dualwrite", Action.MOVE, Control(Stage.DUALWRITE))
            case Stage.DUALWRITE:
                return self._in_dualwrite(so_far)
            case Stage.SHADOW:
                return self._in_shadow(state, so_far, now)
            case Stage.LIVE:
                return self._in_live(state, so_far, now)
            case Stage.RAMPDOWN:
                return _move("complete", Control(Stage.COMPLETE), self._baked(so_far))
        return None

    def has_drill(self, so_far: Chronicle, now: float) -> bool:
        """Whether the way back was rehearsed recently enough."""
        return so_far.drilled_at is not None and now - so_far.drilled_at < self.drill_valid_s

    def moves(self) -> Iterator[Step]:
        """List every share of traffic; reads first: they are compared, and leave nothing behind."""
        for percent in self.steps:
            yield _move(f"reads {percent} %", Control(Stage.LIVE, 0, percent * PERCENT))
        for percent in self.steps:
            yield _move(f"writes {percent} %", Control(Stage.LIVE, percent * PERCENT, FULL_WEIGHT))

    def outline(self) -> list[Step]:
        """List the whole course from stage `off`, without trouble; times count from the step before."""
        shadow = Control(Stage.SHADOW)
        shares = [_move(one.name, one.to, self.bake_s) for one in self.moves() if one.to is not None]
        return [
            Step("dualwrite", Action.MOVE, Control(Stage.DUALWRITE)),
            Step("backfill", Action.BACKFILL),
            Step("reconcile", Action.RECONCILE),
            _move("shadow", shadow),
            Step("reconcile", Action.RECONCILE, not_before=self.shadow_s),
            self._drill(shadow),
            Step("drill back", Action.DRILL_BACK, shadow, not_before=self.drill_s),
            Step("drill judged", Action.DRILL_JUDGED, proofs=True),
            Step("reconcile", Action.RECONCILE),
            *shares,
            _move("rampdown", Control(Stage.RAMPDOWN), self.bake_s),
            _move("complete", Control(Stage.COMPLETE), self.bake_s),
        ]

    @property
    def drill_s(self) -> float:
        """How long a drill lets the pipeline have its little traffic."""
        return min(self.bake_s, _LONGEST_DRILL_S)

    @field_validator("steps")
    @classmethod
    def _growing(cls, steps: tuple[int, ...]) -> tuple[int, ...]:
        if list(steps) != sorted(set(steps)) or steps[-1] != _ALL:
            raise ValueError("must grow from step to step and end in 100")
        return steps

    def _in_dualwrite(self, so_far: Chronicle) -> Step:
        if not so_far.backfilled:
            return Step("backfill", Action.BACKFILL)
        if not so_far.reconciled:
            return Step("reconcile", Action.RECONCILE)
        return _move("shadow", Control(Stage.SHADOW))

    def _in_shadow(self, state: State, so_far: Chronicle, now: float) -> Step:
        if _is_unjudged(so_far):
            return _JUDGING
        watched = so_far.shadowed_at + self.shadow_s
        if not so_far.reconciled:
            return Step("reconcile", Action.RECONCILE, not_before=watched)
        if not self.has_drill(so_far, now):
            return replace(self._drill(state.control), not_before=watched)
        return replace(next(self.moves()), not_before=watched)

    def _in_live(self, state: State, so_far: Chronicle, now: float) -> Step:
        if so_far.step == Action.DRILL:
            until = so_far.state_at + self.drill_s
            return Step("drill back", Action.DRILL_BACK, so_far.before, not_before=until)
        if _is_unjudged(so_far):
            return _JUDGING
        baked = self._baked(so_far)
        if not self.has_drill(so_far, now):
            return replace(self._drill(state.control), not_before=baked)
        for move in self.moves():
            if move.to is not None and _gives_more(move.to, state.control):
                return replace(move, not_before=baked)
        return _move("rampdown", Control(Stage.RAMPDOWN), baked)

    def _drill(self, control: Control) -> Step:
        """Give the pipeline a little more than it has, so that taking it back is rehearsed."""
        little = self.drill_percent * PERCENT
        more = [min(weight + little, FULL_WEIGHT) for weight in (control.write_weight, control.read_weight)]
        return Step("drill", Action.DRILL, Control(Stage.LIVE, *more), proofs=True)

    def _baked(self, so_far: Chronicle) -> float:
        return so_far.state_at + self.bake_s


_LONGEST_DRILL_S: Final = 60.0
_JUDGING: Final = Step("drill judged", Action.DRILL_JUDGED, proofs=True)


def _move(name: str, to: Control, not_before: float = 0.0) -> Step:
    return Step(name, Action.MOVE, to, proofs=True, not_before=not_before)


def _is_unjudged(so_far: Chronicle) -> bool:
    return so_far.step == Action.DRILL_BACK and not so_far.drill_judged


def _gives_more(to: Control, now: Control) -> bool:
    """Whether a share is the next one up: reads first; what an operator gave already is not taken back."""
    if to.write_weight:
        return to.write_weight > now.write_weight
    return to.read_weight > now.read_weight
