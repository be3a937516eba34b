"""Acknowledged activities against stored ones: each there once, with the content that was acknowledged.

It does not look at folds, and it does not know which side it judges.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from migration.compare.ledger.verdict import Finding, Place
from migration.model.cause import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from migration.model.acknowledgements import SideLedger
    from migration.model.fold import Activity, Identity


@dataclass(frozen=True, slots=True)
class FactCheck:
    """What comparing found, and how many facts only an unanswered send accounts for."""

    findings: Mapping[Identity, Finding]
    unknown_stored: int


def check_facts(side: SideLedger, facts: Mapping[Identity, Activity]) -> FactCheck:
    """Compare what was acknowledged with what is stored; `facts` holds no reserved ids."""
    findings = _renamed(side)
    lost: list[Activity] = []
    for identity, several in side.acknowledged.items():
        stored = facts.get(identity)
        if stored is None:
            lost.append(several[0].activity)
        elif wrong := [one.activity for one in several if one.activity != stored]:
            findings[identity] = _finding(Cause.ALTERED, wrong[0], _alteration(wrong[0], stored))
    unasked = [fact for identity, fact in facts.items() if identity not in side.acknowledged]
    extra = [fact for fact in unasked if not _accounted_for(fact, frozenset(side.unknown))]
    findings |= _lost_or_misplaced(lost, extra)
    return FactCheck(findings, len(unasked) - len(extra))


def _accounted_for(fact: Activity, unknown: frozenset[Activity]) -> bool:
    """Whether a send whose fate is unknown would have stored this fact."""
    return fact in unknown or replace(fact, event_id="") in unknown


def _lost_or_misplaced(lost: Iterable[Activity], extra: Iterable[Activity]) -> dict[Identity, Finding]:
    """Report lost and extra ones, as one finding where they are the same but for an id."""
    found = {}
    left = {fact.identity: fact for fact in extra}
    near = {shape: fact for fact in left.values() for shape in _shapes(fact)}
    for activity in lost:
        twin = next((near[shape] for shape in _shapes(activity) if shape in near), None)
        if twin is not None and twin.identity in left:
            del left[twin.identity]
            detail = f"stored as event {twin.event_id} of {twin.employee_id}"
            found[activity.identity] = _finding(Cause.MISPLACED, activity, detail)
        else:
            found[activity.identity] = _finding(Cause.LOST, activity, "acknowledged, but not in the table")
    for fact in left.values():
        found[fact.identity] = _finding(Cause.EXTRA, fact, "in the table, but nobody was answered for it")
    return found


def _shapes(activity: Activity) -> tuple[Activity, Activity]:
    """Blank one id out, so that activities which differ only there are equal."""
    return replace(activity, employee_id=""), replace(activity, event_id="")


def _renamed(side: SideLedger) -> dict[Identity, Finding]:
    """Find activities that came without an event id and, sent again, were taken for another one."""
    found = {}
    for names in side.unnamed.values():
        first, *others = sorted(names)
        for other in others:
            activity = side.acknowledged[other][0].activity
            found[other] = _finding(Cause.DOUBLED, activity, f"acknowledged before as event {first.event_id}")
    return found


def _finding(kind: Cause, activity: Activity, detail: str) -> Finding:
    ids = (activity.employee_id, activity.event_id, activity.program_id)
    return Finding(kind, Place.FACTS, detail, *ids, activity.points)


def _alteration(acknowledged: Activity, stored: Activity) -> str:
    was, found = asdict(acknowledged), asdict(stored)
    changed = [name for name in was if was[name] != found[name]]
    return "; ".join(f"{name} {was[name]!r} is stored as {found[name]!r}" for name in changed)
