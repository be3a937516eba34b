"""What is to be done about each difference that a verification names, and why not where nothing is.

    lost, on no row, its message can still be folded     send the message again; dedup folds it once
    rows off by named events, or by points alone         compensate each row by what it is off
    history missing from, or surplus in, `base_*`        install what the copied facts add up to
    a fact is gone that rows and legacy still hold       put it back where there is none
    one side has it, the other does not                  what a reconcile decides
    a fact of legacy's says other things than legacy     restate it, and move its rows, in one transaction
    legacy's own errors, facts, what no event explains   leave it, and say what a person can do

A fact of the pipeline's is never rewritten; one of legacy's, which has authority over it, says what legacy
says. A live row is only added to, under a number that one repair can take; a history part is replaced only
while it is as it was read. So a fold of the same moment is neither lost nor repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from migration.model.backfill import conflict_text
from migration.model.cause import Cause
from migration.model.facts import Lane, Restatement, StoredFact
from migration.model.fold import Identity, Row, rows_of
from migration.model.side import Side
from migration.model.stages import Stage
from migration.repair.differing import PAST_COMPLETE, Pair, no_fact_because
from migration.repair.differing import decide as decide_pair
from migration.repair.words import Remedy, RepairAction, identity_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from migration.compare.verify.verification import Difference, Off
    from migration.model.fold import Activity


@dataclass(frozen=True, slots=True)
class Known:
    """What the tables hold of an event.

    Attributes:
        fact: its fact.
        event: legacy's.
        folded: whether it has a dedup entry, which may go at any moment.
    """

    fact: StoredFact | None = None
    event: Activity | None = None
    folded: bool = False

    @property
    def disputed(self) -> bool:
        """Whether the sides say different things about it."""
        return self.fact is not None and self.event is not None and self.fact.activity != self.event


@dataclass(frozen=True, slots=True)
class Ground:
    """Where the migration stands.

    Attributes:
        stage: its stage.
        copied: whether history is copied, so that what has no fact was missed by a mirror.
        installed: whether the backfill is at its end.
        settled_before: a fact that came later may be on its way to legacy.
        horizon: a message of an older fact is parked instead of folded.
        now: the time; all UTC text.
    """

    stage: Stage
    copied: bool
    installed: bool
    settled_before: str
    horizon: str
    now: str


def decide(
    differences: Iterable[Difference], known: Mapping[Identity, Known], ground: Ground
) -> list[Remedy]:
    """Say what is to be done about every difference."""
    listed = list(differences)
    disputed = {
        row
        for one in known.values()
        if one.disputed and one.fact and one.event and not _not_restated(one.fact, one.event, ground)
        for row in rows_of(one.fact.activity)
    }
    return [_decide(one, known.get(identity_of(one), Known()), ground, disputed) for one in listed]


def _decide(difference: Difference, known: Known, ground: Ground, disputed: set[Row]) -> Remedy:
    if difference.coming:
        return Remedy(difference, RepairAction.WAIT, _LEFT[Cause.IN_FLIGHT])
    if difference.kind.fails and known.disputed and known.fact and known.event:
        return _disputed(difference, known, known.fact, known.event, ground)
    return _by_class(difference, known, ground, disputed)


def _by_class(difference: Difference, known: Known, ground: Ground, disputed: set[Row]) -> Remedy:
    match difference.kind:
        case Cause.HISTORY_NOT_INSTALLED:
            return _install(difference, ground)
        case Cause.MIRROR_MISSED | Cause.NOT_MIRRORED_BACK:
            return _mirror(difference, known, ground)
        case Cause.LOST:
            return _lost(difference, known, ground)
        case Cause.DOUBLED | Cause.MISPLACED:
            return _compensate(difference, known)
        case kind if kind is Cause.ALTERED or (kind in _STANDING and _is_points_alone(difference)):
            return _altered(difference, disputed)
        case kind:
            action = RepairAction.WAIT if kind is Cause.IN_FLIGHT else RepairAction.LEAVE
            return Remedy(difference, action, _LEFT[kind])


def _install(difference: Difference, ground: Ground) -> Remedy:
    if not ground.installed:
        return Remedy(
            difference, RepairAction.LEAVE, "the backfill is not at its end; cutover backfill start goes on"
        )
    if any(off.lane is Lane.LIVE for off in difference.off) or not difference.off:
        return Remedy(difference, RepairAction.LEAVE, "its rows are not told apart; verify again")
    return Remedy(difference, RepairAction.INSTALL, "its copied facts are what base_* must be")


def _mirror(difference: Difference, known: Known, ground: Ground) -> Remedy:
    if (known.fact is None) == (known.event is None):
        return Remedy(difference, RepairAction.LEAVE, "both sides have it, or neither, by now; verify again")
    if known.fact is None and not ground.copied and ground.stage is not Stage.OFF:
        return Remedy(
            difference, RepairAction.LEAVE, "history is not copied yet; cutover backfill start copies it"
        )
    decision = decide_pair(Pair(known.event, known.fact), ground.stage, ground.settled_before)
    action = RepairAction.RECONCILE if decision.action.writes else RepairAction.LEAVE
    return Remedy(difference, action, decision.why, decision=decision)


def _lost(difference: Difference, known: Known, ground: Ground) -> Remedy:
    fact = known.fact
    if fact is None:
        return _restore(difference, known, ground.now)
    if known.folded or not _whole(difference, fact, Lane.LIVE, -1):
        return _compensate(difference, known)
    if fact.ingested_at < ground.horizon:
        why = "too old for its message to be folded: it would be parked"
        return _compensate(difference, known, why)
    return Remedy(difference, RepairAction.REDRIVE, "no row holds it, and its message can be folded", fact)


def _restore(difference: Difference, known: Known, now: str) -> Remedy:
    """Put a fact back that every row still holds once."""
    if known.event is None:
        why = "its fact is gone and legacy has it no more; restore the table's point-in-time backup beside it"
        return Remedy(difference, RepairAction.LEAVE, why)
    lanes = {off.lane for off in difference.off}
    for lane in lanes:
        if problem := no_fact_because(known.event, lane):
            return Remedy(difference, RepairAction.LEAVE, f"legacy's event can be no fact: {problem}")
        fact = StoredFact(known.event, lane, Side.LEGACY, now)
        if len(lanes) == 1 and _whole(difference, fact, lane, 1):
            closes = known.event.identity if lane is Lane.LIVE else None
            why = "rows and legacy hold it; the fact is put back, and not folded again"
            return Remedy(difference, RepairAction.RESTORE, why, fact, closes)
    why = "its fact is gone, and its rows do not all hold it once; cutover reconcile puts the fact back first"
    return Remedy(difference, RepairAction.LEAVE, why)


def _compensate(difference: Difference, known: Known, why: str = "") -> Remedy:
    if not difference.off:
        return Remedy(difference, RepairAction.LEAVE, "its rows moved while it was named; verify again")
    if not why:
        why = "each row gets what it is off, once"
    live = any(off.lane is Lane.LIVE for off in difference.off)
    closes = known.fact.activity.identity if known.fact and live else None
    return Remedy(difference, RepairAction.COMPENSATE, why, known.fact, closes)


def _disputed(
    difference: Difference, known: Known, fact: StoredFact, event: Activity, ground: Ground
) -> Remedy:
    """Let the side that has authority over a fact say what it says, once rows hold what it says now.

    Then they hold afterwards what it says then, whatever else is wrong in them.
    """
    said = conflict_text(event, fact.activity)
    if why := _not_restated(fact, event, ground):
        if difference.off:
            return _compensate(difference, known, f"{said}; {why}, and its rows get what it says")
        return Remedy(difference, RepairAction.LEAVE, f"{said}; {why}")
    if fact.lane is Lane.LIVE and difference.off:
        why = f"{said}; its rows first get what the fact says, and the next repair restates it"
        return _compensate(difference, known, why)
    if fact.lane is Lane.LIVE and not known.folded and fact.ingested_at >= ground.horizon:
        return Remedy(difference, RepairAction.WAIT, f"{said}; it is not folded yet, and restated after that")
    rows = (
        "its rows the difference"
        if fact.lane is Lane.LIVE
        else "the next repair installs what its rows are off"
    )
    why = f"{said}; legacy has authority over it: the fact gets legacy's content, {rows}"
    closes = event.identity if fact.lane is Lane.LIVE else None
    return Remedy(difference, RepairAction.RESTATE, why, closes=closes, restates=Restatement(fact, event))


def _not_restated(fact: StoredFact, event: Activity, ground: Ground) -> str:
    """Say why a disputed fact is left; empty when it is not."""
    if fact.side is Side.PIPELINE:
        return "the pipeline accepted the fact, so it stands; legacy's own tools set its event right"
    if ground.stage is Stage.COMPLETE:
        return PAST_COMPLETE
    problem = no_fact_because(event, fact.lane)
    return f"legacy's event can be no fact: {problem}" if problem else ""


def _altered(difference: Difference, disputed: set[Row]) -> Remedy:
    if not difference.off:
        return Remedy(difference, RepairAction.LEAVE, "its rows moved while it was named; verify again")
    if any(off.row in disputed for off in difference.off):
        why = "an event of this row is disputed, and its fact gets legacy's content first"
        return Remedy(difference, RepairAction.LEAVE, why)
    return Remedy(difference, RepairAction.COMPENSATE, "its points are set right by what they are off")


def _is_points_alone(difference: Difference) -> bool:
    """Whether rows hold every event once, and other points than the facts say."""
    return bool(difference.off) and not any(one.fold.events for one in difference.off)


def _whole(difference: Difference, fact: StoredFact, lane: Lane, times: int) -> bool:
    """Whether exactly the fact's own rows are off by it, in one lane, so many times."""
    own = rows_of(fact.activity)
    off: Sequence[Off] = difference.off
    in_lane = all(one.lane is lane and one.fold.events == times for one in off)
    return in_lane and sorted(map(str, own)) == sorted(str(one.row) for one in off)


_STANDING: Final = frozenset({Cause.GONE_FROM_LEGACY, Cause.EXTRA})  # the fact stands, so its rows hold it
_OF_LEGACY: Final = "legacy's own error; its rows are legacy's alone, and it is why legacy is being left"
_LEFT: Final[Mapping[Cause, str]] = {
    Cause.IN_FLIGHT: "it is on its way",
    Cause.LEGACY_DOUBLE_COUNT: _OF_LEGACY,
    Cause.LEGACY_PARTIAL_UPDATE: _OF_LEGACY,
    Cause.LEGACY_FAILED: "cutover reconcile gives it to legacy",
    Cause.GONE_FROM_LEGACY: "a fact stands, also when legacy has dropped its event",
    Cause.EXTRA: "a fact stands, whoever wrote it; see who did",
    Cause.UNEXPLAINED: (
        "no named events make it up, so nothing would prove the repair; see who else writes to the row, "
        "and cutover diff --html"
    ),
}
