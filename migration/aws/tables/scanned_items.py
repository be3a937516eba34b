"""The pipeline's items as a fast scan decodes them: of the fact table, and of both progress tables.

An attribute that is missing or of another type is an error that names the item; a number of a progress row
that is missing is nothing added yet.
"""

from __future__ import annotations

from typing import Final

import msgspec

from migration.aws.tables.fact_items import no_fact
from migration.aws.transport.pages import Number, Text
from migration.compare.verify.verification import Parts
from migration.model.facts import Lane, StoredFact
from migration.model.fold import Activity, Fold, Row
from migration.model.side import Side  # noqa: TC001 - msgspec reads the annotations

_NOTHING: Final = Number("0")


class _LaneText(msgspec.Struct, gc=False, frozen=True):
    S: Lane


class _SideText(msgspec.Struct, gc=False, frozen=True):
    S: Side


class FactItem(msgspec.Struct, gc=False):
    """A fact; every attribute must be there."""

    employee_id: Text
    event_id: Text
    program_id: Text
    activity_type: Text
    points: Number
    occurred_at: Text
    ingested_at: Text
    lane: _LaneText
    side: _SideText

    def fact(self, table: str) -> StoredFact:
        """Give the fact of the item.

        Raises:
            IntegrityError: when no side can have written it.
        """
        content = (self.employee_id.S, self.event_id.S, self.program_id.S, self.activity_type.S)
        try:
            activity = Activity(*content, int(self.points.N), self.occurred_at.S)
            return StoredFact(activity, self.lane.S, self.side.S, self.ingested_at.S)
        except ValueError as error:
            raise no_fact(table, self.employee_id.S, self.event_id.S, error) from None

    def line(self) -> msgspec.Struct:
        """Give the fact as a line for the store."""
        return _FactLine(
            self.employee_id.S,
            self.event_id.S,
            self.program_id.S,
            self.activity_type.S,
            self.points.N,
            self.occurred_at.S,
            self.ingested_at.S,
            self.lane.S,
            self.side.S,
        )


_FactLine: Final = msgspec.defstruct(
    "_FactLine", [(name, str) for name in FactItem.__struct_fields__], gc=False
)


class ProgressItem(msgspec.Struct, gc=False, kw_only=True):
    """A row of employee progress, or of program progress on one shard."""

    employee_id: Text | None = None
    program_id: Text
    points: Number = _NOTHING
    events: Number = _NOTHING
    fingerprint: Number = _NOTHING
    base_points: Number = _NOTHING
    base_events: Number = _NOTHING
    base_fingerprint: Number = _NOTHING

    @property
    def row(self) -> Row:
        """Whose row it is."""
        return Row(None if self.employee_id is None else self.employee_id.S, self.program_id.S)

    @property
    def whole(self) -> Fold:
        """All that was added to it."""
        return Fold(int(self.points.N), int(self.events.N), int(self.fingerprint.N))

    @property
    def base(self) -> Fold:
        """Its history part."""
        return Fold(int(self.base_points.N), int(self.base_events.N), int(self.base_fingerprint.N))

    @property
    def parts(self) -> Parts:
        """Both of its parts."""
        return Parts(self.whole - self.base, self.base)
