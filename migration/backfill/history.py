"""The history fold: what each row's `base_*` must be, and when it may be replaced.

History facts are put and never deleted, so of two folds of one row the one with more events is the newer.
That orders installers that know nothing of each other: a fold that would take events away is never installed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from migration.model.fold import NOTHING, Fold, differences, fold_all, whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migration.model.fold import Activity, Row


@dataclass(frozen=True, slots=True)
class BaseChange:
    """A row whose history part is not what the history facts add up to."""

    row: Row
    held: Fold
    due: Fold


@dataclass(frozen=True, slots=True)
class FoldedHistory:
    """The fold of all history facts beside what is installed.

    Attributes:
        history: the fold of all of them.
        rows: how many rows have history.
        changed: how many changes there are.
        changes: rows to install, each once; consumed once.
    """

    history: Fold
    rows: int
    changed: int
    changes: Iterable[BaseChange]


class Replacing(Enum):
    """Whether a row's history part may be replaced."""

    RIGHT = "it is right already"
    GROWS = "it grows"
    SHRINKS = "it would lose events"


def replacing(held: Fold, due: Fold) -> Replacing:
    """Judge a replacement; as many events with another sum are other events, so some would be lost."""
    if held == due:
        return Replacing.RIGHT
    return Replacing.GROWS if due.events > held.events else Replacing.SHRINKS


def fold_history(facts: Iterable[Activity], bases: Iterable[tuple[Row, Fold]]) -> FoldedHistory:
    """Fold in memory: exact, and small enough to be the definition."""
    due, held = fold_all(facts), dict(bases)
    changes = [
        BaseChange(row, held.get(row, NOTHING), due.get(row, NOTHING)) for row in differences(due, held)
    ]
    return FoldedHistory(whole(due), len(due), len(changes), changes)
