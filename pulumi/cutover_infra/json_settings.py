"""Settings that are JSON texts for functions: checked here, so that a wrong one never reaches a client."""

from __future__ import annotations

import json
from typing import Any

from migration.model.errors import UsageError
from migration.model.legacy.layout import read_layout
from migration.model.stages import FULL_WEIGHT, Stage


def check_control(text: str) -> str:
    """Check a control item: a stage, and whole numbers for weights (of 10,000) and epoch.

    Raises:
        ValueError: when it is not one.
    """
    fields = _object(json.loads(text))
    numbers = {key: value for key, value in fields.items() if key != "stage"}
    if fields.get("stage") not in set(Stage) or not set(numbers) <= {"write_weight", "read_weight", "epoch"}:
        raise ValueError("this is no control item")
    if any(type(number) is not int or number < 0 for number in numbers.values()):
        raise ValueError("weights and epoch are whole numbers")
    if max(numbers.get("write_weight", 0), numbers.get("read_weight", 0)) > FULL_WEIGHT:
        raise ValueError("weights are hundredths of a percent")
    return text


def check_shape(text: str) -> str:
    """Check a layout of legacy's tables, which the reverse mirror must be able to write.

    Raises:
        ValueError: when it is not one, or can be read only.
    """
    try:
        read_layout(text).written()
    except UsageError as error:
        raise ValueError(str(error)) from error
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
