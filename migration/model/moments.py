"""Times as the tables hold them: UTC text with milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime

from pipeline.domain.activity import format_time


def moment_text(epoch_s: float) -> str:
    """Write an epoch time."""
    return format_time(datetime.fromtimestamp(epoch_s, UTC))


def epoch_of(text: str) -> float:
    """Read it back."""
    return datetime.fromisoformat(text).timestamp()
