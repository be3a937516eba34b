"""What an answer to a send means: done or to be tried again, and for how long to wait first."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCEPTED: Final = 202
CONFLICT: Final = 409
TOO_MANY_REQUESTS: Final = 429
SERVER_ERRORS: Final = range(500, 600)
FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 5.0


class SendOutcome(StrEnum):
    """How a send ended; unknown when no answer, or none that decides, ever came."""

    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """How a send ended.

    Attributes:
        outcome: see there.
        status: the HTTP status, None when the last try got no answer.
        employee_id, event_id: as answered, when acknowledged.
        error: the error's name, or why there was no answer.
        problems: field and problem of each bad field.
    """

    outcome: SendOutcome
    status: int | None = None
    employee_id: str = ""
    event_id: str = ""
    error: str = ""
    problems: tuple[Mapping[str, str], ...] = ()


def wants_retry(status: int) -> bool:
    """Whether a client sends the same body again after this status."""
    return status == TOO_MANY_REQUESTS or status in SERVER_ERRORS


def pause_s(tries: int, retry_after_s: float | None) -> float:
    """Tell how long a client waits after so many tries: doubling, and at least what the side asks for."""
    wait = max(FIRST_PAUSE_S * 2.0 ** (tries - 1), retry_after_s or 0)
    return min(wait, LONGEST_PAUSE_S)


def read_answer(status: int, body: bytes) -> Answer:
    """Read the answer of the last try; what does not follow the contract decides nothing."""
    fields = _fields(body)
    error = str(fields.get("error", f"status {status}"))
    if status == ACCEPTED:
        employee_id, event_id = str(fields.get("employee_id", "")), str(fields.get("event_id", ""))
        if employee_id and event_id:
            return Answer(SendOutcome.ACKNOWLEDGED, status, employee_id, event_id)
        return Answer(SendOutcome.UNKNOWN, status, error="accepted, without saying what")
    if status == CONFLICT:
        return Answer(SendOutcome.CONFLICT, status, error=error)
    if wants_retry(status) or not 400 <= status < 500:  # noqa: PLR2004 - the client's errors
        return Answer(SendOutcome.UNKNOWN, status, error=error)
    return Answer(SendOutcome.REJECTED, status, error=error, problems=_problems(fields))


def _fields(body: bytes) -> Mapping[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _problems(fields: Mapping[str, Any]) -> tuple[Mapping[str, str], ...]:
    problems = fields.get("problems")
    listed = problems if isinstance(problems, list) else []
    return tuple(
        {"field": str(one.get("field")), "problem": str(one.get("problem"))}
        for one in listed
        if isinstance(one, dict)
    )
