"""How legacy's tables are laid out: which attribute holds what. The one definition.

The plan file's `[legacy]` parses into it, whoever reads or writes legacy's tables goes by it, and functions
get the same part as JSON. The reference system's layout is the default. It never looks at an item.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field, ValidationError

from migration.model.errors import UsageError
from migration.model.part import PlanPart

if TYPE_CHECKING:
    from collections.abc import Mapping

_Table = Annotated[
    str | None,
    Field(pattern=r"^[A-Za-z0-9_.-]{3,255}$", description="Table; from the stack's outputs when left out"),
]
_Path = Annotated[
    str, Field(pattern=r"^[^.]+(\.[^.]+)*$", description="Attribute; dots go into maps: detail.employee.id")
]


class ConstantText(PlanPart):
    """A text that is the same for every item."""

    constant: Annotated[str, Field(min_length=1)]


class ConstantNumber(PlanPart):
    """A number that is the same for every item."""

    constant: Annotated[int, Field(ge=0)]


Attribute = str | ConstantText | ConstantNumber  # a name, with dots into maps, or what no item holds


class LegacyEvents(PlanPart):
    """Legacy's event table: one item an activity."""

    table: _Table = None
    employee_id: _Path = "employee_id"
    event_id: _Path = "event_id"
    program_id: _Path | ConstantText = "program_id"
    activity_type: _Path | ConstantText = "activity_type"
    points: _Path | ConstantNumber = "points"
    occurred_at: _Path = "occurred_at"
    time_format: Literal["iso", "epoch_s", "epoch_ms"] = "iso"


class LegacyEmployeeProgress(PlanPart):
    """Legacy's employee progress: one item an employee and program."""

    table: _Table = None
    employee_id: _Path = "employee_id"
    program_id: _Path = "program_id"
    points: _Path = "points"
    events: _Path = "events"


class LegacyProgramProgress(PlanPart):
    """Legacy's program progress: one item a program."""

    table: _Table = None
    program_id: _Path = "program_id"
    points: _Path = "points"
    events: _Path = "events"


class LegacyLeaderboard(PlanPart):
    """Legacy's leaderboard: one item a board."""

    table: _Table = None
    board: _Path = "board"
    entries: Annotated[_Path, Field(description="JSON text, or a list of maps")] = "entries"
    format: Literal["json", "list"] = "json"


@dataclass(frozen=True, slots=True)
class WrittenLayout:
    """Legacy's own name of each attribute, by table, for whoever writes there."""

    events: Mapping[str, str]
    employee_progress: Mapping[str, str]
    program_progress: Mapping[str, str]
    leaderboard: Mapping[str, str]  # only read, by what is told the same layout


class LegacyPlan(PlanPart):
    """Legacy's tables."""

    events: LegacyEvents = LegacyEvents()
    employee_progress: LegacyEmployeeProgress = LegacyEmployeeProgress()
    program_progress: LegacyProgramProgress = LegacyProgramProgress()
    leaderboard: LegacyLeaderboard = LegacyLeaderboard()

    def written(self) -> WrittenLayout:
        """Name the attributes for writing, which takes more than reading does.

        A value that legacy keeps inside a map, or nowhere, or as an epoch time, has no place to be put in.

        Raises:
            UsageError: when there is such a value.
        """
        if self.events.time_format != "iso":
            raise _read_only("legacy.events.time_format", self.events.time_format)
        return WrittenLayout(
            _names("legacy.events", self.events),
            _names("legacy.employee_progress", self.employee_progress),
            _names("legacy.program_progress", self.program_progress),
            {"board": self.leaderboard.board, "entries": self.leaderboard.entries},
        )


def read_layout(text: str) -> LegacyPlan:
    """Read a layout from JSON; what is left out is as in the reference system.

    Raises:
        ValueError: naming what is wrong.
    """
    fields = json.loads(text)
    if not isinstance(fields, dict):
        raise ValueError("this is no JSON object")  # noqa: TRY004 - one kind of error for a wrong text
    try:
        return LegacyPlan.model_validate(_as_today(fields))
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise ValueError("; ".join(problems)) from None


def _as_today(fields: dict[str, Any]) -> dict[str, Any]:
    """Take in what was written before: `event` for `events`, and an employee in the row of a program."""
    renamed = {_BEFORE.get(table, table): names for table, names in fields.items()}
    program = renamed.get("program_progress")
    if isinstance(program, dict):
        program.pop("employee_id", None)
    return renamed


_BEFORE: Final = {"event": "events"}
_NO_ATTRIBUTE: Final = ("table", "time_format")


def _names(table: str, part: PlanPart) -> dict[str, str]:
    names = {field: value for field, value in part if field not in _NO_ATTRIBUTE}
    for field, attribute in names.items():
        if not isinstance(attribute, str) or "." in attribute:
            raise _read_only(f"{table}.{field}", attribute)
    return names


def _read_only(key: str, value: object) -> UsageError:
    return UsageError(
        f"{key} is {value}, which can be read and not written",
        hint="activities can be copied from such a table; applying them to it needs plain attributes",
    )
