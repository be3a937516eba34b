"""What a client may send: the rules of an activity, and the event id it gets when it brings none.

Decides validity only. It never reads a clock (the caller passes `now`), and it imports nothing but the
standard library, because ingest pays for every import on a cold start.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ACTIVITY_TYPES: Final = ("learning_milestone", "program_check_in", "task_completed")
MAX_BODY_BYTES: Final = 8_192
MAX_ID_CHARACTERS: Final = 128
MAX_POINTS: Final = 10_000
CLOCK_SKEW: Final = timedelta(minutes=5)
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)

# Where whoever parsed a request's activity already puts it into the event, for a handler of the same process.
# No event from outside can have one there: it would be a JSON value.
PARSED: Final = "activity"

REQUIRED: Final = ("employee_id", "program_id", "activity_type", "points", "occurred_at")
_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)

_ID_RULE: Final = (
    f"must be a text of 1 to {MAX_ID_CHARACTERS} printable characters, "
    "without a space at either end, not starting with '#'"
)
_TIME_RULE: Final = (
    "must be an RFC 3339 time with an offset, such as 2026-03-01T09:30:00Z, "
    "from 2000 on and not in the future"
)
RULES: Final[Mapping[str, str]] = {
    "event_id": _ID_RULE,
    "employee_id": _ID_RULE,
    "program_id": _ID_RULE,
    "activity_type": f"must be one of {', '.join(ACTIVITY_TYPES)}",
    "points": f"must be a whole number from 1 to {MAX_POINTS}",
    "occurred_at": _TIME_RULE,
}
MISSING: Final = "is missing"
UNKNOWN: Final = f"is not a known field; the fields are {', '.join(RULES)}"


@dataclass(frozen=True, slots=True)
class Activity:
    """One valid employee action: `occurred_at` is UTC with milliseconds, `event_id` is set."""

    event_id: str
    employee_id: str
    program_id: str
    activity_type: str
    points: int
    occurred_at: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One field that breaks its rule, and the rule as a remedy."""

    field: str
    problem: str


def parse_activity(fields: Mapping[str, Any], now: datetime) -> Activity | list[Problem]:
    """Check every field of a decoded JSON object; return the activity, or all problems sorted by field."""
    problems = [Problem(name, MISSING) for name in REQUIRED if name not in fields]
    for name, value in fields.items():
        if name not in RULES:
            problems.append(Problem(name[:MAX_ID_CHARACTERS], UNKNOWN))
        elif not _CHECKS[name](value, now):
            problems.append(Problem(name, RULES[name]))
    if problems:
        return sorted(problems, key=lambda problem: problem.field)
    content = {name: fields[name] for name in REQUIRED}
    content["occurred_at"] = canonical_time(content["occurred_at"])
    return Activity(event_id=fields.get("event_id") or content_hash(content), **content)


def content_hash(content: Mapping[str, Any]) -> str:
    """Name an activity that came without an event id, so that a retry of it is the same event.

    32 hexadecimal digits of SHA-256 over the five required fields as compact JSON with sorted keys.
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def canonical_time(text: str) -> str:
    """Rewrite an RFC 3339 time as UTC with milliseconds (truncated), which sorts as text."""
    return format_time(datetime.fromisoformat(text))


def format_time(moment: datetime) -> str:
    """Write an aware time the one way that tables and messages hold it: `2026-03-01T09:30:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _is_id(value: object, _now: datetime) -> bool:
    return (
        isinstance(value, str)
        and 0 < len(value) <= MAX_ID_CHARACTERS
        and value.isprintable()
        and value == value.strip()
        and not value.startswith("#")
    )


def _is_activity_type(value: object, _now: datetime) -> bool:
    return isinstance(value, str) and value in ACTIVITY_TYPES


def _is_points(value: object, _now: datetime) -> bool:
    return type(value) is int and 1 <= value <= MAX_POINTS


def _is_time(value: object, now: datetime) -> bool:
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        return False
    try:
        moment = datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return False
    return EARLIEST <= moment <= now + CLOCK_SKEW


_CHECKS: Final[Mapping[str, Callable[[object, datetime], bool]]] = {
    "event_id": _is_id,
    "employee_id": _is_id,
    "program_id": _is_id,
    "activity_type": _is_activity_type,
    "points": _is_points,
    "occurred_at": _is_time,
}
