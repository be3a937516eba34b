"""How legacy is written, from how it is read: the plan's layout as the reverse mirror needs it.

More can be read than written: a value that legacy keeps inside a map, or nowhere, or as an
epoch time, has no attribute to be put in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migration.model.errors import UsageError
from migration.model.legacy_shape import BoardShape, EventShape, LegacyShape, ProgressShape

if TYPE_CHECKING:
    from migration.plan.plan import LegacyPlan

_EVENT = ("employee_id", "event_id", "program_id", "activity_type", "points", "occurred_at")
_EMPLOYEE = ("employee_id", "program_id", "points", "events")
_PROGRAM = ("program_id", "points", "events")


def shape_of(plan: LegacyPlan) -> LegacyShape:
    """Lay out legacy's tables for writing.

    Raises:
        UsageError: when the plan has an attribute that can be read only.
    """
    if plan.events.time_format != "iso":
        raise _read_only("legacy.events.time_format", plan.events.time_format)
    return LegacyShape(
        EventShape(**_names("legacy.events", plan.events, _EVENT)),
        ProgressShape(**_names("legacy.employee_progress", plan.employee_progress, _EMPLOYEE)),
        ProgressShape(**_names("legacy.program_progress", plan.program_progress, _PROGRAM)),
        BoardShape(plan.leaderboard.board, plan.leaderboard.entries),
    )


def _names(table: str, part: object, fields: tuple[str, ...]) -> dict[str, str]:
    names = {}
    for field in fields:
        attribute = getattr(part, field)
        if not isinstance(attribute, str) or "." in attribute:
            raise _read_only(f"{table}.{field}", attribute)
        names[field] = attribute
    return names


def _read_only(key: str, value: object) -> UsageError:
    return UsageError(
        f"{key} is {value}, which can be read and not written",
        hint="activities can be copied from such a table; applying them to it needs plain attributes",
    )
