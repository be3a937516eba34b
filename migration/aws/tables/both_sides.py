"""Both sides' tables as a diff reads them: fast parallel scans, consistent, never written.

Legacy's items are read as the plan maps them. It takes nothing from either side's code, so what it reads can
judge both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from migration.aws.tables.stored_boards import attribute, entries_of, plain_value, snapshot_board
from migration.aws.transport.clients import translated
from migration.aws.transport.pages import Number, Text
from migration.aws.transport.scan import ReadPace, Scan, batches
from migration.compare.diff.two_sides import Sighting, Stored, StoredBoard
from migration.model.fold import RESERVED, Fold, Identity, Row
from migration.model.mapping import activity_mapper, row_mapper

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.aws.tables.side_tables import PipelineTables
    from migration.aws.transport.raw_dynamodb import RawDynamoDB
    from migration.model.clock import Clock
    from migration.model.layout import LegacyPlan
    from migration.plan.outputs import LegacyOutputs, PipelineOutputs

T = TypeVar("T")
Item = dict[str, Any]
_FRESHNESS: Final = {"program_id": {"S": "#freshness"}, "shard": {"S": "newest"}}
_OF_EMPLOYEES: Final = ("global", "program#")
_EMPTY: Final = Text("")
_ZERO: Final = Number("0")


class _Fact(msgspec.Struct, gc=False):
    employee_id: Text
    event_id: Text
    program_id: Text
    points: Number
    ingested_at: Text = _EMPTY
    lane: Text = _EMPTY
    side: Text = _EMPTY


class _Row(msgspec.Struct, gc=False):
    program_id: Text
    employee_id: Text | None = None
    points: Number = _ZERO
    events: Number = _ZERO
    fingerprint: Number = _ZERO


@dataclass(frozen=True, slots=True)
class StackSides:
    """The tables of a deployed stack.

    Attributes:
        source: where they are scanned.
        tables: the pipeline's, for what is on its way.
        legacy: legacy's names.
        pipeline: the pipeline's.
        plan: what legacy's items hold where.
        clock: what readers wait by.
    """

    source: RawDynamoDB
    tables: PipelineTables
    legacy: LegacyOutputs
    pipeline: PipelineOutputs
    plan: LegacyPlan
    clock: Clock

    def legacy_boards(self) -> Iterator[StoredBoard]:
        """Read legacy's boards; one that is not of employees, or of one program, is left out."""
        layout = self.plan.leaderboard
        for item in self._scan(layout.table or self.legacy.leaderboard_table, Item):
            board = str(plain_value(attribute(item, layout.board)))
            entries = plain_value(attribute(item, layout.entries))
            if board.startswith(_OF_EMPLOYEES):
                made_at = plain_value(item.get("rebuilt_at", {"NULL": True}))
                yield StoredBoard(board, entries_of(board, entries), made_at)

    def pipeline_boards(self) -> Iterator[StoredBoard]:
        """Read the latest snapshots, board by board: the older ones beside them are thousands."""
        table, client = self.pipeline.snapshots_table, self.tables.client
        programs = {item.program_id.S for item in self._scan(self.pipeline.program_progress_table, _Row)}
        boards = (f"program#{name}" for name in sorted(programs) if not name.startswith(RESERVED))
        for board in ("global", *boards):
            key = {"board": {"S": board}, "version": {"S": "latest"}}
            with translated(f"reading {table}"):
                item = client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
            if item is not None:
                yield snapshot_board(board, item["body"])

    def legacy_rows(self) -> Iterator[tuple[Row, Fold]]:
        """Read legacy's aggregates."""
        employees, programs = self.plan.employee_progress, self.plan.program_progress
        for table, layout in (
            (employees.table or self.legacy.employee_progress_table, employees),
            (programs.table or self.legacy.program_progress_table, programs),
        ):
            yield from map(row_mapper(layout), self._scan(table, Item))

    def pipeline_rows(self) -> Iterator[tuple[Row, Fold]]:
        """Read the pipeline's aggregates."""
        for table in (self.pipeline.employee_progress_table, self.pipeline.program_progress_table):
            for item in self._scan(table, _Row):
                employee = None if item.employee_id is None else item.employee_id.S
                fold = Fold(int(item.points.N), int(item.events.N), int(item.fingerprint.N))
                yield Row(employee, item.program_id.S), fold

    def legacy_events(self) -> Iterator[Sighting]:
        """Read legacy's event rows; other systems than the reference one do not say when one came."""
        activity = activity_mapper(self.plan.events)
        for item in self._scan(self.plan.events.table or self.legacy.events_table, Item):
            one = activity(item)
            came_at = item.get("received_at", {}).get("S", "")
            yield Sighting(one.identity, Stored(one.program_id, one.points, came_at), None)

    def facts(self) -> Iterator[Sighting]:
        """Read the facts."""
        for item in self._scan(self.pipeline.facts_table, _Fact):
            stored = Stored(item.program_id.S, int(item.points.N), item.ingested_at.S)
            yield Sighting(
                Identity(item.employee_id.S, item.event_id.S), None, stored, item.lane.S, item.side.S
            )

    def newest_folded_at(self) -> str | None:
        """Read how far the folds are."""
        table = self.pipeline.program_progress_table
        with translated(f"reading {table}"):
            answer = self.tables.client.get_item(TableName=table, Key=_FRESHNESS, ConsistentRead=True)
        return answer.get("Item", {}).get("newest_folded_at", {}).get("S")

    def queued(self) -> int:
        """Count the messages on their way."""
        return self.tables.queued()

    def _scan(self, table: str, item: type[T]) -> Iterator[T]:
        for batch in batches(self.source, Scan(table, item), ReadPace(None, self.clock)):
            yield from batch.items
