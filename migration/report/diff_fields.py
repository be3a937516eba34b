"""A diff as JSON: the one layout that the command prints, the page shows and scripts read.

Fingerprints are text, because most readers of JSON keep 15 digits only. Ids are as they are stored; whoever
shows them must escape them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migration.compare.boards.windows import count_changes
from migration.model.fold import TOTAL

if TYPE_CHECKING:
    from migration.compare.boards.boards import BoardEntry
    from migration.compare.diff.report import Agreement, BoardDiff, DiffReport, JudgedLine, JudgedRow
    from migration.compare.reasons import Reason
    from migration.model.fold import Fold


def diff_fields(report: DiffReport) -> dict[str, Any]:
    """Lay a report out; every difference is in it."""
    return {
        "stack": report.stack,
        "judgement": report.judgement,
        "fails": report.judgement.fails,
        "as_of": report.reading.began_at,
        "queued": report.reading.queued,
        "read": dict(report.read),
        "persistence": report.persistence,
        "differences": dict(report.counts),
        "boards": [_board(board) for board in report.boards],
        "aggregates": {
            "levels": [
                {"name": level.name, "rows": level.rows, "differing": level.differing}
                for level in report.levels
            ],
            "differences": [_row(row) for row in report.rows],
        },
    }


def _board(board: BoardDiff) -> dict[str, Any]:
    legacy, pipeline = board.sizes
    changes = count_changes([judged.line for judged in board.lines])
    return {
        "board": board.board,
        "judgement": board.judgement,
        "legacy": {"made_at": board.legacy_made_at, "entries": legacy},
        "pipeline": {"made_at": board.pipeline_made_at, "entries": pipeline},
        "changes": dict(changes),
        "agreement": {name: _agreement(one) for name, one in board.agreements.items()},
        "entries": [_line(judged) for judged in board.lines],
    }


def _agreement(one: Agreement) -> dict[str, Any]:
    return {
        "overlap_at": {str(depth): round(share, 6) for depth, share in one.overlap.items()},
        "rank_biased_overlap": round(one.rank_biased, 6),
        "kendall_tau_b": None if one.tau is None else round(one.tau, 6),
        "common": one.common,
        "overlap_by_depth": [round(share, 4) for share in one.by_depth],
    }


def _line(judged: JudgedLine) -> dict[str, Any]:
    line = judged.line
    return {
        "employee_id": line.employee_id,
        "change": line.change,
        "judgement": judged.judgement,
        "legacy": _place(line.legacy),
        "truth": _place(line.truth),
        "pipeline": _place(line.pipeline),
        "reasons": [_reason(one) for one in judged.reasons],
    }


def _place(entry: BoardEntry | None) -> dict[str, int] | None:
    return None if entry is None else {"rank": entry.rank, "points": entry.points}


def _row(judged: JudgedRow) -> dict[str, Any]:
    sums = judged.sums
    return {
        "level": sums.row.level,
        "employee_id": sums.row.employee_id,
        "program_id": None if sums.row.program_id == TOTAL else sums.row.program_id,
        "judgement": judged.judgement,
        "legacy": {"points": sums.legacy.points, "events": sums.legacy.events},
        "legacy_events": _fold(sums.legacy_events),
        "truth": _fold(sums.truth),
        "facts": _fold(sums.facts),
        "pipeline": _fold(sums.pipeline),
        "reasons": [_reason(one) for one in judged.reasons],
    }


def _fold(fold: Fold) -> dict[str, int | str]:
    return {"points": fold.points, "events": fold.events, "fingerprint": str(fold.fingerprint)}


def _reason(one: Reason) -> dict[str, Any]:
    return {
        "cause": one.cause,
        "text": one.cause.text,
        "judgement": one.judgement,
        "side": one.side,
        "points": one.points,
        "events": list(one.events),
        "event_count": one.count,
        "events_needed": one.needed,
        "note": one.note,
    }
