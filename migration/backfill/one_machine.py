"""The backfill's engine `machine`: this process copies all segments side by side, and folds what it scans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migration.backfill.backfill import Backfill
from migration.backfill.copying import Copying
from migration.model.backfill import Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from migration.backfill.attention import Attention
    from migration.backfill.bases import Bases
    from migration.backfill.facts import Facts
    from migration.backfill.history import FoldedHistory
    from migration.backfill.in_parallel import InParallel
    from migration.backfill.legacy_events import LegacyEventSource
    from migration.model.backfill import Job
    from migration.model.checkpoints import Checkpoints
    from migration.model.fold import Activity, Fold, Row

    FoldFacts = Callable[
        [Iterable[Activity], Iterable[tuple[Row, Fold]]], AbstractContextManager[FoldedHistory]
    ]


def on_one_machine(  # noqa: PLR0913, PLR0917 - the whole world
    events: LegacyEventSource,
    facts: Facts,
    bases: Bases,
    checkpoints: Checkpoints,
    fold: FoldFacts,
    attention: Attention,
    in_parallel: InParallel = map,
) -> Backfill:
    """Make a backfill that needs nothing but this process; `fold` folds facts beside what is installed."""

    def fold_what_there_is(_job: Job) -> AbstractContextManager[FoldedHistory]:
        return fold(facts.history(), bases.bases())

    copying = Copying(events, facts, checkpoints, attention, in_parallel)
    return Backfill(
        copying.copy, fold_what_there_is, bases, checkpoints, attention, Engine.MACHINE, in_parallel
    )
