"""An employee's facts against legacy's events: each activity on both sides, once, with the same content."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from migration.compare.verify.verification import Difference, difference_of
from migration.model.cause import Cause, absent_from_legacy
from migration.model.misfit import misfit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migration.compare.verify.verification import Horizon
    from migration.model.facts import StoredFact
    from migration.model.fold import Activity


def judge_mirror(
    events: Sequence[Activity], facts: Sequence[StoredFact], horizon: Horizon
) -> Iterator[Difference]:
    """Compare what both sides stored of an employee."""
    stored = {fact.activity.identity: fact for fact in facts if not fact.activity.reserved}
    known = {event.identity: event for event in events}
    for identity, event in known.items():
        if identity not in stored:
            yield difference_of(Cause.MIRROR_MISSED, event, _missed(event))
        elif stored[identity].activity != event:
            yield difference_of(Cause.ALTERED, event, _alteration(event, stored[identity].activity))
    for identity, fact in stored.items():
        if identity not in known:
            yield _without_event(fact, horizon)


def _missed(event: Activity) -> str:
    problem = misfit(event)
    text = Cause.MIRROR_MISSED.text
    return text if problem is None else f"{text}; it can be no fact: {problem}"


def _without_event(fact: StoredFact, horizon: Horizon) -> Difference:
    if horizon.on_its_way(fact):
        return difference_of(Cause.IN_FLIGHT, fact.activity, "a fact that legacy does not have yet")
    cause = absent_from_legacy(fact.side, fact.lane)
    return difference_of(cause, fact.activity, cause.text)


def _alteration(event: Activity, fact: Activity) -> str:
    was, found = asdict(event), asdict(fact)
    changed = [name for name in was if was[name] != found[name]]
    return "; ".join(f"{name} is {was[name]!r} in legacy and {found[name]!r} in the fact" for name in changed)
