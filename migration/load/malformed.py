"""Every way in which a client gets an activity wrong, each as one line that both sides must refuse.

A line never holds a line break, so that a file of them stays one request a line.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pipeline.domain.activity import CLOCK_SKEW, MAX_BODY_BYTES, MAX_ID_CHARACTERS, MAX_POINTS, REQUIRED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

_WRONG_FIELDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "points zero": {"points": 0},
    "points negative": {"points": -5},
    "points absurd": {"points": MAX_POINTS + 1},
    "points text": {"points": "10"},
    "points fraction": {"points": 2.5},
    "points true": {"points": True},
    "points null": {"points": None},
    "unknown type": {"activity_type": "coffee_break"},
    "type not text": {"activity_type": ["task_completed"]},
    "employee empty": {"employee_id": ""},
    "employee number": {"employee_id": 42},
    "employee too long": {"employee_id": "e" * (MAX_ID_CHARACTERS + 1)},
    "employee reserved": {"employee_id": "#pulse"},
    "program padded": {"program_id": " prog-onboarding "},
    "program unprintable": {"program_id": "prog-\u0000onboarding"},
    "event id object": {"event_id": {"id": 1}},
    "event id empty": {"event_id": ""},
    "time without offset": {"occurred_at": "2026-01-05T09:00:00"},
    "time in words": {"occurred_at": "yesterday at nine"},
    "time impossible": {"occurred_at": "2026-02-30T09:00:00Z"},
    "time as number": {"occurred_at": 1767600000},
    "time before 2000": {"occurred_at": "1999-12-31T23:59:59Z"},
    "unknown field": {"bonus": 100},
    "several at once": {"points": -1, "activity_type": "", "bonus": True},
}


def _future(fields: Mapping[str, Any], now: datetime) -> bytes:
    moment = now + CLOCK_SKEW + timedelta(days=1)
    return as_line({**fields, "occurred_at": moment.isoformat(timespec="seconds")})


_WRONG_BODIES: Final[Mapping[str, Callable[[Mapping[str, Any], datetime], bytes]]] = {
    "time in the future": _future,
    "not JSON": lambda _fields, _now: b"employee 42 completed a task",
    "cut short": lambda fields, _now: as_line(fields)[:-10],
    "not an object": lambda fields, _now: b"[" + as_line(fields) + b"]",
    "not UTF-8": lambda fields, _now: b"\xff" + as_line(fields),
    "too large": lambda fields, _now: as_line({**fields, "note": "x" * MAX_BODY_BYTES}),
}

MALFORMED: Final[tuple[str, ...]] = (
    *_WRONG_FIELDS,
    *(f"{name} missing" for name in REQUIRED),
    *_WRONG_BODIES,
)


def malform(kind: str, fields: Mapping[str, Any], now: datetime) -> bytes:
    """Write valid fields down wrongly, in the given way (one of `MALFORMED`)."""
    if kind in _WRONG_BODIES:
        return _WRONG_BODIES[kind](fields, now)
    if kind in _WRONG_FIELDS:
        return as_line({**fields, **_WRONG_FIELDS[kind]})
    missing = kind.removesuffix(" missing")
    return as_line({name: value for name, value in fields.items() if name != missing})


def as_line(fields: Mapping[str, Any]) -> bytes:
    """Write fields as one line of compact JSON."""
    return json.dumps(fields, separators=(",", ":")).encode()
