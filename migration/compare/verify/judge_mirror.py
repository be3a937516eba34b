"""An employee's facts against legacy's events: each activity on both sides, once, with the same content."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from migration.compare.verify.verification import Class, Difference, difference_of
from migration.model.side import Side

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
            detail = (
                "legacy has it, and there is no fact: a forward mirror missed it, or it is not backfilled"
            )
            yield difference_of(Class.MIRROR_MISSED, event, detail)
        elif stored[identity].activity != event:
            yield difference_of(Class.ALTERED, event, _alteration(event, stored[identity].activity))
    for identity, fact in stored.items():
        if identity not in known:
            yield _without_event(fact, horizon)


def _without_event(fact: StoredFact, horizon: Horizon) -> Difference:
    if horizon.on_its_way(fact):
        return difference_of(Class.IN_FLIGHT, fact.activity, "a fact that legacy does not have yet")
    if fact.side is Side.PIPELINE:
        detail = "the pipeline accepted it, and legacy does not have it: the reverse mirror missed it"
        return difference_of(Class.MIRROR_MISSED, fact.activity, detail)
    return difference_of(Class.EXTRA, fact.activity, "a fact of legacy's, and legacy does not have it")


def _alteration(event: Activity, fact: Activity) -> str:
    was, found = asdict(event), asdict(fact)
    changed = [name for name in was if was[name] != found[name]]
    return "; ".join(f"{name} is {was[name]!r} in legacy and {found[name]!r} in the fact" for name in changed)
