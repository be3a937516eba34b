"""A fact as its table holds it, and what becomes of an activity that is put there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from migration.model.fold import differences, fold_all
from migration.model.side import Side

if TYPE_CHECKING:
    from migration.model.fold import Activity, Fold, Row


class Lane(StrEnum):
    """Which path folds a fact."""

    LIVE = "live"
    HISTORY = "history"


@dataclass(frozen=True, slots=True)
class StoredFact:
    """A fact with all that its table keeps; `ingested_at` is UTC text with milliseconds."""

    activity: Activity
    lane: Lane
    side: Side
    ingested_at: str


@dataclass(frozen=True, slots=True)
class Created:
    """The identity was free, and the fact is stored."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The identity has a fact already, and nothing was written."""

    fact: StoredFact


@dataclass(frozen=True, slots=True)
class Restatement:
    """A fact that legacy has authority over, and what legacy says of the same event.

    Attributes:
        fact: as it is; it is restated only while it says just this.
        to: legacy's event.
    """

    fact: StoredFact
    to: Activity

    def __post_init__(self) -> None:
        """Refuse what would rewrite a fact of the pipeline's, or another event's."""
        if self.fact.side is not Side.LEGACY or self.fact.activity.identity != self.to.identity:
            raise ValueError("only a fact of legacy's is restated, and as legacy has the same event")

    @property
    def restated(self) -> StoredFact:
        """The fact afterwards: lane, side and time of arrival stay."""
        return replace(self.fact, activity=self.to)

    @property
    def moves(self) -> dict[Row, Fold]:
        """What rows get, whatever they hold: as far as they are off the fold of their facts, they stay so."""
        return differences(fold_all([self.to]), fold_all([self.fact.activity]))


@dataclass(frozen=True, slots=True)
class Restated:
    """The fact says what legacy says."""


@dataclass(frozen=True, slots=True)
class Stands:
    """The fact is not the disputed one any more, and nothing was written; this is what there is."""

    fact: StoredFact | None


@dataclass(frozen=True, slots=True)
class Spent:
    """What one write cost, told apart from what came of it.

    Attributes:
        units: write units.
        waited_s: until the answer.
        retries: how often DynamoDB had to be asked again.
    """

    units: float
    waited_s: float = 0.0
    retries: int = 0
