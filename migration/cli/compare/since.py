"""`--since`: a duration back from now, such as 90m, 8h or 2d, or a time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from migration.model.errors import UsageError
from pipeline.domain.activity import format_time

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def since_text(text: str, now: datetime) -> str:
    """Read it as UTC text with milliseconds.

    Raises:
        UsageError: when it is neither.
    """
    duration = re.fullmatch(r"(\d{1,6})([smhd])", text.strip())
    if duration:
        return format_time(now - timedelta(**{_UNITS[duration[2]]: int(duration[1])}))
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(
            f"--since is {text!r}",
            hint="give a duration such as 8h, 90m or 2d, or a time such as 2026-03-01T09:30Z",
        ) from None
    return format_time(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
