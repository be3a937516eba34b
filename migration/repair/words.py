"""The words of a repair: what is done about a difference, to which row, by what name, and what became of it.

A compensation's name is made of its row and of how many compensations the row had when it was found damaged.
So of two repairs that saw the same damage one takes the name; the other changes nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from migration.model.facts import Lane
from migration.model.fold import NOTHING, Fold, Identity, Row
from migration.model.wording import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from migration.compare.verify.verification import Difference, Off, VerifyReport
    from migration.model.cause import Cause
    from migration.model.facts import Restatement, StoredFact
    from migration.model.stages import Stage
    from migration.repair.differing import Decision

REPAIR: Final = "#repair"  # reserved: no employee is called so
PROGRAM: Final = "#program"
NAMED: Final = 10  # events in words
Part = tuple[Row, Lane]


class RepairAction(StrEnum):
    """What is to be done about a difference."""

    REDRIVE = "redrive"
    COMPENSATE = "compensate"
    INSTALL = "install_history"
    RESTORE = "restore_fact"
    RESTATE = "restate_fact"
    RECONCILE = "reconcile"
    WAIT = "wait"
    LEAVE = "leave"

    @property
    def writes(self) -> bool:
        """Whether it changes a table."""
        return self not in (RepairAction.WAIT, RepairAction.LEAVE)


class DeedOutcome(StrEnum):
    """What became of a deed."""

    DONE = "done"
    DONE_BEFORE = "done_before"
    MOVED_ON = "moved_on"  # the damage is not what was agreed on any more; nothing was written
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Remedy:
    """What is to be done about one difference, and why.

    Attributes:
        difference: as it was verified.
        action: what is done.
        why: in words; for a person, where nothing is done.
        fact: the one that is re-driven or put back.
        closes: an event that is closed first, so that no message can fold it beside the repair, or after it.
        decision: what a reconcile does.
        restates: a fact that gets legacy's content.
    """

    difference: Difference
    action: RepairAction
    why: str
    fact: StoredFact | None = None
    closes: Identity | None = None
    decision: Decision | None = None
    restates: Restatement | None = None

    @property
    def off(self) -> tuple[Off, ...]:
        """Which rows it adds to by itself, and what they are off."""
        return self.difference.off if self.action in (RepairAction.COMPENSATE, RepairAction.INSTALL) else ()

    @property
    def name(self) -> str:
        """What it is about, in words."""
        one = self.difference
        kind = words(one.kind)
        if one.event_id is None:
            return f"{kind} in {' x '.join(filter(None, (one.employee_id, one.program_id)))}"
        return f"{kind} event {one.event_id} of {one.employee_id}"


@dataclass(frozen=True, slots=True)
class RepairPlan:
    """What a repair would do.

    Attributes:
        report: the verification that it rests on.
        remedies: one for each difference.
        stage: where the migration stood.
    """

    report: VerifyReport
    remedies: Sequence[Remedy]
    stage: Stage

    @property
    def writes(self) -> int:
        """How many differences something is done about."""
        return sum(one.action.writes for one in self.remedies)

    @property
    def counts(self) -> Counter[tuple[Cause, RepairAction]]:
        """Count by what differs and what is to be done."""
        return Counter((one.difference.kind, one.action) for one in self.remedies)

    def having(self, action: RepairAction) -> list[Remedy]:
        """Choose those of one kind."""
        return [one for one in self.remedies if one.action is action]


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that was done, or found to be done, or not to be done any more.

    Attributes:
        action, outcome: what, and what became of it.
        id: the same for whoever does the same: a compensation's identity, an event's, a row's.
        about: events or rows, in words.
        detail: what became of it, in words.
        row, lane, delta: what was added to which row, if anything.
    """

    action: RepairAction
    outcome: DeedOutcome
    id: str
    about: str
    detail: str
    row: Row | None = None
    lane: Lane | None = None
    delta: Fold = NOTHING


@dataclass(frozen=True, slots=True)
class Compensation:
    """One addition to a live row; its identity is in the dedup table, so it is made once.

    Attributes:
        row: what is added to.
        number: how many compensations the row had when it was found damaged, and one.
        delta: what is added.
        events: which events it is about, for whoever finds its entry.
    """

    row: Row
    number: int
    delta: Fold
    events: str = ""

    @property
    def identity(self) -> str:
        """What one of two repairs can take."""
        return "\n".join((REPAIR, self.row.employee_id or PROGRAM, self.row.program_id, str(self.number)))


def compensations_of(row: Row, is_taken: Callable[[str], bool]) -> int:
    """Count the compensations of a row; their numbers have no gaps."""
    numbers = (number for number in count(1) if not is_taken(Compensation(row, number, NOTHING).identity))
    return next(numbers) - 1


def identity_of(difference: Difference) -> Identity:
    """Name the event that a difference is about; empty where it is about a row."""
    return Identity(difference.employee_id or "", difference.event_id or "")


def parts_off(remedies: Iterable[Remedy]) -> dict[Part, Fold]:
    """Sum up what each part of a row is off, because of all differences in it that are compensated.

    Programs come first: a repair that is killed leaves employees' rows, whose few facts name what is left.
    """
    sums: defaultdict[Part, Fold] = defaultdict(Fold)
    for remedy in remedies:
        for off in remedy.off:
            sums[off.row, off.lane] += off.fold
    programs_first = sorted(sums.items(), key=lambda one: one[0][0].employee_id is not None)
    return {part: fold for part, fold in programs_first if fold != NOTHING}


def held_up(remedies: Iterable[Remedy], changed: Iterable[Part]) -> set[Part]:
    """Find the parts that must wait, because an event's rows are set right together or not at all.

    An employee's rows name what their program's row is off; without them, two events in it have no names.

    Args:
        remedies: all of them.
        changed: parts that are not damaged any more as agreed.
    """
    parts = [{(off.row, off.lane) for off in remedy.off} for remedy in remedies]
    held = set(changed)
    while more := {part for together in parts if together & held for part in together} - held:
        held |= more
    return held


def about_parts(remedies: Iterable[Remedy]) -> dict[Part, str]:
    """Name the events behind each part of a row that is set right."""
    names: defaultdict[Part, list[str]] = defaultdict(list)
    for remedy in remedies:
        for off in remedy.off:
            names[off.row, off.lane].append(remedy.name)
    return {part: ", ".join(dict.fromkeys(listed[:NAMED])) for part, listed in names.items()}


def remedy_detail(remedy: Remedy) -> dict[str, Any]:
    """Write what is decided for programs: the journal, and `--output json`."""
    one = remedy.difference
    ids = {name: getattr(one, name) for name in ("employee_id", "event_id", "program_id", "points")}
    return {"kind": one.kind, **ids, "found": one.detail, "action": remedy.action, "why": remedy.why}


def deed_detail(deed: Deed) -> dict[str, Any]:
    """Write a deed for programs: the journal, and `--output json`."""
    return {
        "action": deed.action,
        "outcome": deed.outcome,
        "id": deed.id,
        "about": deed.about,
        "detail": deed.detail,
        "row": None if deed.row is None else str(deed.row),
        "lane": deed.lane,
        "delta": asdict(deed.delta),
    }
