"""When a breached guardrail rolls a migration back: one decision, for `cutover run` and for the watchdog.

    look      1     2     3     4     5     6
    verdict   fail  pass  fail  error fail  fail
    counted   1     -     1     1     2     3  ─► roll back, with looks = 3

One look may be a hiccup, so a guardrail must fail in several looks in a row. A look that could not be made
(`error`) neither counts nor clears; one that found too little to judge by (`inconclusive`) clears. What only
says that legacy is behind never rolls back, which would move clients to legacy: people are told. It explains
itself, and never acts.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from migration.model.guardrails import DOOR_SETTLED, Outcome
from migration.model.stages import Control, Stage
from migration.model.transitions import ROLLBACK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from migration.model.guardrails import GuardrailVerdict
    from migration.model.state import State

# Where clients depend on the pipeline. Before, a breach only keeps the migration from going forward.
WATCHED: Final = frozenset({Stage.LIVE, Stage.RAMPDOWN})


@dataclass(frozen=True, slots=True)
class WatchLimits:
    """How much of a breach is one.

    Attributes:
        looks: in how many looks in a row a guardrail must fail.
        lasting_s: and for how long; above 0 where somebody else is expected to act first.
    """

    looks: int = 3
    lasting_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Breach:
    """A guardrail that fails, look after look.

    Attributes:
        verdict: of the newest look that failed.
        looks: how many failed.
        since: when the first of them was, epoch seconds.
    """

    verdict: GuardrailVerdict
    looks: int
    since: float

    @property
    def lasted_s(self) -> float:
        """From the first failed look to the newest."""
        return self.verdict.observed_at - self.since

    def __str__(self) -> str:
        """Say what failed, how often, and the newest look's arithmetic."""
        looks = "1 look" if self.looks == 1 else f"{self.looks} looks in {self.lasted_s:.0f} s"
        return f"{self.verdict.name} failed in {looks}: {self.verdict.why}"


@dataclass(frozen=True, slots=True)
class GoOn:
    """Nothing is breached, or nothing that clients depend on."""

    why: str


@dataclass(frozen=True, slots=True)
class KeepWatching:
    """Something is breached, and not yet for long enough."""

    why: str


@dataclass(frozen=True, slots=True)
class RollBack:
    """Go back, and where to; its epoch says nothing."""

    to: Control
    why: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something is breached for long enough, and going back would make it worse: people must hear of it."""

    why: str


Decision = GoOn | KeepWatching | Alarm | RollBack


def count_breaches(breaches: Mapping[str, Breach], verdicts: Iterable[GuardrailVerdict]) -> dict[str, Breach]:
    """Count one more look; `breaches` are those of the looks before, by the guardrail's name."""
    counted = {}
    for one in verdicts:
        if one.name == DOOR_SETTLED:
            continue
        known = breaches.get(one.name)
        if one.counted is Outcome.FAIL:
            looks, since = (known.looks + 1, known.since) if known else (1, one.observed_at)
            counted[one.name] = Breach(one, looks, since)
        elif one.counted is Outcome.ERROR and known:
            counted[one.name] = known
    return counted


def decide(control: Control, breaches: Mapping[str, Breach], limits: WatchLimits) -> Decision:
    """Decide what the breaches so far come to."""
    if control.stage not in WATCHED:
        return GoOn(f"in stage {control.stage} no client depends on the pipeline")
    if not breaches:
        return GoOn("no guardrail is breached")
    enough = [one for one in breaches.values() if _is_enough(one, limits)]
    if going_back := [one for one in enough if one.verdict.rolls_back]:
        return RollBack(Control(ROLLBACK[control.stage]), "; ".join(map(str, going_back)))
    if enough:
        return Alarm(f"{'; '.join(map(str, enough))}; it holds, and does not roll back: legacy is behind")
    allowed = f"{limits.looks} looks" + (f" in {limits.lasting_s:g} s or more" if limits.lasting_s else "")
    return KeepWatching(f"{'; '.join(map(str, breaches.values()))}; it rolls back after {allowed}")


def _is_enough(breach: Breach, limits: WatchLimits) -> bool:
    return breach.looks >= limits.looks and breach.lasted_s >= limits.lasting_s


@dataclass(slots=True)
class Watch:
    """What one process has seen so far of one state, look by look; another state is judged afresh."""

    limits: WatchLimits = WatchLimits()
    breaches: Mapping[str, Breach] = field(default_factory=dict, init=False)
    _epoch: int = field(default=-1, init=False)

    def after(self, state: State, verdicts: Sequence[GuardrailVerdict], lasting_s: float = 0.0) -> Decision:
        """Take in one look, and decide; `lasting_s` is how long a breach must have lasted besides."""
        before = self.breaches if state.epoch == self._epoch else {}
        self.breaches = count_breaches(before, verdicts) if state.stage in WATCHED else {}
        self._epoch = state.epoch
        limits = replace(self.limits, lasting_s=max(self.limits.lasting_s, lasting_s))
        return decide(state.control, self.breaches, limits)
