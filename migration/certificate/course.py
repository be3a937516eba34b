"""What the journal says of a cutover: how traffic went, what guardrails said, what was rehearsed.

Decides what of an entry counts as what. It reads tolerantly: an entry without a detail that it
looks for is no error, it only proves nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from migration.cutover.action import Action
from migration.cutover.moves import control_words
from migration.model.guardrails import Outcome
from migration.model.journal import EntryKind, control_of
from migration.model.stages import FULL_WEIGHT, Control, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migration.model.journal import Entry

DRILLS: Final = frozenset({Action.DRILL, Action.DRILL_BACK, Action.DRILL_JUDGED})
PATHS: Final = ("reads", "writes")


@dataclass(frozen=True, slots=True)
class RoutingSpan:
    """How traffic was routed from one move on.

    Attributes:
        at: when the move was written.
        epoch: of the state.
        stage: in which it was.
        writes, reads: percent that the pipeline answered.
        was, text: the state before, and the state, for people.
        by: who moved.
        step: the plan's step, or the command.
        drill: whether it belongs to a rehearsal.
        rollback: whether it was gone back to, other than in a rehearsal.
        cause: why, of a way back.
        settled_s: until every door routed by it; None where that was not seen.
    """

    at: str
    epoch: int
    stage: Stage
    writes: float
    reads: float
    was: str
    text: str
    by: str
    step: str
    drill: bool
    rollback: bool
    cause: str
    settled_s: float | None


@dataclass(frozen=True, slots=True)
class Drill:
    """A rehearsal of the way back that ended."""

    at: str
    path: str
    ok: bool
    seconds: float | None
    text: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one guardrail said over the whole cutover.

    Attributes:
        name: which.
        looks: how often it was taken down, by outcome.
        dry: whether it only told.
        last: what it came to last.
        why: the arithmetic of the last look.
        at: when that was taken down.
    """

    name: str
    looks: Mapping[Outcome, int]
    dry: bool
    last: Outcome
    why: str
    at: str


@dataclass(frozen=True, slots=True)
class RepairNote:
    """Data that was driven again or compensated, or a person's words."""

    at: str
    text: str


@dataclass(frozen=True, slots=True)
class JournalReading:
    """The journal, read as a certificate has it; everything in order of time.

    Attributes:
        legs: one for each move that changed how traffic goes.
        drills, evidence, repairs: see there.
        holds: how often going forward was paused, postponed or resumed.
        plans: hashes of the plans that moves were made by, the last one last.
        entries: how many the journal has.
        last: the id of the last one; a journal that goes on from there says more.
    """

    legs: Sequence[RoutingSpan] = ()
    drills: Sequence[Drill] = ()
    evidence: Sequence[Evidence] = ()
    repairs: Sequence[RepairNote] = ()
    holds: int = 0
    plans: Sequence[str] = ()
    entries: int = 0
    last: str = ""

    @property
    def rollbacks(self) -> list[RoutingSpan]:
        """The ways back that were no rehearsal."""
        return [leg for leg in self.legs if leg.rollback]

    def drilled(self, path: str) -> bool:
        """Whether the last rehearsal of a path went well."""
        return next((one.ok for one in reversed(self.drills) if one.path == path), False)


def read_course(entries: Sequence[Entry]) -> JournalReading:
    """Read a journal, in order."""
    moves = [(entry, *controls) for entry in entries if (controls := _controls(entry)) is not None]
    moved = [(entry, was, to) for entry, was, to in moves if _routing(was) != _routing(to)]
    return JournalReading(
        [_leg(entry, was, to, _settled(entries, entry.epoch)) for entry, was, to in moved],
        [_drill(entry) for entry in entries if entry.kind is EntryKind.DRILLED],
        _evidence(entries),
        [RepairNote(entry.at, entry.text) for entry in entries if entry.kind is EntryKind.REPAIRED],
        len(moves) - len(moved),
        list(dict.fromkeys(plan for entry, *_ in moves if (plan := str(entry.detail.get("plan") or "")))),
        len(entries),
        entries[-1].id if entries else "",
    )


def percent_of(control: Control) -> tuple[float, float]:
    """Tell how much of writes and of reads the pipeline answers, in percent."""
    if control.stage is Stage.LIVE:
        return control.write_weight * 100 / FULL_WEIGHT, control.read_weight * 100 / FULL_WEIGHT
    whole = 100.0 if control.stage in (Stage.RAMPDOWN, Stage.COMPLETE) else 0.0
    return whole, whole


def _controls(entry: Entry) -> tuple[Control, Control] | None:
    if entry.kind is not EntryKind.DONE:
        return None
    try:
        return control_of(entry.detail["was"]), control_of(entry.detail["to"])
    except (KeyError, TypeError, ValueError):
        return None


def _routing(control: Control) -> tuple[Stage, int, int]:
    return control.stage, control.write_weight, control.read_weight


def _leg(entry: Entry, was: Control, to: Control, settled_s: float | None) -> RoutingSpan:
    writes, reads = percent_of(to)
    drill = entry.step in DRILLS
    back = bool(entry.detail.get("rollback"))
    return RoutingSpan(
        at=entry.at,
        epoch=to.epoch,
        stage=to.stage,
        writes=writes,
        reads=reads,
        was=control_words(was),
        text=control_words(to),
        by=entry.by,
        step=entry.step,
        drill=drill,
        rollback=back and not drill,
        cause=str(entry.detail.get("cause") or "") if back else "",
        settled_s=settled_s,
    )


def _settled(entries: Sequence[Entry], epoch: int) -> float | None:
    """Find when a move was seen to have taken effect: the first that says so of its epoch."""
    return next(
        (
            seconds
            for entry in entries
            if entry.kind is EntryKind.CONFIRMED and entry.epoch == epoch
            if (seconds := _number(entry.detail.get("seconds"))) is not None
        ),
        None,
    )


def _drill(entry: Entry) -> Drill:
    detail = entry.detail
    ok, path = detail.get("ok") is True, str(detail.get("path") or "")
    return Drill(entry.at, path, ok, _number(detail.get("seconds")), entry.text)


def _evidence(entries: Sequence[Entry]) -> list[Evidence]:
    looks: defaultdict[str, Counter[Outcome]] = defaultdict(Counter)
    last: dict[str, tuple[Mapping[str, Any], Outcome, str]] = {}
    for entry in entries:
        for verdict in entry.detail.get("verdicts") or ():
            name, outcome = verdict.get("name"), verdict.get("outcome")
            if name and outcome in set(Outcome):
                looks[name][Outcome(outcome)] += 1
                last[name] = (verdict, Outcome(outcome), entry.at)
    return [
        Evidence(
            name,
            dict(looks[name]),
            bool(verdict.get("dry")),
            outcome,
            str(verdict.get("why") or ""),
            at,
        )
        for name, (verdict, outcome, at) in sorted(last.items())
    ]


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
