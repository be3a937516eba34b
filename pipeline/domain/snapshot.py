"""A snapshot: one board at one time, with what it was folded from and how fresh that was.

Decides what a snapshot holds and when it counts as stale. Staleness has two independent causes: the
snapshot job stopped (age), or facts stopped arriving at the aggregates (lag). Pulses move the second clock
when clients are quiet, so a stopped pipe never looks like a quiet day.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from pipeline.domain.ranking import PROGRAMS_BOARD, Entry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.domain.fold import Fold


LATEST: Final = "latest"


@dataclass(frozen=True, slots=True)
class Sources:
    """What one run of the snapshot job saw before it read the boards.

    Attributes:
        generated_at: when the run began, UTC text with milliseconds; also the snapshots' version.
        newest_folded_at: when the newest folded fact was ingested; None before the first.
        pending: messages waiting or in flight in the queue, about.
    """

    generated_at: str
    newest_folded_at: str | None
    pending: int

    @property
    def lag(self) -> timedelta | None:
        """How far the folds trailed behind the run; None before the first fold."""
        if self.newest_folded_at is None:
            return None
        trailing = datetime.fromisoformat(self.generated_at) - datetime.fromisoformat(self.newest_folded_at)
        return max(trailing, timedelta())


def body(board: str, sources: Sources, fold: Fold, entries: Iterable[Entry]) -> dict[str, Any]:
    """Lay out a snapshot as it is stored; serving adds its age and staleness."""
    subject = "program_id" if board == PROGRAMS_BOARD else "employee_id"
    return {
        "board": board,
        "version": sources.generated_at,
        "generated_at": sources.generated_at,
        "newest_folded_at": sources.newest_folded_at,
        "lag_s": None if sources.lag is None else sources.lag.total_seconds(),
        "pending": sources.pending,
        "points": fold.points,
        "events": fold.events,
        "fingerprint": str(fold.fingerprint),
        "entries": [
            {
                "rank": entry.rank,
                subject: entry.id,
                "points": entry.points,
                "events": entry.events,
                "previous_rank": entry.previous_rank,
            }
            for entry in entries
        ],
    }


def latest_key(board: str) -> dict[str, dict[str, str]]:
    """Give the key of a board's newest snapshot."""
    return {"board": {"S": board}, "version": {"S": LATEST}}


def encode(snapshot: dict[str, Any]) -> bytes:
    """Write a snapshot as it is stored: JSON, deflated to about a fifth of the write units."""
    return zlib.compress(json.dumps(snapshot, separators=(",", ":"), ensure_ascii=False).encode())


def decode(stored: bytes) -> dict[str, Any]:
    """Read a stored snapshot."""
    snapshot: dict[str, Any] = json.loads(zlib.decompress(stored))
    return snapshot


def ranks_by_id(snapshot: dict[str, Any] | None) -> dict[str, int]:
    """Read the ranks of a stored snapshot, to tell movement; empty when there is none."""
    if snapshot is None:
        return {}
    return {entry.get("employee_id", entry.get("program_id")): entry["rank"] for entry in snapshot["entries"]}


def with_freshness(snapshot: dict[str, Any], now: datetime, stale_after: timedelta) -> dict[str, Any]:
    """Add `age_s`, `stale` and `stale_reasons` as of `now`."""
    age = max(now - datetime.fromisoformat(snapshot["generated_at"]), timedelta())
    reasons = []
    if age > stale_after:
        reasons.append(f"no snapshot since {snapshot['generated_at']}")
    if snapshot["lag_s"] is None:
        reasons.append("nothing has been folded yet")
    elif snapshot["lag_s"] > stale_after.total_seconds():
        reasons.append(f"when it was taken, nothing had been folded for {snapshot['lag_s']:.0f} s")
    return {
        **{name: value for name, value in snapshot.items() if name != "entries"},
        "age_s": int(age.total_seconds()),
        "stale": bool(reasons),
        "stale_reasons": reasons,
        "entries": snapshot["entries"],
    }
