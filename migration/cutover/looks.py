"""One turn of a run, as whoever watches it sees it: where it stands, what comes next, and why not yet.

Decides what a run waits for, for the run itself and for whoever asks where it stands. It never acts.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from migration.cutover.action import Action
from migration.model.guardrails import DOOR_SETTLED, MIRROR_MISSES, Outcome, worst

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migration.cutover.chronicle import Chronicle
    from migration.cutover.course import CutoverPlan, Step
    from migration.model.guardrails import GuardrailVerdict
    from migration.model.state import State


SETTLED_AFTER_S: Final = 2.0  # the promise of the doors' caches
SEEN_AFTER_S: Final = 15.0  # by then a pulse through each door has shown by what it routes
PROVE_AGAIN_S: Final = 10.0  # after proofs that did not pass
_WORKED: Final = (Action.BACKFILL, Action.RECONCILE)


class Ending(StrEnum):
    """How a run ends by itself."""

    REACHED = "reached"
    ROLLED_BACK = "rolled back"


class Waits(StrEnum):
    """For what a run waits."""

    PERSON = "a person"
    GUARDRAIL = "a guardrail"
    TIME = "time"
    WORK = "work"


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a step is not done yet.

    Attributes:
        waits: for what.
        why: in words.
        outcome: of the guardrails that hold it.
        over: whether what was waited for has just come, so that the next turn need not wait.
    """

    waits: Waits
    why: str
    outcome: Outcome = Outcome.PASS
    over: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """One turn of the loop, for whoever watches.

    Attributes:
        state: where the migration stands.
        step: what comes next; None at the end.
        hold: why it is not done yet; None when it is being done.
        vitals: the guardrails of this turn.
        proofs: the last proofs of this state.
        ending: how the run ends; None when it goes on.
        why: what there is to say of the ending.
    """

    state: State
    step: Step | None
    hold: Hold | None = None
    vitals: Sequence[GuardrailVerdict] = ()
    proofs: Sequence[GuardrailVerdict] = ()
    ending: Ending | None = None
    why: str = ""


def is_other_plan(state: State, plan: str) -> bool:
    """Whether another plan was agreed to than the file has now; nothing goes forward by that."""
    return state.plan not in ("", plan)


def waits(  # noqa: PLR0913, PLR0917 - a decision's own six facts
    course: CutoverPlan,
    state: State,
    so_far: Chronicle,
    step: Step,
    vitals: Sequence[GuardrailVerdict],
    now: float,
) -> Hold | None:
    """Say what keeps a run from what is next; None when it does that now.

    The move before must have taken effect; then come a person, guardrails, time. Doors that are idle hold
    nothing: a move is confirmed before, and their caches are over by then. What mirrors missed holds no
    reconcile, which settles it.
    """
    if not so_far.confirmed:
        return unsettled(state, so_far, vitals, now)
    telling = [one for one in vitals if (one.name, one.outcome) != (DOOR_SETTLED, Outcome.INCONCLUSIVE)]
    if step.action in _WORKED:
        telling = [one for one in telling if one.name != MIRROR_MISSES]
    return for_a_person(course, state, so_far, step) or for_guardrails(telling) or _for_time(step, now)


def at_work(so_far: Chronicle, step: Step) -> Hold | None:
    """Say what a run is at when nothing keeps it from that; None for what is one write."""
    if not so_far.confirmed:
        return has_taken_effect(so_far)
    if step.action in _WORKED:
        return Hold(Waits.WORK, f"{step.name} is under way")
    return Hold(Waits.WORK, "everything is folded and compared again") if step.proofs else None


def has_taken_effect(so_far: Chronicle) -> Hold:
    """Say that a move has taken effect, which is taken down before anything else."""
    return Hold(Waits.WORK, f"{so_far.step} has taken effect", over=True)


def unsettled(state: State, so_far: Chronicle, vitals: Sequence[GuardrailVerdict], now: float) -> Hold | None:
    """Hold until a move was seen to take effect: the caches are over, and the doors that answer follow it.

    Where nobody looks at doors (in `off` they tell nothing, or the plan says so), the caches' end is all.
    """
    settled, passed_s = of_doors(vitals), now - so_far.state_at
    outcome = worst(settled)
    if outcome is Outcome.PASS and not 0 <= passed_s < SETTLED_AFTER_S:  # below 0: clocks are apart
        return None
    why = explain(settled) or f"their caches last {SETTLED_AFTER_S:.0f} s"
    text = f"every door must route by epoch {state.epoch}: {why}"
    if 0 <= passed_s < SEEN_AFTER_S:
        return Hold(Waits.TIME, text)
    return Hold(Waits.GUARDRAIL, f"{text}; see the doors' logs and `cutover preflight`", outcome)


def is_seen(vitals: Sequence[GuardrailVerdict]) -> bool:
    """Whether doors were seen to route by the state."""
    settled = of_doors(vitals)
    return bool(settled) and all(one.outcome is Outcome.PASS for one in settled)


def of_doors(vitals: Sequence[GuardrailVerdict]) -> list[GuardrailVerdict]:
    """Give the verdict on whether the doors have settled."""
    return [one for one in vitals if one.name == DOOR_SETTLED]


def for_a_person(course: CutoverPlan, state: State, so_far: Chronicle, step: Step) -> Hold | None:
    """Hold until a person says to go on; None when nobody has to."""
    enters = step.enters
    if state.paused:
        return Hold(Waits.PERSON, f"paused: {state.paused}")
    if enters is None or enters is state.stage:
        return None
    if state.postponed is enters:
        return Hold(Waits.PERSON, f"{enters} is postponed until `cutover resume`")
    if enters in course.gates and not so_far.resumed:
        return Hold(Waits.PERSON, f"{enters} is entered when a person says `cutover resume`")
    return None


def _for_time(step: Step, now: float) -> Hold | None:
    left_s = step.not_before - now
    return Hold(Waits.TIME, f"watching for another {left_s:.0f} s") if left_s > 0 else None


def for_guardrails(verdicts: Sequence[GuardrailVerdict]) -> Hold | None:
    """Hold until every guardrail passes; None when they do."""
    outcome = worst(verdicts)
    return None if outcome is Outcome.PASS else Hold(Waits.GUARDRAIL, explain(verdicts), outcome)


def explain(verdicts: Sequence[GuardrailVerdict]) -> str:
    """Say of each guardrail that does not pass what it came to, and why."""
    bad = [one for one in verdicts if one.counted is not Outcome.PASS]
    return "; ".join(f"{one.name}: {one.outcome}, {one.why}" for one in bad)
