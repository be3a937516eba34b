"""Settings that are JSON texts for functions: checked here, so that a wrong one never reaches a client."""

from __future__ import annotations

import json
from typing import Any, Final

_STAGES: Final = ("off", "dualwrite", "shadow", "live", "rampdown", "complete")
_FULL_WEIGHT: Final = 10_000
_ROW: Final = frozenset({"employee_id", "program_id", "points", "events"})
_SHAPES: Final = {
    "event": frozenset({"employee_id", "event_id", "program_id", "activity_type", "points", "occurred_at"}),
    "employee_progress": _ROW,
    "program_progress": _ROW - {"employee_id"},
    "leaderboard": frozenset({"board", "entries"}),
}


def check_control(text: str) -> str:
    """Check a control item: a stage, and whole numbers for weights (of 10,000) and epoch.

    Raises:
        ValueError: when it is not one.
    """
    fields = _object(json.loads(text))
    numbers = {key: value for key, value in fields.items() if key != "stage"}
    if fields.get("stage") not in _STAGES or not set(numbers) <= {"write_weight", "read_weight", "epoch"}:
        raise ValueError("this is no control item")
    if any(type(number) is not int or number < 0 for number in numbers.values()):
        raise ValueError("weights and epoch are whole numbers")
    if max(numbers.get("write_weight", 0), numbers.get("read_weight", 0)) > _FULL_WEIGHT:
        raise ValueError("weights are hundredths of a percent")
    return text


def check_shape(text: str) -> str:
    """Check a layout of legacy's tables: by table, our names of attributes and legacy's own.

    Raises:
        ValueError: when it is not one.
    """
    for table, names in _object(json.loads(text)).items():
        if table not in _SHAPES or not set(_object(names)) <= _SHAPES[table]:
            raise ValueError(f"{table} has no such attributes")
        if not all(isinstance(name, str) and name for name in names.values()):
            raise ValueError("attributes are named by texts")
    return text


def check_object(text: str) -> str:
    """Check that it is a JSON object; what it means is for the function that gets it.

    Raises:
        ValueError: when it is not one.
    """
    _object(json.loads(text))
    return text


def _object(value: Any) -> dict[str, Any]:  # noqa: ANN401 - decoded JSON
    if not isinstance(value, dict):
        raise ValueError("this is no JSON object")  # noqa: TRY004 - pydantic turns ValueErrors into refusals
    return value
