"""Two leaderboards side by side: where they differ, and which of legacy's own errors accounts for it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migration.compare.ledger.verdict import Place
from migration.model.cause import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from migration.compare.ledger.verdict import Finding


@dataclass(frozen=True, slots=True)
class BoardEntry:
    """One employee on a board."""

    rank: int
    employee_id: str
    points: int


@dataclass(frozen=True, slots=True)
class Board:
    """A global board as it is served, best first."""

    entries: tuple[BoardEntry, ...]


@dataclass(frozen=True, slots=True)
class BoardRow:
    """An employee on both boards; None where a board does not show them. `why` is empty where both agree."""

    employee_id: str
    legacy: BoardEntry | None
    pipeline: BoardEntry | None
    why: str

    @property
    def differs(self) -> bool:
        """Whether the sides disagree about points or rank."""
        return self.legacy != self.pipeline


def side_by_side(legacy: Board, pipeline: Board, findings: Iterable[Finding], size: int) -> list[BoardRow]:
    """Pair the boards by the pipeline's rank, then legacy's for who is not on the pipeline's.

    Args:
        legacy: legacy's board.
        pipeline: the pipeline's board.
        findings: what the ledger check found about legacy.
        size: how many of each board are paired.
    """
    left = {entry.employee_id: entry for entry in legacy.entries}
    right = {entry.employee_id: entry for entry in pipeline.entries}
    shown = {entry.employee_id for board in (pipeline, legacy) for entry in board.entries[:size]}
    places = {entry.employee_id: place for place, entry in enumerate((*pipeline.entries, *legacy.entries))}
    places |= {entry.employee_id: place for place, entry in enumerate(pipeline.entries)}
    errors = _errors(findings)
    return [
        BoardRow(name, left.get(name), right.get(name), _why(left.get(name), right.get(name), errors[name]))
        for name in sorted(shown, key=places.__getitem__)
    ]


def _errors(findings: Iterable[Finding]) -> Mapping[str, Sequence[Finding]]:
    errors: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.place is Place.FOLDS and finding.employee_id:
            errors[finding.employee_id].append(finding)
    return errors


def _why(legacy: BoardEntry | None, pipeline: BoardEntry | None, errors: Sequence[Finding]) -> str:
    """Account for a difference: by points that legacy counted again or not at all, or by others' points."""
    if legacy is None or pipeline is None:
        return f"below the edge of {'legacy' if legacy is None else 'the pipeline'}'s board"
    off = legacy.points - pipeline.points
    if not off:
        return "" if legacy.rank == pipeline.rank else "moved by the others' points"
    again = sum(finding.times for finding in errors if finding.kind is Cause.DOUBLED)
    missing = sum(finding.kind is Cause.LOST for finding in errors)
    parts = [f"counted {again} {'retry' if again == 1 else 'retries'} again"] * bool(again)
    parts += [f"did not count {missing}"] * bool(missing)
    if sum((finding.points or 0) * finding.times for finding in errors) != off:
        return f"unexplained ({off:+})"
    return f"legacy {' and '.join(parts)} ({off:+})"
