"""Why two sides differ: one vocabulary for the ledger check, verify, diff, reconcile, repair and reports.

It says what is wrong, and whose error that is. What is to be done about it is decided by whoever repairs.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from migration.model.facts import Lane
from migration.model.side import Side

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Cause(StrEnum):
    """What made a difference, the least harmful first; of several that one event has, the last stands."""

    ORDER_AMONG_EQUALS = "order_among_equals"
    MOVED_BY_OTHERS = "moved_by_others"
    OLDER_SNAPSHOT = "older_snapshot"
    LEGACY_STALE_BOARD = "legacy_stale_board"
    IN_FLIGHT = "in_flight"
    LEGACY_DOUBLE_COUNT = "legacy_double_count"
    LEGACY_PARTIAL_UPDATE = "legacy_partial_update"
    LEGACY_MISCOUNT = "legacy_miscount"
    HISTORY_NOT_INSTALLED = "history_not_installed"
    MIRROR_MISSED = "mirror_missed"
    NOT_MIRRORED_BACK = "not_mirrored_back"
    LOST = "lost"
    DOUBLED = "doubled"
    ALTERED = "altered"
    MISPLACED = "misplaced"
    LEGACY_FAILED = "legacy_failed"
    GONE_FROM_LEGACY = "gone_from_legacy"
    EXTRA = "extra"
    UNEXPLAINED = "unexplained"

    @classmethod
    def _missing_(cls, value: object) -> Cause | None:
        """Read a record that an earlier version wrote, when there were four vocabularies."""
        return _ONCE.get(str(value))

    @property
    def text(self) -> str:
        """Say it in words, the same everywhere."""
        return _TEXT[self]

    @property
    def severity(self) -> int:
        """How harmful it is beside the others."""
        return _SEVERITY[self]

    @property
    def fails(self) -> bool:
        """Whether a proof with it must not pass: it is neither on its way, nor legacy's own error."""
        return self not in _HARMLESS


def commonest(causes: Iterable[Cause]) -> dict[Cause, int]:
    """Count causes, the commonest first; of those as common, the more harmful."""
    counts = Counter(causes)
    return dict(sorted(counts.items(), key=lambda one: (-one[1], -one[0].severity)))


def absent_from_legacy(side: str, lane: str) -> Cause:
    """Say why legacy lacks the event of a fact, by who accepted it first and which lane folds it."""
    if side == Side.PIPELINE:
        return Cause.NOT_MIRRORED_BACK
    return Cause.LEGACY_FAILED if lane == Lane.LIVE else Cause.GONE_FROM_LEGACY


_SEVERITY: Final[Mapping[Cause, int]] = {cause: place for place, cause in enumerate(Cause)}
_HARMLESS: Final = frozenset(
    {
        Cause.ORDER_AMONG_EQUALS,
        Cause.MOVED_BY_OTHERS,
        Cause.OLDER_SNAPSHOT,
        Cause.LEGACY_STALE_BOARD,
        Cause.IN_FLIGHT,
        Cause.LEGACY_DOUBLE_COUNT,
        Cause.LEGACY_PARTIAL_UPDATE,
        Cause.LEGACY_MISCOUNT,
    }
)
_TEXT: Final[Mapping[Cause, str]] = {
    Cause.ORDER_AMONG_EQUALS: "another order among equals",
    Cause.MOVED_BY_OTHERS: "moved by the others' points",
    Cause.OLDER_SNAPSHOT: "the pipeline's snapshot is older than its totals",
    Cause.LEGACY_STALE_BOARD: "legacy's board is older than its totals",
    Cause.IN_FLIGHT: "in flight when it was read",
    Cause.LEGACY_DOUBLE_COUNT: "legacy counted a retry again",
    Cause.LEGACY_PARTIAL_UPDATE: "legacy stored an activity without counting it",
    Cause.LEGACY_MISCOUNT: "legacy counted one activity again and left another out",
    Cause.HISTORY_NOT_INSTALLED: "history that is copied but not installed",
    Cause.MIRROR_MISSED: "legacy has it, but there is no fact: history not copied, or a missed mirror",
    Cause.NOT_MIRRORED_BACK: "the pipeline has it, and legacy does not: the reverse mirror missed it",
    Cause.LOST: "accepted, but not stored or not counted",
    Cause.DOUBLED: "counted again, or in a row where it does not belong",
    Cause.ALTERED: "stored or counted with other content",
    Cause.MISPLACED: "counted in another row instead of its own",
    Cause.LEGACY_FAILED: "a fact of legacy's, and legacy does not have it: it failed after its mirror",
    Cause.GONE_FROM_LEGACY: "a fact copied from legacy, which dropped it since",
    Cause.EXTRA: "there, although nobody was told that it is",
    Cause.UNEXPLAINED: "no named events account for it",
}
_ONCE: Final[Mapping[str, Cause]] = {
    "no_fact_yet": Cause.MIRROR_MISSED,
    "not_in_legacy": Cause.NOT_MIRRORED_BACK,
    "stored_differently": Cause.ALTERED,
    "conflict": Cause.ALTERED,
    "not_folded": Cause.LOST,
    "folded_again": Cause.DOUBLED,
}
