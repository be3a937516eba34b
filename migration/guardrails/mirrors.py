"""The guardrails of the mirrors: `mirror_misses`, and of the way back `mirror_lag` and `mirror_dead_letters`.

Trouble on the way back means that legacy is behind. That never rolls back: it would move clients there. It
holds, and people are told.

A missed mirror may or may not have been stored: nobody knows until the tables are compared. So some misses
are inconclusive, which holds the next step until `cutover reconcile` has looked; too many are a failure. A
mirror of what legacy refused is one client's doing and no failure of the mirror's: it holds, and never fails.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final, Protocol

from migration.door.counts import Role
from migration.guardrails.folding import assess_given_up, given_up
from migration.guardrails.guardrail import MIRRORING, SERVING, Assessment, at_most, limit, seconds
from migration.guardrails.standing import Standing
from migration.guardrails.vital import DoorEvidence, Vital
from migration.model.guardrails import MIRROR_MISSES, Outcome
from migration.model.journal import EntryKind
from migration.model.moments import moment_text
from migration.model.stages import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from migration.door.counts import DoorCounts
    from migration.guardrails.vital import VitalLook
    from migration.model.journal import Entry

RECONCILED: Final = "reconciled_before"  # in the detail of a clean reconcile's journal entry, epoch seconds
_CLOCKS_APART_S: Final = 10.0
CONTRADICTED: Final = "MirrorContradicted"
MISSES: Final = frozenset({"MirrorMissed", "MirrorSkipped"})  # the door's outcomes that are no fact


class MirrorEvidence(DoorEvidence, Protocol):
    """What is on its way from side to side, and what was reconciled."""

    def mirrored_back(self) -> int | None:
        """Count the messages on their way to legacy; None where there is no reverse mirror."""
        ...

    def mirrors_dead(self) -> Mapping[str, int]:
        """Count the messages of each of its dead-letter queues, by what could not be done."""
        ...

    def journal(self, since: str = "") -> Iterable[Entry]:
        """Read the journal's entries in order, those whose id is greater than `since`."""
        ...


@dataclass(slots=True)
class MirrorLag(Vital[MirrorEvidence]):
    """What is on its way to legacy gets fewer."""

    name: ClassVar = "mirror_lag"
    stages: ClassVar = SERVING - {Stage.COMPLETE}
    rolls_back: ClassVar = False
    mirror_lag_s: float = seconds(30.0, "Seconds that the reverse mirror's queue may not get shorter")
    standing: Standing = field(default_factory=Standing, init=False)

    def _assess(self, look: VitalLook[MirrorEvidence]) -> Assessment:
        queued = look.evidence.mirrored_back()
        if queued is None:
            return Assessment(Outcome.INCONCLUSIVE, "the stack exports no queue of a reverse mirror")
        self.standing = self.standing.after(queued, None, look.now)
        age, most = self.standing.for_s(look.now), self.mirror_lag_s
        why = f"{queued:,} facts are on their way to legacy"
        if queued:
            why += f", and did not get fewer for {age:.1f} s; the limit is {most:g} s"
        return Assessment(at_most(age, most), why)


@dataclass(slots=True)
class MirrorMisses(Vital[MirrorEvidence]):
    """No forward mirror was missed since the last clean reconcile."""

    name: ClassVar = MIRROR_MISSES
    stages: ClassVar = MIRRORING
    mirror_misses: int = limit(100, "Missed forward mirrors that may wait for a reconcile", ge=0)
    reconciled_before: float | None = field(default=None, init=False)
    journal_read: str = field(default="", init=False)

    def _assess(self, look: VitalLook[MirrorEvidence]) -> Assessment:
        self._read_on(look.evidence)
        counts, most = look.once(look.evidence.door), self.mirror_misses
        after = float("-inf") if self.reconciled_before is None else self.reconciled_before
        missed, contradicted = _missed(counts, after), _contradicted(counts, after)
        if not any(one.role is Role.INGEST for one in counts):
            return Assessment(
                Outcome.INCONCLUSIVE, "no instance of the door was seen, so none told of mirrors"
            )
        mirrors = sum(sum(one.mirrored.values()) for one in counts)
        since = "ever" if self.reconciled_before is None else f"since {moment_text(after)}"
        why = f"{missed:,} of {mirrors:,} forward mirrors were missed and not reconciled {since}"
        if missed > most:
            return Assessment(Outcome.FAIL, f"{why}; the limit is {most:,}")
        if missed:
            why += f"; up to {most:,} are for `cutover reconcile` to settle"
        if contradicted:
            why += (
                f"; {contradicted:,} mirrored what legacy refused, an event id with other content: "
                "`cutover repair --apply` names and restates them, then `cutover reconcile`"
            )
        return Assessment(Outcome.INCONCLUSIVE if missed or contradicted else Outcome.PASS, why)

    def _read_on(self, evidence: MirrorEvidence) -> None:
        """Take in what was reconciled since the last look."""
        entries = list(evidence.journal(self.journal_read))
        if entries:
            self.journal_read = entries[-1].id
        found = reconciled_before(entries)
        if found is not None:
            self.reconciled_before = max(found, self.reconciled_before or found)


@dataclass(slots=True)
class MirrorDeadLetters(Vital[MirrorEvidence]):
    """No fact was given up on its way to legacy."""

    name: ClassVar = "mirror_dead_letters"
    stages: ClassVar = MIRRORING
    rolls_back: ClassVar = False
    dead_letters: int = given_up()

    def _assess(self, look: VitalLook[MirrorEvidence]) -> Assessment:
        return assess_given_up(look.evidence.mirrors_dead(), self.dead_letters)


def _missed(counts: Sequence[DoorCounts], after: float) -> int:
    """Count the misses of every instance that missed one after this moment.

    An instance counts its misses and remembers when the last one was. If that is newer than the reconcile,
    all of the instance's misses count: rather too many than too few.
    """
    return sum(
        count
        for one in counts
        if one.missed_at is not None and one.missed_at >= after
        for outcome, count in one.mirrored.items()
        if outcome in MISSES
    )


def _contradicted(counts: Sequence[DoorCounts], after: float) -> int:
    return sum(
        one.mirrored.get(CONTRADICTED, 0)
        for one in counts
        if one.contradicted_at is not None and one.contradicted_at >= after
    )


def reconciled_detail(began: float) -> dict[str, float]:
    """Say in a journal entry what a clean reconcile settled.

    A door takes a miss down when legacy has stored the activity, so whatever was missed before legacy's
    events were read is among them.

    Args:
        began: when it began to read legacy's events, by its own clock; the doors' may be some seconds ahead.
    """
    return {RECONCILED: began - _CLOCKS_APART_S}


def reconciled_before(entries: Iterable[Entry]) -> float | None:
    """Find the last clean reconcile in journal entries: what was missed before then is settled."""
    moments = (
        entry.detail[RECONCILED]
        for entry in entries
        if entry.kind is EntryKind.REPAIRED and RECONCILED in entry.detail
    )
    return max(moments, default=None)


GUARDRAILS: Final = (MirrorLag, MirrorMisses, MirrorDeadLetters)
