"""How legacy's tables are laid out: which attribute holds what, as the plan file says.

The reference system's layout is the default. A layout crosses to the mirror's function as JSON.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class EventShape:
    """Attribute names of an event row; its key is the employee and the event."""

    employee_id: str = "employee_id"
    event_id: str = "event_id"
    program_id: str = "program_id"
    activity_type: str = "activity_type"
    points: str = "points"
    occurred_at: str = "occurred_at"


@dataclass(frozen=True, slots=True)
class ProgressShape:
    """Attribute names of a progress row; program progress has no employee."""

    employee_id: str = "employee_id"
    program_id: str = "program_id"
    points: str = "points"
    events: str = "events"


@dataclass(frozen=True, slots=True)
class BoardShape:
    """Attribute names of a leaderboard's item; dots go into maps."""

    board: str = "board"
    entries: str = "entries"


@dataclass(frozen=True, slots=True)
class LegacyShape:
    """The layout of legacy's tables; its leaderboard is only read."""

    event: EventShape = field(default_factory=EventShape)
    employee_progress: ProgressShape = field(default_factory=ProgressShape)
    program_progress: ProgressShape = field(default_factory=ProgressShape)
    leaderboard: BoardShape = field(default_factory=BoardShape)


def decode_shape(text: str) -> LegacyShape:
    """Read a layout from JSON; what is left out is as in the reference system.

    Raises:
        TypeError, ValueError: when it is not one.
    """
    fields = json.loads(text)
    return LegacyShape(
        EventShape(**fields.get("event", {})),
        ProgressShape(**fields.get("employee_progress", {})),
        ProgressShape(**fields.get("program_progress", {})),
        BoardShape(**fields.get("leaderboard", {})),
    )
