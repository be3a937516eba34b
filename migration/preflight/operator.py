"""The operator: what they may do, and whether their machine's clock agrees with AWS's."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from migration.model.guardrails import Outcome
from migration.preflight.check import CheckResult, broken, checked, held, known, undecided

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.preflight.deployed import Deployed

# A lease lasts 15 s and is renewed every 3; a bench of machines that differ by more would take it from each
# other, and the journal's times would tell another story than its epochs.
MOST_SKEW_S: Final = 5.0
SHOWN: Final = 8


def check_operator(deployed: Deployed) -> Iterator[CheckResult]:
    """Check both."""
    yield _permissions(deployed)
    yield checked("clock", partial(_clock, deployed))


def _permissions(deployed: Deployed) -> CheckResult:
    name, grants = "permissions", deployed.grants
    denied = [f"{one.action} on {one.resource}" for one in grants if one.allowed is False]
    unknown = [f"{one.action} on {one.resource}: {one.how}" for one in grants if one.allowed is None]
    how = ", ".join(dict.fromkeys(one.how for one in grants if one.allowed is not None))
    if denied:
        why = f"{deployed.who} may not {_some(denied)} ({how})"
        return broken(name, why, "attach a policy that allows it (docs/preflight.md), or use another role")
    allowed = f"{deployed.who}: {len(grants) - len(unknown)} of {len(grants)} actions are allowed ({how})"
    if unknown:
        return undecided(name, f"{allowed}; {_some(unknown)}", "docs/preflight.md lists what is needed")
    return held(name, allowed)


def _some(things: list[str]) -> str:
    more = len(things) - SHOWN
    return ", ".join(things[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _clock(deployed: Deployed, name: str) -> CheckResult:
    skew = known(deployed.skew)
    off_s, doubt_s = abs(skew.ahead_s), skew.give_or_take_s
    side = "ahead of" if skew.ahead_s > 0 else "behind"
    why = f"this clock is {off_s:.1f} s {side} AWS's, give or take {doubt_s:.1f} s; {MOST_SKEW_S:g} s may be"
    remedy = "let the machine set its clock by itself (NTP)"
    if off_s - doubt_s > MOST_SKEW_S:
        return broken(name, why, remedy)
    if off_s + doubt_s > MOST_SKEW_S:
        return CheckResult(name, Outcome.INCONCLUSIVE, why, "run this again; the answer took too long")
    return held(name, why)
