"""Reasons: a cause with what it means for the migration, and the events that show it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from migration.model.cause import Cause

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from migration.model.side import Side

NAMED_AT_MOST: Final = 20  # events that one reason lists; it counts all of them


class Judgement(StrEnum):
    """What a difference means, best to worst; the worst of several wins.

    `explained` differences are legacy's own errors, or on their way: they fail nothing. `to_repair` has named
    events that the pipeline, or a mirror, still has to put right.
    """

    SAME = "same"
    EXPLAINED = "explained"
    TO_REPAIR = "to_repair"
    UNEXPLAINED = "unexplained"

    @property
    def fails(self) -> bool:
        """Whether a diff with it must not pass."""
        return self in (Judgement.TO_REPAIR, Judgement.UNEXPLAINED)


@dataclass(frozen=True, slots=True)
class Reason:
    """One cause of a difference.

    Attributes:
        cause: what happened.
        side: whose number it moves; None where it moves a place and no number.
        points: by how much it moves that number away from what it stands beside.
        events: ids of the events that show it, the first ones where there are many.
        count: how many events that list stands for.
        needed: how many of those it takes; fewer than `count` where the totals cannot tell which.
        note: what else is to be said.
        inherited: for `moved_by_others`, the worst that was found about those others.
    """

    cause: Cause
    side: Side | None
    points: int = 0
    events: tuple[str, ...] = ()
    count: int = 0
    needed: int = 0
    note: str = ""
    inherited: Judgement = Judgement.EXPLAINED

    @property
    def judgement(self) -> Judgement:
        """What it means for the migration."""
        if self.cause is Cause.UNEXPLAINED:
            return Judgement.UNEXPLAINED
        if self.cause is Cause.MOVED_BY_OTHERS:
            return self.inherited
        return Judgement.TO_REPAIR if self.cause.fails else Judgement.EXPLAINED

    @property
    def certain(self) -> bool:
        """Whether the listed events, and all of them, are the cause."""
        return self.needed == self.count

    def __str__(self) -> str:
        """Say it in a line."""
        return self.said(len(self.events))

    def said(self, most: int) -> str:
        """Say it in a line that lists so many events at most."""
        text = self.cause.text
        if self.events:
            more = self.count - min(most, len(self.events))
            listed = ", ".join(self.events[:most]) + (f" and {more:,} more" if more else "")
            text += f": {listed}" if self.certain else f": {self.needed:,} of {listed}"
        if self.note:
            text += f" ({self.note})"
        return f"{text} [{self.side} {self.points:+,}]" if self.points else text


def because(
    cause: Cause, side: Side, points: int, events: Collection[str], needed: int | None = None
) -> Reason:
    """Give a reason from all the ids of its events; it lists the first of them."""
    listed = tuple(sorted(events)[:NAMED_AT_MOST])
    count = len(events)
    return Reason(cause, side, points, listed, count, count if needed is None else needed)


def worst(judgements: Iterable[Judgement]) -> Judgement:
    """Give the worst of several; of none, `same`."""
    return max(judgements, key=list(Judgement).index, default=Judgement.SAME)


def merged(reasons: Iterable[Reason]) -> list[Reason]:
    """Join reasons that differ in their events only, as those of an aggregate's parts do."""
    found: dict[tuple[object, ...], Reason] = {}
    for one in reasons:
        key = (one.cause, one.side, one.certain, one.note, one.inherited)
        before = found.get(key)
        found[key] = one if before is None else _joined(before, one)
    return list(found.values())


def _joined(one: Reason, other: Reason) -> Reason:
    return replace(
        one,
        points=one.points + other.points,
        events=tuple(dict.fromkeys((*one.events, *other.events)))[:NAMED_AT_MOST],
        count=one.count + other.count,
        needed=one.needed + other.needed,
    )
