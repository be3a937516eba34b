"""What a check comes to: a verdict with its arithmetic, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migration.model.guardrails import GuardrailVerdict, Outcome
from migration.preflight.deployed import Missing, Unread

if TYPE_CHECKING:
    from collections.abc import Callable

    from migration.preflight.deployed import Read, T

DEPLOY = "deploy the stack again (docs/deploying.md): `pulumi up`, or `cutover local up`"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check's result; its verdict has the time when everything was read."""

    name: str
    outcome: Outcome
    why: str
    remedy: str = ""
    dry: bool = False

    def verdict(self, read_at: float) -> GuardrailVerdict:
        """Give it as a guardrail's verdict."""
        return GuardrailVerdict(self.name, self.outcome, self.why, read_at, self.dry)


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a stack, with the remedy for what it found; empty when it passed."""

    verdict: GuardrailVerdict
    remedy: str


def held(name: str, why: str) -> CheckResult:
    """It is as it must be."""
    return CheckResult(name, Outcome.PASS, why)


def broken(name: str, why: str, remedy: str, *, dry: bool = False) -> CheckResult:
    """It is not; dry when that is a warning only."""
    return CheckResult(name, Outcome.FAIL, why, remedy, dry)


def undecided(name: str, why: str, remedy: str) -> CheckResult:
    """There is too little to judge by."""
    return CheckResult(name, Outcome.INCONCLUSIVE, why, remedy)


def judged(name: str, problems: list[str], good: str, remedy: str, *, dry: bool = False) -> CheckResult:
    """It is broken by every problem, or held without one."""
    return broken(name, "; ".join(problems), remedy, dry=dry) if problems else held(name, good)


class GapError(TypeError):
    """A check took for known what is missing, or was not read."""

    def __init__(self, thing: Missing | Unread) -> None:
        super().__init__(f"{thing} was not looked at")
        self.thing = thing


def known(thing: Read[T]) -> T:
    """Take a thing that was read.

    Raises:
        GapError: when there is none.
    """
    if isinstance(thing, Missing | Unread):
        raise GapError(thing)
    return thing


def checked(name: str, judge: Callable[[str], CheckResult]) -> CheckResult:
    """Judge; the first thing that is not known is the check's result."""
    try:
        return judge(name)
    except GapError as error:
        return _unknown(name, error.thing)


def _unknown(name: str, thing: Missing | Unread) -> CheckResult:
    if isinstance(thing, Missing):
        return broken(name, f"{thing.what} is not there", DEPLOY)
    outcome = Outcome.ERROR if thing.answered else Outcome.INCONCLUSIVE
    return CheckResult(name, outcome, thing.why, "see that it can be read, then run this again")
