"""What legacy accepts as an activity: a strict pydantic model, and a sentence per field that breaks its rule.

Legacy's own statement of the rules; tests/contract/test_http_contract.py holds it to the pipeline's. It never
reads a clock: the caller passes `now`.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

MAX_ID_CHARACTERS: Final = 128
_CLOCK_SKEW: Final = timedelta(minutes=5)
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_DATE: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_RFC3339: Final = rf"^{_DATE}T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(\.[0-9]{{1,6}})?(Z|[+-][0-9]{{2}}:[0-9]{{2}})$"

_ID_RULE: Final = (
    "must be a text of 1 to 128 printable characters, without a space at either end, not starting with '#'"
)
_RULES: Final = {
    "event_id": _ID_RULE,
    "employee_id": _ID_RULE,
    "program_id": _ID_RULE,
    "activity_type": "must be one of learning_milestone, program_check_in, task_completed",
    "points": "must be a whole number from 1 to 10000",
    "occurred_at": (
        "must be an RFC 3339 time with an offset, such as 2026-03-01T09:30:00Z, "
        "from 2000 on and not in the future"
    ),
}
_UNKNOWN: Final = f"is not a known field; the fields are {', '.join(_RULES)}"


def format_time(moment: datetime) -> str:
    """Write an aware time as UTC text with milliseconds: `2026-03-01T09:30:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _check_id(value: str) -> str:
    if value.strip() != value or not value.isprintable() or value.startswith("#"):
        raise ValueError("not an id")
    return value


def _normalise_time(value: str, info: ValidationInfo[dict[str, datetime]]) -> str:
    moment = datetime.fromisoformat(value)
    if not _EARLIEST <= moment <= info.context["now"] + _CLOCK_SKEW:
        raise ValueError("out of range")
    return format_time(moment)


Id = Annotated[str, Field(min_length=1, max_length=MAX_ID_CHARACTERS), AfterValidator(_check_id)]


class Activity(BaseModel):
    """One employee action. Once validated, `event_id` is set and `occurred_at` is UTC with milliseconds."""

    model_config = ConfigDict(strict=True)

    event_id: Id = ""
    employee_id: Id
    program_id: Id
    activity_type: Literal["learning_milestone", "program_check_in", "task_completed"]
    points: Annotated[int, Field(ge=1, le=10_000)]
    occurred_at: Annotated[str, Field(pattern=_RFC3339), AfterValidator(_normalise_time)]

    @model_validator(mode="after")
    def _name_by_content(self) -> Self:
        if not self.event_id:
            content = json.dumps(self.model_dump(exclude={"event_id"}), sort_keys=True, separators=(",", ":"))
            self.event_id = hashlib.sha256(content.encode()).hexdigest()[:32]
        return self


def read_activity(fields: dict[str, Any], now: datetime) -> Activity | list[dict[str, str]]:
    """Validate a decoded JSON object; return the activity, or its problems (`field`, `problem`) by field."""
    known = {name: value for name, value in fields.items() if name in _RULES}
    unknown = [name[:MAX_ID_CHARACTERS] for name in fields if name not in _RULES]
    problems = [{"field": name, "problem": _UNKNOWN} for name in unknown]
    try:
        activity = Activity.model_validate(known, context={"now": now})
    except ValidationError as error:
        broken = {str(detail["loc"][0]) for detail in error.errors(include_input=False)}
        problems += [
            {"field": name, "problem": _RULES[name] if name in known else "is missing"} for name in broken
        ]
    return sorted(problems, key=lambda problem: problem["field"]) if problems else activity
