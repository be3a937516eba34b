"""The backfill's engine `machine`: this process copies all segments side by side, and folds what it scans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migration.core.backfill import Engine
from migration.engine.backfill import Backfill
from migration.engine.copying import Copying

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from migration.core.backfill import Job
    from migration.core.history import FoldedHistory
    from migration.core.ledger import Activity, Fold, Row
    from migration.engine.attention import Attention
    from migration.engine.in_parallel import InParallel
    from migration.ports.bases import Bases
    from migration.ports.checkpoints import Checkpoints
    from migration.ports.facts import Facts
    from migration.ports.legacy_events import LegacyEvents

    FoldFacts = Callable[
        [Iterable[Activity], Iterable[tuple[Row, Fold]]], AbstractContextManager[FoldedHistory]
    ]


def on_one_machine(  # noqa: PLR0913, PLR0917 - the whole world
    events: LegacyEvents,
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
