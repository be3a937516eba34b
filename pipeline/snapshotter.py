"""Taking snapshots: pulse, read the folds, rank every board, publish. One failing board stops no other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, ParamSpec

from pipeline.domain.activity import format_time
from pipeline.domain.fold import Fold
from pipeline.domain.ranking import GLOBAL_BOARD, PROGRAMS_BOARD, Standing, program_board, rank
from pipeline.domain.snapshot import Sources, body, ranks_by_id
from pipeline.stores.errors import UnavailableError
from pipeline.stores.facts import PULSE, FactTable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from pipeline.stores.boards import BoardReader
    from pipeline.stores.snapshots import SnapshotTable

P = ParamSpec("P")
_PARALLEL: Final = 8


@dataclass(frozen=True, slots=True)
class Taken:
    """One run: which boards were published, and which failed with what reason (`#pulse` is the pulse)."""

    published: tuple[str, ...]
    failed: dict[str, str]
    lag: timedelta | None


@dataclass(frozen=True, slots=True)
class Snapshotter:
    """Takes one snapshot of every board.

    Attributes:
        facts: where the pulse goes.
        reader: reads folds and boards.
        snapshots: where boards are published.
        pending: counts the messages that wait in the queue.
        size: entries a board.
        ttl: how long old versions are kept.
    """

    facts: FactTable
    reader: BoardReader
    snapshots: SnapshotTable
    pending: Callable[[], int]
    size: int
    ttl: timedelta

    def take(self, moment: datetime) -> Taken:
        """Publish every board as of `moment`.

        Raises:
            UnavailableError: when not even the folds could be read; no board is touched then.
        """
        version = format_time(moment)
        reasons = {PULSE: _failure(self.facts.pulse, version)}
        programs = self.reader.program_folds()
        sources = Sources(version, programs.newest_folded_at, self.pending())
        boards = _boards(programs.by_program)

        def publish(board: str) -> str | None:
            return _failure(self._publish, board, boards[board], sources, moment + self.ttl)

        with ThreadPoolExecutor(_PARALLEL) as pool:
            reasons |= dict(zip(boards, pool.map(publish, boards), strict=True))
        failed = {step: reason for step, reason in reasons.items() if reason}
        return Taken(tuple(board for board in boards if board not in failed), failed, sources.lag)

    def _publish(self, board: str, content: _Board, sources: Sources, expires_at: datetime) -> None:
        previous = ranks_by_id(self.snapshots.latest(board))
        standings = self.reader.best(board, self.size) if content.standings is None else content.standings
        entries = rank(standings, self.size, previous)
        self.snapshots.publish(body(board, sources, content.fold, entries), expires_at)


@dataclass(frozen=True, slots=True)
class _Board:
    """A board's fold, and its standings where they are known without reading the index."""

    fold: Fold
    standings: list[Standing] | None = None


def _boards(by_program: dict[str, Fold]) -> dict[str, _Board]:
    everything = sum(by_program.values(), Fold())
    programs = [Standing(program, fold.points, fold.events) for program, fold in by_program.items()]
    return {
        GLOBAL_BOARD: _Board(everything),
        PROGRAMS_BOARD: _Board(everything, programs),
        **{program_board(program): _Board(fold) for program, fold in by_program.items()},
    }


def _failure(step: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> str | None:
    try:
        step(*args, **kwargs)
    except UnavailableError as error:
        return str(error)
    return None
